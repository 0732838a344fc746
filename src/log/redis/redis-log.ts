/**
 * The event log in Redis Streams, for many machines. One stream a conversation; any process reads it,
 * and the one that works on a run writes it, as long as nobody has taken the run over (scripts.ts).
 *
 * A reader sees only what Redis has acknowledged, on the writing process too. Readers of one
 * conversation in one process share a mirror (mirror.ts), which a doorbell wakes (doorbell.ts).
 */
import { setTimeout as delay } from "node:timers/promises";
import { LangwireError } from "../../protocol/errors.ts";
import {
  defaultLogBounds,
  type EventLog,
  type LeftBehind,
  type LogBounds,
  type MaybePromise,
  type OpenRun,
  type Slice,
} from "../log.ts";
import type { RedisTimes } from "./connection.ts";
import { Doorbell } from "./doorbell.ts";
import { KnownServers } from "./known-servers.ts";
import { Mirror } from "./mirror.ts";
import { readNewest, readStream } from "./read-stream.ts";
import { RedisLink } from "./redis-link.ts";
import { RedisRunWriter, type WriterTimes } from "./run-writer.ts";
import { type ConversationKeys, keysOf } from "./scripts.ts";
import { connectToOne, connectToRedis } from "./server-cluster.ts";

export interface RedisLogTimes extends RedisTimes, WriterTimes {
  /** A conversation that has been silent for as long is looked at by then: what a lost ring costs. */
  readonly checkMs: number;
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
const retryDelayMs = 100;
/** Each conversation's silence has a beginning of its own; to meet their ends, it looks so often. */
const checkSteps = 8;
/** The process's list of runs that it writes, kept for whoever takes them over. */
const openRunsMs = 24 * 60 * 60_000;

interface Followed {
  readonly mirror: Mirror;
  readonly ready: Promise<void>;
}

export class RedisLog implements EventLog {
  readonly link: RedisLink;
  readonly prefix: string;
  readonly #doorbell: Doorbell;
  readonly #options: RedisLogOptions;
  readonly #times: Omit<RedisLogTimes, keyof RedisTimes>;
  readonly #followed: Map<string, Followed>;
  readonly #writers = new Set<RedisRunWriter>();
  readonly #checks: NodeJS.Timeout;

  private constructor(
    options: RedisLogOptions,
    parts: { link: RedisLink; doorbell: Doorbell; followed: Map<string, Followed> },
  ) {
    this.#options = options;
    this.#times = timesOf(options);
    this.prefix = options.prefix ?? defaultPrefix;
    this.link = parts.link;
    this.#doorbell = parts.doorbell;
    this.#followed = parts.followed;
    const { checkMs } = this.#times;
    const stepMs = checkMs / checkSteps;
    this.#checks = setInterval(() => checkAll(this.#followed, checkMs - stepMs), stepMs).unref();
  }

  /** @throws LangwireError STORE_UNAVAILABLE when Redis cannot be reached in time */
  static async open(options: RedisLogOptions): Promise<RedisLog> {
    const { url, nodeId, times } = options;
    await using opening = new AsyncDisposableStack();
    const known = new KnownServers(url);
    const link = opening.use(
      await RedisLink.open({
        times,
        connect: (attempt) => connectToRedis(known, { ...attempt, name: `langwire-${nodeId}` }),
      }),
    );
    const followed = new Map<string, Followed>();
    const doorbell = opening.use(
      await Doorbell.open({
        times,
        connect: (attempt) => connectToOne(known, { ...attempt, name: `langwire-bell-${nodeId}` }),
        onMaybeMissed: () => checkAll(followed, 0),
      }),
    );
    opening.move();
    return new RedisLog(options, { link, doorbell, followed });
  }

  /** The connection for other rings than a conversation's. */
  get doorbell(): Doorbell {
    return this.#doorbell;
  }

  get healthy(): boolean {
    if (!this.link.ready || !this.#doorbell.ready) return false;
    for (const writer of this.#writers) if (!writer.healthy) return false;
    return true;
  }

  async open({ conversationId, runId, after, takeOver = false }: OpenRun): Promise<RedisRunWriter> {
    const { nodeId, mayRewrite } = this.#options;
    const openRuns = this.#openRunsKey(nodeId);
    // First: a crash in between leaves a run to look after that is none, and not the reverse.
    await this.#unlessAway(async () => {
      await Promise.all([
        this.link.send(openRuns, ["HSET", openRuns, runId, conversationId]),
        this.link.send(openRuns, ["PEXPIRE", openRuns, String(openRunsMs)]),
      ]);
    });
    const writer = await this.#unlessAway(() =>
      RedisRunWriter.open({
        link: this.link,
        keys: this.#keysOf(conversationId),
        runId,
        after,
        fence: nodeId,
        takeOver,
        times: this.#times,
        mayRewrite: async () =>
          takeOver || ((await mayRewrite?.({ conversationId, runId })) ?? true),
        onWritten: (entries) => this.#followed.get(conversationId)?.mirror.accept(entries),
        onDone: (done) => {
          this.#writers.delete(done);
          this.link.send(openRuns, ["HDEL", openRuns, runId]).catch(() => {});
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
    const slice = this.#followed.get(conversationId)?.mirror.read(after);
    return slice ?? this.#patiently(() => this.readStored(conversationId, after));
  }

  /** As `read`, and as of now: not what this process has heard of. @throws the connection's error */
  async readStored(conversationId: string, after: number): Promise<Slice> {
    const key = this.#keysOf(conversationId).events;
    const from = after + 1;
    const entries = await readStream(this.link, { key, from, count: sliceEntries });
    const [first] = entries;
    if (first !== undefined) return { entries, oldest: first.seq };
    const [newest] = await readNewest(this.link, key, 1);
    return { entries, oldest: newest?.seq };
  }

  async subscribe(conversationId: string, onChange: () => void): Promise<() => void> {
    let followed = this.#followed.get(conversationId);
    if (followed === undefined) {
      const keys = this.#keysOf(conversationId);
      const mirror = new Mirror(this.link, keys);
      const ready = this.#patiently(async () => {
        await this.#doorbell.subscribe(keys.bell, (message) => mirror.ring(message));
        await mirror.load();
      });
      followed = { mirror, ready };
      this.#followed.set(conversationId, followed);
    }
    const { mirror, ready } = followed;
    mirror.listeners.add(onChange);
    const leave = () => {
      mirror.listeners.delete(onChange);
      if (mirror.listeners.size > 0) return;
      if (this.#followed.get(conversationId)?.mirror !== mirror) return;
      this.#followed.delete(conversationId);
      void this.#doorbell.unsubscribe(this.#keysOf(conversationId).bell);
    };
    try {
      await ready;
    } catch (cause) {
      leave();
      throw cause;
    }
    return leave;
  }

  /** Nothing is found at boot: whoever is gone is found by the others, at any time. */
  leftBehind(): LeftBehind[] {
    return [];
  }

  /** The runs that a process was writing and has not put down. */
  async openRunsOf(nodeId: string): Promise<{ runId: string; conversationId: string }[]> {
    const key = this.#openRunsKey(nodeId);
    const runs = await this.link.send<Record<string, string>>(key, ["HGETALL", key]);
    return Object.entries(runs).map(([runId, conversationId]) => ({ runId, conversationId }));
  }

  /** To be called when all of them have been looked after. */
  async forgetOpenRunsOf(nodeId: string): Promise<void> {
    const key = this.#openRunsKey(nodeId);
    await this.link.send(key, ["DEL", key]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#checks);
    if (this.link.ready) {
      await Promise.all([...this.#writers].map((writer) => writer.flushed()));
    }
    for (const writer of this.#writers) writer.abandon();
    await this.#doorbell[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
  }

  #keysOf(conversationId: string): ConversationKeys {
    return keysOf(this.prefix, conversationId);
  }

  #openRunsKey(nodeId: string): string {
    return `${this.prefix}:open-runs:${nodeId}`;
  }

  /** @throws LangwireError STORE_UNAVAILABLE in place of a connection's errors */
  async #unlessAway<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof LangwireError) throw cause;
      throw new LangwireError("STORE_UNAVAILABLE", { cause });
    }
  }

  /** Tries again while Redis is away. @throws LangwireError STORE_UNAVAILABLE after the time limit */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + this.#times.timeoutMs;
    for (;;) {
      try {
        return await work();
      } catch (cause) {
        if (performance.now() > deadlineMs) throw new LangwireError("STORE_UNAVAILABLE", { cause });
        await delay(retryDelayMs, undefined, { ref: false });
      }
    }
  }
}

function timesOf({ bounds, times }: RedisLogOptions): Omit<RedisLogTimes, keyof RedisTimes> {
  const { retentionMs = defaultRedisLogTimes.retentionMs } = bounds ?? {};
  return { ...defaultRedisLogTimes, retentionMs, ...times };
}

function checkAll(followed: ReadonlyMap<string, Followed>, olderThanMs: number): void {
  for (const { mirror } of followed.values()) mirror.check(olderThanMs);
}
