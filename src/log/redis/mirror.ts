/**
 * The newest part of one conversation's stream, kept in this process while somebody here follows it.
 * A notification mostly carries the new events; else they take one read, however many follow.
 *
 *   Redis   1 … … … … … … … … … … 90
 *   mirror              70 … … … … 90      readers behind 70 read from Redis themselves
 */

import type { RedisCommands } from "../../redis/connection.ts";
import { LogEntry } from "../entry.ts";
import { Listeners } from "../listeners.ts";
import type { Slice } from "../log.ts";
import { sliceFrom } from "../slice.ts";
import { readEntries, readNewestEntries } from "./read-entries.ts";
import type { ConversationKeys } from "./run-scripts.ts";

const maxEntries = 1_024;
/** Of all entries: what is older is read from Redis. The newest stays, whatever its size. */
const maxBytes = 1024 * 1024;
/** Entries that are read at once. */
const readEntriesAtOnce = 256;

export class Mirror {
  readonly listeners = new Listeners();
  readonly #link: RedisCommands;
  readonly #keys: ConversationKeys;
  #entries: LogEntry[] = [];
  #bytes = 0;
  #loaded = false;
  /** The highest number that a notification gave. */
  #notified = 0;
  #reading: Promise<void> | undefined;
  /** When it last was as new as Redis, on `performance.now()`'s clock. */
  #freshAtMs = 0;

  constructor(link: RedisCommands, keys: ConversationKeys) {
    this.#link = link;
    this.#keys = keys;
  }

  get #lastSeq(): number {
    return this.#entries.at(-1)?.seq ?? 0;
  }

  /** Undefined when it has to be read from Redis. */
  read(after: number): Slice | undefined {
    if (!this.#loaded) return undefined;
    const first = this.#entries[0]?.seq;
    if (first === undefined) return { entries: [], oldest: undefined };
    if (after + 1 < first) return undefined;
    const shared = this.listeners.sliceAfter(after);
    if (shared !== undefined) return shared;
    const entries = sliceFrom(this.#entries, after + 1 - first);
    const isLast = entries.length === 0 || entries.at(-1)?.seq === this.#lastSeq;
    return this.listeners.share(after, { entries, oldest: first, isLast });
  }

  /** Adds entries that are known to be stored, which saves reading them. */
  accept(entries: readonly LogEntry[]): void {
    if (!this.#loaded) return;
    const last = this.#lastSeq;
    const fresh = entries.filter(({ seq }) => seq > last);
    // Otherwise there is more in between, and the notification of that has it read.
    if (fresh[0]?.seq === last + 1) this.#extend(fresh);
  }

  /** @param message as `ConversationKeys.channel` says */
  receive(message: string): void {
    const end = message.indexOf("\n");
    const lastSeq = Number(end === -1 ? message : message.slice(0, end));
    this.#notified = Math.max(this.#notified, lastSeq);
    // Of what this process wrote itself it mostly knows already.
    if (lastSeq <= this.#lastSeq) return;
    const events = end === -1 ? [] : message.slice(end + 1).split("\n");
    const known = this.#lastSeq - (lastSeq - events.length);
    if (this.#loaded && known >= 0) {
      this.#extend(this.#parsed(events.slice(known)));
      this.#freshAtMs = performance.now();
    }
    if (this.#notified > this.#lastSeq) void this.#read();
  }

  /** @param events those after the last entry */
  #parsed(events: readonly string[]): LogEntry[] {
    let last = this.#entries.at(-1);
    let seq = this.#lastSeq;
    return events.map((json) => {
      seq += 1;
      last = last?.followedBy(seq, json) ?? LogEntry.parse(seq, json);
      return last;
    });
  }

  /** Reads unless it was fresh a moment ago: for notifications that were lost, and for expiry. */
  check(olderThanMs: number): void {
    if (performance.now() - this.#freshAtMs >= olderThanMs) void this.#read();
  }

  /** Reads the newest part. @throws the connection's error */
  async load(): Promise<void> {
    const askedAtMs = performance.now();
    const last = this.#entries.at(-1);
    const entries = await readNewestEntries(this.#link, this.#keys.events, readEntriesAtOnce);
    this.#freshAtMs = askedAtMs;
    this.#loaded = true;
    // Notifications come on another connection: what one brought meanwhile may be newer than this.
    if (this.#entries.at(-1) === last) this.#replace(entries);
  }

  /** One read at a time. One that fails is made up for by the next check. */
  #read(): Promise<void> {
    this.#reading ??= this.#readToEnd()
      .catch(() => {})
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #readToEnd(): Promise<void> {
    for (let more = true; more; ) {
      const notified = this.#notified;
      const last = this.#lastSeq;
      const full = await this.#readOnce();
      const behind = this.#notified > this.#lastSeq;
      // What was notified of before the read is in its answer, or is not there any more.
      more = this.#lastSeq > last ? full || behind : behind && this.#notified > notified;
    }
  }

  /** @returns whether there may be more */
  async #readOnce(): Promise<boolean> {
    const last = this.#entries.at(-1);
    if (last === undefined) {
      await this.load();
      return false;
    }
    // Not notified: from the last entry on, to notice a stream that is gone or starts elsewhere.
    const from = this.#notified > last.seq ? last.seq + 1 : last.seq;
    const key = this.#keys.events;
    const askedAtMs = performance.now();
    const entries = await readEntries(this.#link, { key, from, maxEntries: readEntriesAtOnce });
    this.#freshAtMs = askedAtMs;
    if (entries[0]?.seq === from) this.accept(entries);
    // Unless what this process wrote itself has come in meanwhile.
    else if (this.#entries.at(-1) === last) await this.load();
    return entries.length === readEntriesAtOnce;
  }

  #replace(entries: LogEntry[]): void {
    const unchanged =
      entries.length > 0 &&
      entries[0]?.seq === this.#entries[0]?.seq &&
      entries.at(-1)?.seq === this.#lastSeq;
    if (unchanged || (entries.length === 0 && this.#entries.length === 0)) return;
    this.#entries = entries;
    this.#bytes = bytesOf(entries);
    this.#trim();
    if (entries.length === 0) this.#notified = 0;
    this.listeners.wake();
  }

  #extend(entries: readonly LogEntry[]): void {
    this.#entries.push(...entries);
    this.#bytes += bytesOf(entries);
    // By halves, so that a long answer does not move the array for every entry.
    const isLong = this.#entries.length > 1.5 * maxEntries || this.#bytes > 1.5 * maxBytes;
    if (isLong) this.#trim();
    this.listeners.wake();
  }

  /** Lets the oldest go, down to the bounds. */
  #trim(): void {
    let surplus = Math.max(0, this.#entries.length - maxEntries);
    let bytes = this.#bytes - bytesOf(this.#entries.slice(0, surplus));
    for (; bytes > maxBytes && surplus < this.#entries.length - 1; surplus++) {
      bytes -= this.#entries[surplus]?.bytes ?? 0;
    }
    this.#entries.splice(0, surplus);
    this.#bytes = bytes;
  }
}

function bytesOf(entries: readonly LogEntry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.bytes;
  return bytes;
}
