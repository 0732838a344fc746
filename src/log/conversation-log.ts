/** The events of one conversation in memory: what is readable, and what waits for the commit. */
import type { ChatEvent } from "../protocol/events.ts";
import type { LogEntry } from "./entry.ts";
import { EntryList } from "./entry-list.ts";
import { Listeners } from "./listeners.ts";
import type { Slice } from "./log.ts";

export class ConversationLog {
  readonly conversationId: string;
  readonly listeners = new Listeners();
  /** The run that writes at the moment. */
  writingRunId: string | undefined;
  /** Settles when it has stopped writing. */
  writing: PromiseWithResolvers<void> | undefined;
  /** Settled entries are committed, and so readable. */
  readonly #list = new EntryList(0);
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
    this.#list.restartAfter(seq);
    this.#placed = true;
    return bytes;
  }

  /** The number of the first entry in memory, or of the next one when there is none. */
  get oldest(): number {
    return this.#list.firstSeq;
  }

  get lastSeq(): number {
    return this.#list.lastSeq;
  }

  /** The number of the last entry that is readable. */
  get committedSeq(): number {
    return this.#list.settledSeq;
  }

  get last(): LogEntry | undefined {
    return this.#list.entries.at(-1);
  }

  get isEmpty(): boolean {
    return this.#list.entries.length === 0;
  }

  get pending(): readonly LogEntry[] {
    return this.#list.between(this.#list.settledSeq + 1, this.lastSeq);
  }

  get hasPending(): boolean {
    return this.#list.settledSeq < this.lastSeq;
  }

  /** @returns by how many bytes the log grew */
  append(event: ChatEvent): number {
    return this.#list.append(event);
  }

  /**
   * Takes back an event that storage kept. Of a run with a hole in it, only what is before the hole
   * and its end are taken.
   * @returns by how many bytes the log grew
   */
  restore(seq: number, event: ChatEvent): number {
    const { last } = this;
    const isHole = last !== undefined && seq > last.seq + 1 && last.runId === event.runId;
    const isKnown = this.#placed && seq <= this.lastSeq;
    if (isKnown || (isHole && event.type !== "runEnd")) return 0;
    const droppedBytes = this.placeAfter(seq - 1);
    const bytes = this.#list.append(event);
    this.#list.settleThrough(seq);
    this.#list.holdAsSaid();
    return bytes - droppedBytes;
  }

  /** Those from one number to another, both included, as far as they are here. */
  between(firstSeq: number, lastSeq: number): readonly LogEntry[] {
    return this.#list.between(firstSeq, lastSeq);
  }

  /** The ends of the runs, oldest first. */
  get ends(): readonly LogEntry[] {
    return this.#list.entries.filter(({ type }) => type === "runEnd");
  }

  /** Whether a run is in the log that has no end, and whether the log has it from its start on. */
  get unended(): "none" | "whole" | "part" {
    const { last } = this;
    if (last === undefined || last.type === "runEnd") return "none";
    const start = this.#list.entries.find(({ runId }) => runId === last.runId);
    return start?.type === "runStart" ? "whole" : "part";
  }

  commit(): void {
    this.#list.settleThrough(this.lastSeq);
    this.listeners.wake();
    this.#list.holdAsSaid();
  }

  read(after: number): Slice {
    const shared = this.listeners.sliceAfter(after);
    if (shared !== undefined) return shared;
    const entries = this.#list.settledAfter(after);
    const oldest = this.#placed ? this.oldest : undefined;
    const isLast = entries.length === 0 || entries.at(-1)?.seq === this.committedSeq;
    return this.listeners.share(after, { entries, oldest, isLast });
  }

  /**
   * Forgets everything up to a number, and wakes readers so that those who are behind notice.
   * @returns by how many bytes the log shrank
   */
  dropThrough(seq: number): number {
    const before = this.oldest;
    const bytes = this.#list.dropThrough(seq);
    if (this.oldest !== before) this.listeners.wake();
    return bytes;
  }
}
