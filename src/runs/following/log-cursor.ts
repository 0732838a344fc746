/** A position in a conversation's log, and what was read from there and not delivered yet. */
import type { LogEntry } from "../../log/entry.ts";
import type { Slice } from "../../log/log.ts";
import type { EventType } from "../../protocol/events.ts";
import { JoinedEntries } from "./joined-entries.ts";

export interface Wanted {
  /** This run alone; otherwise every run. */
  readonly runId?: string | undefined;
  /** These event types alone, and runEnd, which always comes. */
  readonly only?: ReadonlySet<EventType> | undefined;
}

const nothing: readonly LogEntry[] = [];

export class LogCursor {
  readonly #runId: string | undefined;
  readonly #only: ReadonlySet<EventType> | undefined;
  #position: number;
  #entries = nothing;
  /** Of more entries than one. */
  #joined: JoinedEntries | undefined;
  /** How many have been taken of these, joined. */
  #taken = 0;

  constructor(after: number, { runId, only }: Wanted) {
    this.#position = after;
    this.#runId = runId;
    this.#only = only;
  }

  /** The number of the last event that was taken or passed over. */
  get position(): number {
    return this.#position;
  }

  /** Replaces what was read by these entries. @returns whether there are any */
  load(entries: readonly LogEntry[]): boolean {
    this.#entries = entries;
    this.#joined = entries.length > 1 ? JoinedEntries.of(entries) : undefined;
    this.#taken = 0;
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
    for (let entry = this.#next(); entry !== undefined; entry = this.#next()) {
      this.#position = entry.seq;
      if (this.#wants(entry)) return entry;
    }
    if (this.#entries !== nothing) this.clear();
    return undefined;
  }

  #next(): LogEntry | undefined {
    const index = this.#taken++;
    return this.#joined === undefined ? this.#entries[index] : this.#joined.at(index);
  }

  #wants(entry: LogEntry): boolean {
    if (this.#runId !== undefined && entry.runId !== this.#runId) return false;
    return this.#only === undefined || entry.type === "runEnd" || this.#only.has(entry.type);
  }
}
