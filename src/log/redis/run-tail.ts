/**
 * What a writer holds of its run, all of it until the run is over, so that a Redis which lost its
 * data can be given everything again. Settled entries were sent at least once.
 *
 *   first … acknowledged │ sent │ open: the last of them may still take in a neighbour's text
 */
import type { ChatEvent } from "../../protocol/events.ts";
import type { LogEntry } from "../entry.ts";
import { EntryList } from "../entry-list.ts";

export interface SealBounds {
  readonly maxEntries: number;
  /** Of the entries' JSON. */
  readonly maxBytes: number;
}

export interface Sealed {
  readonly firstSeq: number;
  readonly entries: readonly LogEntry[];
  /** Of their JSON. */
  readonly bytes: number;
}

export class RunTail {
  readonly #list: EntryList;
  /** The number of the last that Redis has, as far as we know. */
  #acknowledgedSeq: number;

  /** @param after the number of the event before the run's first */
  constructor(after: number) {
    this.#list = new EntryList(after);
    this.#acknowledgedSeq = after;
  }

  get lastSeq(): number {
    return this.#list.lastSeq;
  }

  get acknowledgedSeq(): number {
    return this.#acknowledgedSeq;
  }

  get isAcknowledged(): boolean {
    return this.#acknowledgedSeq === this.lastSeq;
  }

  get entries(): readonly LogEntry[] {
    return this.#list.entries;
  }

  /** @returns by how many bytes, roughly, the tail grew */
  append(event: ChatEvent): number {
    return this.#list.append(event);
  }

  /** The next entries to send, one at the least; from now on they stay as they are. */
  seal({ maxEntries, maxBytes }: SealBounds): Sealed {
    const firstSeq = this.#acknowledgedSeq + 1;
    const next = this.#list.between(firstSeq, this.#acknowledgedSeq + maxEntries);
    let bytes = 0;
    let count = 0;
    for (const { jsonBytes } of next) {
      if (count > 0 && bytes + jsonBytes > maxBytes) break;
      bytes += jsonBytes;
      count += 1;
    }
    this.#list.settleThrough(this.#acknowledgedSeq + count);
    return { firstSeq, entries: count === next.length ? next : next.slice(0, count), bytes };
  }

  /** @param lastSeq the last number that Redis has; lower than before when it lost some */
  acknowledge(lastSeq: number): void {
    const before = this.#list.firstSeq - 1;
    this.#acknowledgedSeq = Math.max(before, Math.min(lastSeq, this.lastSeq));
    this.#list.holdAsSaid();
  }
}
