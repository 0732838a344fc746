/**
 * The event log in Redis Streams, for many machines. One stream a conversation; any process reads it,
 * and the one that works on a run writes it, as long as nobody has taken the run over (scripts.ts).
 *
 * A reader sees only what Redis has acknowledged, on the writing process too. Readers of one
 * conversation in one process share a mirror (mirrors.ts), which a notification wakes.
 */

import { LangwireError } from "../../protocol/errors.ts";
import type { Redis } from "../../redis/redis.ts";
import { orUnavailable, retryFor } from "../../redis/retry.ts";
import { within } from "../../time/within.ts";
import type { LogEntry } from "../entry.ts";
import {
  defaultLogBounds,
  type Forgotten,
  type LeftBehind,
  type ListedRun,
  type LogBounds,
  type MaybePromise,
  type OpenRun,
  type SharedLog,
  type Slice,
} from "../log.ts";
import { AppendCalls } from "./append-calls.ts";
import { Mirrors, type MirrorTimes } from "./mirrors.ts";
import { OpenRuns } from "./open-runs.ts";
import { readEntries, readNewestEntries } from "./read-entries.ts";
import { forgetScript, keysOf } from "./run-scripts.ts";
import { RedisRunWriter } from "./run-writer.ts";
import type { WriterTimes } from "./write-lease.ts";

export interface RedisLogTimes extends WriterTimes, MirrorTimes {
  /** How long Redis may be without an answer before whoever waits gets STORE_UNAVAILABLE. */
  readonly timeoutMs: number;
}

const defaultTimes: RedisLogTimes = {
  retentionMs: defaultLogBounds.retentionMs,
  maxConversationBytes: 16 * 1024 * 1024,
  liveMs: 60 * 60_000,
  timeoutMs: 10_000,
  checkMs: 5_000,
};

export interface RedisLogOptions {
  /** Stays the caller's, who closes it after the log. */
  readonly redis: Redis;
  readonly bounds?: Pick<Partial<LogBounds>, "retentionMs"> | undefined;
  readonly times?: Partial<RedisLogTimes> | undefined;
  /**
   * Asked when Redis does not take this process for a run's writer any more: whether the store has the
   * run in progress as this process's. Default: Redis is believed.
   */
  readonly isOurs?: ((run: ListedRun) => Promise<boolean>) | undefined;
}

/** Entries that are read at once: of long events, that is some MiB. */
const sliceEntries = 64;
/** How long a process that leaves waits for its last events to be taken. */
const lastEventsMs = 1_000;

export class RedisLog implements SharedLog {
  readonly #redis: Redis;
  readonly #times: RedisLogTimes;
  readonly #isOurs: RedisLogOptions["isOurs"];
  readonly #mirrors: Mirrors;
  readonly #openRuns: OpenRuns;
  readonly #calls: AppendCalls;
  readonly #writers = new Set<RedisRunWriter>();

  constructor({ redis, bounds, times, isOurs }: RedisLogOptions) {
    const { retentionMs = defaultTimes.retentionMs } = bounds ?? {};
    this.#redis = redis;
    this.#times = { ...defaultTimes, retentionMs, ...times };
    this.#isOurs = isOurs;
    this.#mirrors = new Mirrors(redis, this.#times);
    this.#openRuns = new OpenRuns(redis);
    this.#calls = new AppendCalls(redis.link, redis.nodeId);
  }

  /** One conversation whose slot takes no writes fails by itself, and says nothing of the others. */
  get healthy(): boolean {
    return this.#redis.ready;
  }

  async open({ conversationId, runId, after, takeOver = false }: OpenRun): Promise<RedisRunWriter> {
    const { link, prefix, nodeId } = this.#redis;
    const isOurs = this.#isOurs;
    const run = { conversationId, runId };
    // Listed first: after a crash in between, the list names a run that was never written. The other
    // way round, a run could be written that nobody finds.
    await orUnavailable(() => this.#openRuns.add(run));
    const writer = await orUnavailable(() =>
      RedisRunWriter.open({
        link,
        calls: this.#calls,
        keys: keysOf(prefix, conversationId),
        runId,
        after,
        fencingToken: nodeId,
        takeOver,
        times: this.#times,
        isOurs: isOurs && (() => isOurs(run)),
        onWritten: (entries) => this.#mirrors.get(conversationId)?.accept(entries),
        onDone: (done) => {
          this.#writers.delete(done);
          this.#openRuns.remove(runId);
        },
      }),
    ).catch((cause: unknown) => {
      // It is over, or another process's: nothing of it is left behind here.
      if (cause instanceof LangwireError && cause.code === "OWNER_LOST") {
        this.#openRuns.remove(runId);
      }
      throw cause;
    });
    this.#writers.add(writer);
    return writer;
  }

  checkWriters(): void {
    for (const writer of this.#writers) writer.check();
  }

  read(conversationId: string, after: number): MaybePromise<Slice> {
    const slice = this.#mirrors.get(conversationId)?.read(after);
    const { timeoutMs } = this.#times;
    return slice ?? retryFor(timeoutMs, () => this.readStored(conversationId, after));
  }

  async readStored(conversationId: string, after: number): Promise<Slice> {
    const key = keysOf(this.#redis.prefix, conversationId).events;
    const from = after + 1;
    for (;;) {
      const entries = await readEntries(this.#redis.link, { key, from, maxEntries: sliceEntries });
      const [first] = entries;
      if (first !== undefined) return { entries, oldest: first.seq };
      const [newest] = await readNewestEntries(this.#redis.link, key, 1);
      // Else it has come between the two questions.
      if (newest === undefined || newest.seq <= after) return { entries, oldest: newest?.seq };
    }
  }

  async readNewest(conversationId: string): Promise<LogEntry | undefined> {
    const key = keysOf(this.#redis.prefix, conversationId).events;
    const [newest] = await readNewestEntries(this.#redis.link, key, 1);
    return newest;
  }

  subscribe(conversationId: string, onChange: () => void): Promise<() => void> {
    return this.#mirrors.follow(conversationId, onChange);
  }

  async forget(what: readonly Forgotten[]): Promise<void> {
    const { link, prefix } = this.#redis;
    for (const { conversationId, through } of what) {
      const { events, lease, ended } = keysOf(prefix, conversationId);
      // A run that is still written has lost its lease with it, and nobody gives it back.
      if (through === undefined) await link.send(events, ["DEL", events, lease, ended]);
      else await forgetScript.run(link, [events, lease, ended], [through]);
    }
  }

  openRunsOf(nodeId: string): Promise<ListedRun[]> {
    return this.#openRuns.of(nodeId);
  }

  forgetOpenRunsOf(nodeId: string): Promise<void> {
    return this.#openRuns.forget(nodeId);
  }

  get interruptions(): number {
    return this.#redis.notifications.interruptions;
  }

  /** None at boot: what a process left behind is found by the others, at any time. */
  leftBehind(): LeftBehind[] {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#mirrors[Symbol.dispose]();
    if (this.#redis.link.ready) {
      // A Redis that stands still takes nothing; what it has not got, the store has.
      await within(Promise.all([...this.#writers].map((writer) => writer.flushed())), lastEventsMs);
    }
    for (const writer of this.#writers) writer.abandon();
  }
}
