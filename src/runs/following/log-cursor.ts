/** A position in a conversation's log, and what was read from there and not delivered yet. */
import { LogEntry } from "../../log/entry.ts";
import type { Slice } from "../../log/log.ts";
import type { EventType } from "../../protocol/events.ts";

export interface Wanted {
  /** This run alone; otherwise every run. */
  readonly runId?: string | undefined;
  /** These event types alone, and runEnd, which always comes. */
  readonly only?: ReadonlySet<EventType> | undefined;
}

/** Neighbouring tokens merge up to this many bytes. A single event may be larger. */
const mergedMaxBytes = 16 * 1024;
const nothing: readonly LogEntry[] = [];

export class LogCursor {
  readonly #wanted: Wanted;
  #position: number;
  #entries = nothing;
  #index = 0;

  constructor(after: number, wanted: Wanted) {
    this.#position = after;
    this.#wanted = wanted;
  }

  /** The number of the last event that was taken or passed over. */
  get position(): number {
    return this.#position;
  }

  /** Replaces what was read by these entries. @returns whether there are any */
  load(entries: readonly LogEntry[]): boolean {
    this.#entries = entries;
    this.#index = 0;
    return entries.length > 0;
  }

  /** Drops what was read: holding the array would keep events in memory that the log has dropped. */
  clear(): void {
    this.load(nothing);
  }

  /** Whether events between the position and what was read have left the log. */
  isBehind({ oldest }: Slice): boolean {
    return oldest === undefined || oldest > this.#position + 1;
  }

  /**
   * Continues across a gap: with the backfilled entries from before the log's oldest, else with the
   * log's own entries after the gap.
   * @returns whether there are any entries
   */
  loadAcross({ entries, oldest }: Slice, known: readonly LogEntry[]): boolean {
    const kept = oldest === undefined ? known : known.filter(({ seq }) => seq < oldest);
    if (kept.length > 0) return this.load(kept);
    if (oldest !== undefined) this.#position = Math.max(this.#position, oldest - 1);
    return this.load(entries);
  }

  /** The next wanted entry, merged with the neighbours that were read with it. */
  take(): LogEntry | undefined {
    for (let first = this.#entries[this.#index]; first !== undefined; ) {
      const entry = this.#joined(first);
      this.#position = entry.seq;
      if (this.#wants(entry)) return entry;
      first = this.#entries[this.#index];
    }
    if (this.#entries !== nothing) this.clear();
    return undefined;
  }

  #joined(first: LogEntry): LogEntry {
    const entries = this.#entries;
    const start = this.#index + 1;
    let end = start;
    let bytes = first.bytes;
    for (let next = entries[end]; next !== undefined; next = entries[++end]) {
      bytes += next.bytes;
      if (bytes > mergedMaxBytes || !first.continuesWith(next)) break;
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
