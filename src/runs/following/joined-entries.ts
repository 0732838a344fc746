/**
 * What was read of a log as readers are given it: neighbouring texts are one entry. All who read the same slice
 * share it, so a text is joined once however many they are, and its frame can be known by the entry.
 */
import { LogEntry } from "../../log/entry.ts";

type Entries = readonly LogEntry[];

/** Neighbouring tokens merge up to this many bytes. A single event may be larger. */
const mergedMaxBytes = 16 * 1024;
/** By the slice: what was joined lasts as long as somebody reads that. */
const ofSlices = new WeakMap<Entries, JoinedEntries>();

export class JoinedEntries {
  readonly #entries: Entries;
  /** As far as somebody has asked for them: a reader who is paced takes some, and drops the others. */
  readonly #joined: LogEntry[] = [];
  #end = 0;

  private constructor(entries: Entries) {
    this.#entries = entries;
  }

  static of(entries: Entries): JoinedEntries {
    const known = ofSlices.get(entries);
    if (known !== undefined) return known;
    const joined = new JoinedEntries(entries);
    ofSlices.set(entries, joined);
    return joined;
  }

  at(index: number): LogEntry | undefined {
    const first = this.#entries[this.#end];
    // They are asked for in order.
    if (index === this.#joined.length && first !== undefined) this.#joined.push(this.#join(first));
    return this.#joined[index];
  }

  #join(first: LogEntry): LogEntry {
    const entries = this.#entries;
    const start = this.#end + 1;
    let end = start;
    let bytes = first.bytes;
    for (let next = entries[end]; next !== undefined; next = entries[++end]) {
      bytes += next.bytes;
      if (bytes > mergedMaxBytes || !first.continuesWith(next)) break;
    }
    this.#end = end;
    return end === start ? first : LogEntry.joined(first, entries.slice(start, end));
  }
}
