/**
 * Writes one run's events to Redis, under its write lease. `append` only adds to the run's tail; one
 * script call at a time carries what has come together since the call before, with what other runs have
 * (append-calls.ts), so a slower Redis means larger groups.
 *
 *   writing ── taken over, and the store says so too ──▶ lost (OWNER_LOST): nothing is sent any more
 *      │ ▲
 *      ▼ │ Redis answers again: the tail is sent, from where Redis is
 *   unanswered ── longer than the limit ──▶ `lost` says STORE_UNAVAILABLE; it goes on trying, so that
 *                                           the run's end arrives when Redis is back
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { LangwireError } from "../../protocol/errors.ts";
import type { ChatEvent } from "../../protocol/events.ts";
import { isTextPiece } from "../../protocol/fold/text-pieces.ts";
import { backoffMs } from "../../time/backoff.ts";
import type { LogEntry } from "../entry.ts";
import type { RunWriter } from "../log.ts";
import { type Append, type AppendCalls, maxCallBytes } from "./append-calls.ts";
import { RunTail } from "./run-tail.ts";
import { type Refusal, WriteLease, type WriteLeaseOptions } from "./write-lease.ts";

export interface WriterOptions extends WriteLeaseOptions {
  readonly calls: AppendCalls;
  readonly onWritten: (entries: readonly LogEntry[]) => void;
  /** Called once, when nothing will be sent any more. */
  readonly onDone: (writer: RedisRunWriter) => void;
}

const maxBatchEntries = 512;
/** What a writer goes down to, by halves, while what it sends fails: it may be too large for Redis. */
const minBatchBytes = 4 * 1024;
/** Uncounted bytes from which an append has them counted. */
const countBytes = 64 * 1024;
const backoff = { firstMs: 50, maxMs: 500 };

export class RedisRunWriter implements RunWriter {
  readonly #options: WriterOptions;
  readonly #lost = new AbortController();
  readonly #lease: WriteLease;
  readonly #tail: RunTail;
  readonly #waiting: { readonly seq: number; readonly resolve: () => void }[] = [];
  /** Outside of the async context of the bot whose event comes first: sending is not its work. */
  readonly #begin = AsyncLocalStorage.bind(() => void this.#pump());
  #pumping = false;
  #closed = false;
  #checking = false;
  #done = false;
  #failingSinceMs: number | undefined;
  /** Whether the newest event was a piece of a text: the next piece may wait a moment for others'. */
  #speaks = false;
  /** When the run's keys in Redis have their time to live renewed next: not with each append. */
  #renewAtMs = 0;
  #maxBatchBytes = maxCallBytes;
  /** Of events that Redis has, and has not added to the conversation's bytes: not with each append. */
  #uncountedBytes = 0;

  private constructor(options: WriterOptions, lease: WriteLease) {
    this.#options = options;
    this.#lease = lease;
    this.#tail = new RunTail(lease.openedAfter);
  }

  /** @throws LangwireError OWNER_LOST when somebody else writes, STORE_UNAVAILABLE without Redis */
  static async open(options: WriterOptions): Promise<RedisRunWriter> {
    return new RedisRunWriter(options, await WriteLease.take(options));
  }

  get lastSeq(): number {
    return this.#tail.lastSeq;
  }

  /**
   * Aborted when the run cannot go on, with a LangwireError as its reason. After OWNER_LOST somebody
   * else has ended the run; after STORE_UNAVAILABLE it is still to be ended.
   */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** False while Redis does not take what is sent. */
  get healthy(): boolean {
    return this.#failingSinceMs === undefined;
  }

  append(event: ChatEvent): number {
    if (this.#done) return 0;
    const grownBytes = this.#tail.append(event);
    if (!this.#pumping) this.#begin();
    const speaks = isTextPiece(event);
    if (!(speaks && this.#speaks)) this.#options.calls.hurry();
    this.#speaks = speaks;
    return grownBytes;
  }

  flushed(): Promise<void> {
    const settled = this.#done || this.#lost.signal.aborted || this.#tail.isAcknowledged;
    if (settled) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ seq: this.lastSeq, resolve });
    return promise;
  }

  /** The tail has all of them until the run is over, so nothing has to be read from Redis. */
  entries(): readonly LogEntry[] {
    return this.#tail.entries;
  }

  /** Archived or not, it stays in Redis for its retention time: no process holds it there. */
  close(): void {
    this.#closed = true;
    this.#begin();
  }

  /** Finds out whether the run was taken over, also when there is nothing to append. */
  check(): void {
    this.#checking = true;
    this.#begin();
  }

  abandon(): void {
    if (this.#done) return;
    this.#done = true;
    this.#release(Number.POSITIVE_INFINITY);
    this.#options.onDone(this);
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let failures = 0; !this.#done && this.#hasWork; ) {
      try {
        await this.#step();
        failures = 0;
        this.#failingSinceMs = undefined;
        this.#maxBatchBytes = Math.min(2 * this.#maxBatchBytes, maxCallBytes);
      } catch (cause) {
        this.#failed(cause);
        await delay(backoffMs(failures++, backoff), undefined, { ref: false });
      }
    }
    this.#pumping = false;
  }

  get #hasWork(): boolean {
    return !this.#tail.isAcknowledged || this.#checking || this.#closed;
  }

  async #step(): Promise<void> {
    if (this.#tail.isAcknowledged && this.#closed && !this.#checking) {
      await this.#lease.giveBack(this.#uncountedBytes);
      return this.abandon();
    }
    this.#checking = false;
    let sent: Append | undefined;
    const answer = await this.#options.calls.send(() => {
      sent = this.#seal();
      return sent;
    });
    if (sent === undefined || answer === undefined) return;
    const { firstSeq, entries, bytes, liveMs, countedBytes } = sent;
    switch (answer.how) {
      case "ok":
        this.#uncountedBytes += bytes - countedBytes;
        if (liveMs > 0 && entries.length > 0) this.#renewAtMs = performance.now() + liveMs / 4;
        this.#tail.acknowledge(Math.min(answer.lastSeq, firstSeq + entries.length - 1));
        this.#options.onWritten(entries);
        this.#release(this.#tail.acknowledgedSeq);
        break;
      case "gap":
        // A failover lost what was acknowledged. The tail still has it, and sends it again.
        this.#tail.acknowledge(answer.lastSeq);
        break;
      case "lost":
      case "fenced":
      case "closed":
        await this.#reclaim(answer.how);
        break;
    }
  }

  /** What is sent next, as it is when the call is made. */
  #seal(): Append | undefined {
    if (this.#done) return undefined;
    const { keys, runId, times } = this.#options;
    const bounds = { maxEntries: maxBatchEntries, maxBytes: this.#maxBatchBytes };
    const { firstSeq, entries, bytes } = this.#tail.seal(bounds);
    const liveMs = performance.now() > this.#renewAtMs ? times.liveMs : 0;
    const countedBytes = this.#uncountedBytes > countBytes ? this.#uncountedBytes : 0;
    const alone = !this.healthy;
    return { keys, runId, liveMs, firstSeq, countedBytes, entries, bytes, alone };
  }

  /** Redis does not take this process for the run's writer. */
  async #reclaim(refusal: Refusal): Promise<void> {
    this.#renewAtMs = 0;
    const lastSeq = await this.#lease.reclaim(refusal);
    if (lastSeq === undefined) return this.#takenOver();
    this.#tail.acknowledge(lastSeq);
  }

  #failed(cause: unknown): void {
    this.#failingSinceMs ??= performance.now();
    this.#maxBatchBytes = Math.max(this.#maxBatchBytes / 2, minBatchBytes);
    const { timeoutMs, retentionMs } = this.#options.times;
    const failingMs = performance.now() - this.#failingSinceMs;
    if (failingMs > timeoutMs && !this.#lost.signal.aborted) {
      this.#lost.abort(new LangwireError("STORE_UNAVAILABLE", { cause }));
      this.#release(Number.POSITIVE_INFINITY);
    }
    // After so long the log would have let the run go: readers get its end from the store.
    if (this.#closed && failingMs > timeoutMs + retentionMs) this.abandon();
  }

  #takenOver(): void {
    if (!this.#lost.signal.aborted) this.#lost.abort(new LangwireError("OWNER_LOST"));
    this.abandon();
  }

  #release(acknowledgedSeq: number): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.seq > acknowledgedSeq) return;
      this.#waiting.shift();
      next.resolve();
    }
  }
}
