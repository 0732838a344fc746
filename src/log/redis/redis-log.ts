/**
 * The event log in Redis Streams, for many machines. One stream a conversation; any process reads it,
 * and the one that works on a run writes it, as long as nobody has taken the run over (scripts.ts).
 *
 * A reader sees only what Redis has acknowledged, on the writing process too. Readers of one
 * conversation in one process share a mirror (mirrors.ts), which a notifications wakes (notifications.ts).
 */

import type { RedisTimes } from "../../redis/connection.ts";
import { KnownServers } from "../../redis/known-servers.ts";
import { Notifications } from "../../redis/notifications.ts";
import { RedisLink } from "../../redis/redis-link.ts";
import { retryFor, unlessAway } from "../../redis/retry.ts";
import { connectToOne, connectToRedis } from "../../redis/server-cluster.ts";
import {
  defaultLogBounds,
  type EventLog,
  type LeftBehind,
  type LogBounds,
  type MaybePromise,
  type OpenRun,
  type Slice,
} from "../log.ts";
import { Mirrors, type MirrorTimes } from "./mirrors.ts";
import { OpenRuns } from "./open-runs.ts";
import { readNewest, readStream } from "./read-stream.ts";
import { RedisRunWriter, type WriterTimes } from "./run-writer.ts";
import { keysOf } from "./scripts.ts";

export interface RedisLogTimes extends RedisTimes, WriterTimes, MirrorTimes {
  /** How long Redis may be without an answer before whoever waits is told. */
  readonly timeoutMs: number;
}

export const defaultRedisLogTimes: Omit<RedisLogTimes, keyof RedisTimes> = {
  retentionMs: defaultLogBounds.retentionMs,
  maxConversationBytes: 16 * 1024 * 1024,
  liveMs: 60 * 60_000,
  timeoutMs: 10_000,
  checkMs: 5_000,
};

export interface RedisLogOptions {
  /**
   * `redis://user:password@host:port/database`, `rediss://` with TLS, or `unix:///path`; of a cluster,
   * any of its servers.
   */
  readonly url: string;
  /** Begins every key and channel: deployments that share a Redis need different ones. */
  readonly prefix?: string | undefined;
  /** Names this process: it differs from every other's, and from that of the process before it. */
  readonly nodeId: string;
  readonly bounds?: Pick<Partial<LogBounds>, "retentionMs"> | undefined;
  readonly times?: Partial<RedisLogTimes> | undefined;
  /**
   * Asked when Redis has forgotten a run that this process writes: whether nobody else has ended it.
   * Default: nobody has.
   */
  readonly mayRewrite?: (run: { conversationId: string; runId: string }) => Promise<boolean>;
}

const defaultPrefix = "langwire";
const sliceEntries = 256;

type LogTimes = Omit<RedisLogTimes, keyof RedisTimes>;

interface Parts {
  readonly prefix: string;
  readonly times: LogTimes;
  readonly link: RedisLink;
  readonly notifications: Notifications;
  readonly mirrors: Mirrors;
}

export class RedisLog implements EventLog {
  readonly prefix: string;
  readonly link: RedisLink;
  /** The connection for other rings than a conversation's, too. */
  readonly notifications: Notifications;
  readonly openRuns: OpenRuns;
  readonly #options: RedisLogOptions;
  readonly #times: LogTimes;
  readonly #mirrors: Mirrors;
  readonly #writers = new Set<RedisRunWriter>();

  private constructor(
    options: RedisLogOptions,
    { prefix, times, link, notifications, mirrors }: Parts,
  ) {
    this.#options = options;
    this.#times = times;
    this.#mirrors = mirrors;
    this.prefix = prefix;
    this.link = link;
    this.notifications = notifications;
    this.openRuns = new OpenRuns(link, prefix);
  }

  /** @throws LangwireError STORE_UNAVAILABLE when Redis cannot be reached in time */
  static async open(options: RedisLogOptions): Promise<RedisLog> {
    const { url, prefix = defaultPrefix, nodeId } = options;
    await using opening = new AsyncDisposableStack();
    const known = new KnownServers(url);
    const link = opening.use(
      await RedisLink.open({
        times: options.times,
        connect: (attempt) => connectToRedis(known, { ...attempt, name: `langwire-${nodeId}` }),
      }),
    );
    let mirrors: Mirrors | undefined;
    const notifications = opening.use(
      await Notifications.open({
        times: options.times,
        connect: (attempt) => connectToOne(known, { ...attempt, name: `langwire-bell-${nodeId}` }),
        onMaybeMissed: () => mirrors?.check(0),
      }),
    );
    opening.move();
    const times = timesOf(options);
    mirrors = new Mirrors({ link, notifications, prefix, times });
    return new RedisLog(options, { prefix, times, link, notifications, mirrors });
  }

  get healthy(): boolean {
    if (!this.link.ready || !this.notifications.ready) return false;
    for (const writer of this.#writers) if (!writer.healthy) return false;
    return true;
  }

  async open({ conversationId, runId, after, takeOver = false }: OpenRun): Promise<RedisRunWriter> {
    const { nodeId, mayRewrite } = this.#options;
    // First: a crash in between leaves a run to look after that is none, and not the reverse.
    await unlessAway(() => this.openRuns.add(nodeId, { runId, conversationId }));
    const writer = await unlessAway(() =>
      RedisRunWriter.open({
        link: this.link,
        keys: keysOf(this.prefix, conversationId),
        runId,
        after,
        fence: nodeId,
        takeOver,
        times: this.#times,
        mayRewrite: async () =>
          takeOver || ((await mayRewrite?.({ conversationId, runId })) ?? true),
        onWritten: (entries) => this.#mirrors.get(conversationId)?.accept(entries),
        onDone: (done) => {
          this.#writers.delete(done);
          this.openRuns.remove(nodeId, runId);
        },
      }),
    );
    this.#writers.add(writer);
    return writer;
  }

  /** Asks Redis, for every run that this process writes, whether it was taken over. */
  checkWriters(): void {
    for (const writer of this.#writers) writer.check();
  }

  read(conversationId: string, after: number): MaybePromise<Slice> {
    const slice = this.#mirrors.get(conversationId)?.read(after);
    const { timeoutMs } = this.#times;
    return slice ?? retryFor(timeoutMs, () => this.readStored(conversationId, after));
  }

  /** As `read`, and as of now: not what this process has heard of. @throws the connection's error */
  async readStored(conversationId: string, after: number): Promise<Slice> {
    const key = keysOf(this.prefix, conversationId).events;
    const from = after + 1;
    for (;;) {
      const entries = await readStream(this.link, { key, from, count: sliceEntries });
      const [first] = entries;
      if (first !== undefined) return { entries, oldest: first.seq };
      const [newest] = await readNewest(this.link, key, 1);
      // Else it has come between the two questions.
      if (newest === undefined || newest.seq <= after) return { entries, oldest: newest?.seq };
    }
  }

  subscribe(conversationId: string, onChange: () => void): Promise<() => void> {
    return this.#mirrors.follow(conversationId, onChange);
  }

  /** Nothing is found at boot: whoever is gone is found by the others, at any time. */
  leftBehind(): LeftBehind[] {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#mirrors[Symbol.dispose]();
    if (this.link.ready) {
      await Promise.all([...this.#writers].map((writer) => writer.flushed()));
    }
    for (const writer of this.#writers) writer.abandon();
    await this.notifications[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
  }
}

function timesOf({ bounds, times }: RedisLogOptions): LogTimes {
  const { retentionMs = defaultRedisLogTimes.retentionMs } = bounds ?? {};
  return { ...defaultRedisLogTimes, retentionMs, ...times };
}
