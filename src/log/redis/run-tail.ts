/**
 * What a writer holds of its run, all of it until the run is over, so that a Redis which lost its
 * data can be given everything again.
 *
 *   first … acknowledged │ sent │ open: the last of them may still take in a neighbour's text
 */
import type { ChatEvent } from "../../protocol/events.ts";
import { LogEntry } from "../entry.ts";

/** An object, its fields and a short string in V8, over the characters themselves. */
const entryOverheadBytes = 128;

export class RunTail {
  readonly #after: number;
  readonly #entries: LogEntry[] = [];
  /** How many entries may not change any more: they were sent at least once. */
  #sealed = 0;
  /** How many Redis has, as far as we know. */
  #acknowledged = 0;

  /** @param after the number of the event before the run's first */
  constructor(after: number) {
    this.#after = after;
  }

  get lastSeq(): number {
    return this.#after + this.#entries.length;
  }

  get acknowledgedSeq(): number {
    return this.#after + this.#acknowledged;
  }

  get isAcknowledged(): boolean {
    return this.#acknowledged === this.#entries.length;
  }

  /** @returns by how many bytes, roughly, the tail grew */
  append(event: ChatEvent): number {
    const last = this.#entries.at(-1);
    if (last !== undefined && this.#sealed < this.#entries.length && last.takesIn(event)) {
      const before = last.bytes;
      last.extend(event);
      return last.bytes - before;
    }
    const entry = LogEntry.of(this.lastSeq + 1, event, this.#entries);
    this.#entries.push(entry);
    return entry.bytes + entryOverheadBytes;
  }

  /** The next entries to send; from now on they stay as they are. */
  seal(maxEntries: number): readonly LogEntry[] {
    const batch = this.#entries.slice(this.#acknowledged, this.#acknowledged + maxEntries);
    for (const entry of batch) entry.settle();
    this.#sealed = Math.max(this.#sealed, this.#acknowledged + batch.length);
    return batch;
  }

  /** @param lastSeq the last number that Redis has; lower than before when it lost some */
  acknowledge(lastSeq: number): void {
    const count = Math.max(0, Math.min(lastSeq - this.#after, this.#entries.length));
    this.#acknowledged = count;
  }
}
