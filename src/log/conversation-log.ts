/** The events of one conversation in memory: what is readable, and what waits for the commit. */
import type { ChatEvent } from "../protocol/events.ts";
import { LogEntry } from "./entry.ts";
import type { Slice } from "./log.ts";
import { sliceFrom } from "./slice.ts";

/** An object, its fields and a short string in V8, over the text itself. */
const entryOverheadBytes = 128;

export class ConversationLog {
  readonly conversationId: string;
  readonly listeners = new Set<() => void>();
  /** The run that writes at the moment. */
  writingRunId: string | undefined;
  #entries: LogEntry[] = [];
  /** How many of the entries are committed, and so readable. */
  #committed = 0;
  #oldest = 1;
  /** False while there are only readers who wait for a run to come. */
  #placed = false;

  constructor(conversationId: string) {
    this.conversationId = conversationId;
  }

  /**
   * Says which number was the conversation's last; what the log holds before a gap is dropped.
   * @returns by how many bytes the log shrank
   */
  placeAfter(seq: number): number {
    if (this.#placed && this.lastSeq >= seq) return 0;
    const bytes = this.dropThrough(this.lastSeq);
    this.#oldest = seq + 1;
    this.#placed = true;
    return bytes;
  }

  /** The number of the first entry in memory, or of the next one when there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  get lastSeq(): number {
    return this.#oldest + this.#entries.length - 1;
  }

  get last(): LogEntry | undefined {
    return this.#entries.at(-1);
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  get pending(): readonly LogEntry[] {
    return this.#entries.slice(this.#committed);
  }

  get hasPending(): boolean {
    return this.#committed < this.#entries.length;
  }

  /** @returns by how many bytes the log grew */
  append(event: ChatEvent): number {
    const last = this.#entries.at(-1);
    if (last !== undefined && this.hasPending && last.takesIn(event)) {
      const before = last.bytes;
      last.extend(event);
      return last.bytes - before;
    }
    const entry = LogEntry.of(this.lastSeq + 1, event, this.#entries);
    this.#entries.push(entry);
    return sizeOf(entry);
  }

  /**
   * Takes back an event that storage kept. Of a run with a hole in it, only what is before the hole
   * and its end are taken.
   * @returns by how many bytes the log grew
   */
  restore(seq: number, event: ChatEvent): number {
    const last = this.#entries.at(-1);
    const isHole = last !== undefined && seq > last.seq + 1 && last.runId === event.runId;
    const isKnown = this.#placed && seq <= this.lastSeq;
    if (isKnown || (isHole && event.type !== "runEnd")) return 0;
    const droppedBytes = this.placeAfter(seq - 1);
    const entry = LogEntry.of(seq, event, this.#entries);
    entry.settle();
    this.#entries.push(entry);
    this.#committed = this.#entries.length;
    return sizeOf(entry) - droppedBytes;
  }

  /** Those from one number to another, both included, as far as they are here. */
  between(firstSeq: number, lastSeq: number): readonly LogEntry[] {
    const from = Math.max(0, firstSeq - this.#oldest);
    return this.#entries.slice(from, Math.max(from, lastSeq + 1 - this.#oldest));
  }

  /** The ends of the runs, oldest first. */
  get ends(): readonly LogEntry[] {
    return this.#entries.filter(({ type }) => type === "runEnd");
  }

  /** Whether a run is in the log that has no end, and whether the log has it from its start on. */
  get unended(): "none" | "whole" | "part" {
    const last = this.last;
    if (last === undefined || last.type === "runEnd") return "none";
    const start = this.#entries.find(({ runId }) => runId === last.runId);
    return start?.type === "runStart" ? "whole" : "part";
  }

  commit(): void {
    for (let at = this.#committed; at < this.#entries.length; at++) this.#entries[at]?.settle();
    this.#committed = this.#entries.length;
    for (const listener of this.listeners) listener();
  }

  read(after: number): Slice {
    const from = Math.max(0, after + 1 - this.#oldest);
    return {
      entries: sliceFrom(this.#entries, from, this.#committed),
      oldest: this.#placed ? this.#oldest : undefined,
    };
  }

  /**
   * Forgets everything up to a number, and wakes readers so that those who are behind notice.
   * @returns by how many bytes the log shrank
   */
  dropThrough(seq: number): number {
    const dropped = this.#entries.splice(0, Math.max(0, seq + 1 - this.#oldest));
    this.#oldest += dropped.length;
    this.#committed -= dropped.length;
    let bytes = 0;
    for (const entry of dropped) bytes += sizeOf(entry);
    if (dropped.length > 0) for (const listener of this.listeners) listener();
    return bytes;
  }
}

function sizeOf(entry: LogEntry): number {
  return entry.bytes + entryOverheadBytes;
}
