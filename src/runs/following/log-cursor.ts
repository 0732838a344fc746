/** A place in a conversation's log, and what was read from there and not delivered yet. */
import { LogEntry } from "../../log/entry.ts";
import type { EventType } from "../../protocol/events.ts";

export interface Wanted {
  /** This run alone; otherwise every run. */
  readonly runId?: string | undefined;
  /** Only these; runEnd always comes. */
  readonly only?: ReadonlySet<EventType> | undefined;
}

/** Bytes that merged neighbours may come to: it bounds a frame, not an event. */
const mergedMaxBytes = 16 * 1024;

export class LogCursor {
  readonly #wanted: Wanted;
  #place: number;
  #entries: readonly LogEntry[] = [];
  #index = 0;

  constructor(after: number, wanted: Wanted) {
    this.#place = after;
    this.#wanted = wanted;
  }

  /** The number of the last event that was taken or passed over. */
  get place(): number {
    return this.#place;
  }

  /** Goes on with these. @returns whether there are any */
  load(entries: readonly LogEntry[]): boolean {
    this.#entries = entries;
    this.#index = 0;
    return entries.length > 0;
  }

  /** Passes over numbers of which nothing is known any more. */
  passOver(through: number): void {
    this.#place = Math.max(this.#place, through);
  }

  /** The next entry that is wanted, with the neighbours that have piled up behind it. */
  take(): LogEntry | undefined {
    for (let first = this.#entries[this.#index]; first !== undefined; ) {
      const entry = this.#joined(first);
      this.#place = entry.seq;
      if (this.#wants(entry)) return entry;
      first = this.#entries[this.#index];
    }
    return undefined;
  }

  #joined(first: LogEntry): LogEntry {
    const entries = this.#entries;
    const start = this.#index + 1;
    let end = start;
    let bytes = first.bytes;
    for (let next = entries[end]; next !== undefined; next = entries[++end]) {
      if (bytes > mergedMaxBytes || !first.continuesWith(next)) break;
      bytes += next.bytes;
    }
    this.#index = end;
    return end === start ? first : LogEntry.joined(first, entries.slice(start, end));
  }

  #wants(entry: LogEntry): boolean {
    const { runId, only } = this.#wanted;
    if (runId !== undefined && entry.runId !== runId) return false;
    return only === undefined || entry.type === "runEnd" || only.has(entry.type);
  }
}
