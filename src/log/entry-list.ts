/**
 * Consecutive entries, numbered without a hole. Those at the end may still take in a neighbour's text;
 * settled ones may not, since somebody has read or sent them.
 *
 *   firstSeq … settledSeq │ unsettled … lastSeq
 */
import type { ChatEvent } from "../protocol/events.ts";
import { isTextPiece } from "../protocol/fold/text-pieces.ts";
import { LogEntry } from "./entry.ts";
import { isHeldAsSaid } from "./json-text.ts";
import { sliceFrom } from "./slice.ts";

/** An object, its fields and a short string in V8, over the text itself. */
const entryOverheadBytes = 128;

export class EntryList {
  readonly #entries: LogEntry[] = [];
  #firstSeq: number;
  /** How many of the entries are settled. */
  #settled = 0;
  /** By entry: the pieces of long texts that came since `holdAsSaid`, in order. */
  readonly #said = new Map<LogEntry, string[]>();

  /** @param after the number of the entry before the first */
  constructor(after: number) {
    this.#firstSeq = after + 1;
  }

  /** The number of the first entry, or of the next one when there is none. */
  get firstSeq(): number {
    return this.#firstSeq;
  }

  get lastSeq(): number {
    return this.#firstSeq + this.#entries.length - 1;
  }

  get settledSeq(): number {
    return this.#firstSeq + this.#settled - 1;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  /**
   * Adds the event, as an entry of its own or to the text of the last one.
   * @returns by how many bytes the list grew, roughly
   */
  append(event: ChatEvent): number {
    const last = this.#entries.at(-1);
    if (last !== undefined && this.#settled < this.#entries.length && last.takesIn(event)) {
      const before = last.bytes;
      last.extend(event);
      if (this.#said.size > 0) this.#heardMore(last, event.text);
      return last.bytes - before;
    }
    const entry = LogEntry.of(this.lastSeq + 1, event, this.#entries);
    this.#entries.push(entry);
    if (isTextPiece(event) && isHeldAsSaid(event.text)) this.#said.set(entry, [event.text]);
    return sizeOf(entry);
  }

  /** Of settled entries, no JSON of long texts is kept any more: only those who are behind still ask for it. */
  holdAsSaid(): void {
    for (const [entry, pieces] of this.#said) {
      if (entry.seq > this.settledSeq) break;
      entry.holdAsSaid(pieces);
      this.#said.delete(entry);
    }
  }

  /** Settles all entries up to the number, included. */
  settleThrough(seq: number): void {
    const end = this.#indexOf(seq + 1);
    for (; this.#settled < end; this.#settled++) this.#entries[this.#settled]?.settle();
  }

  /** Those from one number to another, both included, as far as they are here. */
  between(firstSeq: number, lastSeq: number): readonly LogEntry[] {
    return this.#entries.slice(this.#indexOf(firstSeq), this.#indexOf(lastSeq + 1));
  }

  /** The settled ones behind a number, as many as a reader is given at once. */
  settledAfter(seq: number): readonly LogEntry[] {
    return sliceFrom(this.#entries, this.#indexOf(seq + 1), this.#settled);
  }

  /**
   * Drops all entries up to the number, included.
   * @returns by how many bytes the list shrank
   */
  dropThrough(seq: number): number {
    const dropped = this.#entries.splice(0, this.#indexOf(seq + 1));
    this.#firstSeq += dropped.length;
    this.#settled = Math.max(0, this.#settled - dropped.length);
    let bytes = 0;
    for (const entry of dropped) bytes += sizeOf(entry);
    return bytes;
  }

  /**
   * Drops all entries and goes on behind another number.
   * @returns by how many bytes the list shrank
   */
  restartAfter(seq: number): number {
    const bytes = this.dropThrough(this.lastSeq);
    this.#firstSeq = seq + 1;
    return bytes;
  }

  #heardMore(entry: LogEntry, text: string): void {
    if (isHeldAsSaid(text)) this.#said.get(entry)?.push(text);
    else this.#said.delete(entry);
  }

  /** Where the entry of that number is, or where the list ends that does not have it. */
  #indexOf(seq: number): number {
    return Math.min(Math.max(0, seq - this.#firstSeq), this.#entries.length);
  }
}

function sizeOf(entry: LogEntry): number {
  return entry.bytes + entryOverheadBytes;
}
