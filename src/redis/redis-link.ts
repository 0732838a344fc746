/**
 * The way to Redis, which comes back by itself: one connection (connection.ts) at a time, replaced when
 * it breaks.
 *
 * A network that swallows packets breaks nothing by itself: writes still succeed, and no timeout of
 * the socket runs as long as there are any. So a ping that is not answered ends the connection.
 */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { LangwireError } from "../protocol/errors.ts";
import { backoffMs } from "../time/backoff.ts";
import { orAborted } from "../time/or-aborted.ts";
import { within } from "../time/within.ts";
import {
  type Attempt,
  defaultRedisTimes,
  isRefusal,
  type Pinged,
  type RedisCommands,
  type RedisConnection,
  type RedisTimes,
} from "./connection.ts";

export interface RedisLinkOptions<Connection extends RedisConnection> {
  readonly connect: (attempt: Attempt) => Promise<Connection>;
  readonly times?: Partial<RedisTimes> | undefined;
  /** Called with every new connection before it counts as ready. */
  readonly onConnect?: (connection: Connection) => Promise<void>;
}

const firstReconnectDelayMs = 20;

export class RedisLink<Connection extends RedisConnection = RedisConnection>
  implements RedisCommands, AsyncDisposable
{
  readonly #options: RedisLinkOptions<Connection>;
  readonly #times: RedisTimes;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  /** The newest one, broken or not. */
  #connection: Connection | undefined;
  /** Whether every server of the connection answers. */
  #complete = false;
  #replaced = new AbortController();
  /** Why there was no connection, the last time that there was none. */
  #failure: unknown;
  #ready = Promise.withResolvers<void>();

  private constructor(options: RedisLinkOptions<Connection>) {
    this.#options = options;
    this.#times = { ...defaultRedisTimes, ...options.times };
    this.#done = this.#keepConnected();
  }

  /** @throws LangwireError STORE_UNAVAILABLE when Redis cannot be reached in time */
  static async open<Connection extends RedisConnection>(
    options: RedisLinkOptions<Connection>,
  ): Promise<RedisLink<Connection>> {
    const link = new RedisLink(options);
    try {
      await link.whenReady(link.#times.connectTimeoutMs);
      return link;
    } catch (cause) {
      await link[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** Whether Redis answers; of a cluster, every shard. */
  get ready(): boolean {
    return this.#complete;
  }

  /** @throws LangwireError STORE_UNAVAILABLE when there is no connection in time */
  async whenReady(timeoutMs: number): Promise<void> {
    if (this.ready) return;
    const isReady = await within(
      this.#ready.promise.then(() => true),
      timeoutMs,
    );
    if (isReady === undefined)
      throw new LangwireError("STORE_UNAVAILABLE", { cause: this.#failure });
  }

  /**
   * The connection of the moment.
   * @throws LangwireError STORE_UNAVAILABLE while there is none
   */
  get connection(): Connection {
    if (this.#connection === undefined || !this.#complete) {
      throw new LangwireError("STORE_UNAVAILABLE");
    }
    return this.#connection;
  }

  get takesAnyKeys(): boolean {
    return this.#connection?.takesAnyKeys ?? false;
  }

  /** While a shard of a cluster is away, the others still take commands. */
  async send<Reply>(key: string, command: readonly string[]): Promise<Reply> {
    if (this.#connection === undefined) throw new LangwireError("STORE_UNAVAILABLE");
    return this.#connection.send<Reply>(key, command);
  }

  isRefusal(cause: unknown): cause is Error {
    return isRefusal(cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#done;
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing;
    const { maxReconnectDelayMs: maxMs } = this.#times;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const connection = await this.#connect(failures);
        failures = 0;
        await this.#untilBroken(connection);
      } catch (cause) {
        // Not reachable, or broken while being prepared: tried again below.
        this.#failure = cause;
      }
      const waitMs = backoffMs(failures, { firstMs: firstReconnectDelayMs, maxMs });
      await delay(waitMs, undefined, { signal }).catch(() => {});
    }
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  async #connect(failures: number): Promise<Connection> {
    const { connect, onConnect } = this.#options;
    const { signal } = this.#closing;
    const connection = await connect({ times: this.#times, signal, failures });
    try {
      await orAborted(onConnect?.(connection) ?? Promise.resolve(), signal);
    } catch (cause) {
      connection.destroy();
      throw cause;
    }
    this.#replaced.abort();
    this.#replaced = new AbortController();
    this.#connection?.retire();
    this.#connection = connection;
    this.#complete = true;
    this.#ready.resolve();
    return connection;
  }

  async #untilBroken(connection: Connection): Promise<void> {
    const { promise: timedOut, resolve } = Promise.withResolvers<void>();
    void this.#keepPinging(connection, resolve);
    try {
      await orAborted(Promise.race([connection.broken, timedOut]), this.#closing.signal);
    } finally {
      this.#complete = false;
      this.#ready = Promise.withResolvers();
    }
  }

  /** Until it is replaced, also once it is broken: the shards that are left may time out too. */
  async #keepPinging(connection: Connection, onTimeout: () => void): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, this.#replaced.signal]);
    const { pingMs, pingTimeoutMs } = this.#times;
    while (!signal.aborted) {
      await delay(pingMs, undefined, { ref: false, signal }).catch(() => {});
      if (signal.aborted) return;
      const answers = connection.servers.map((server) => answersIn(server, pingTimeoutMs));
      if (!(await Promise.all(answers)).every(Boolean)) onTimeout();
    }
  }
}

/** Destroys the connection to a server that does not answer in time. */
async function answersIn(server: Pinged, pingTimeoutMs: number): Promise<boolean> {
  let answered = false;
  const answer = server.ping().then(
    () => {
      answered = true;
    },
    () => {},
  );
  await within(answer, pingTimeoutMs);
  // When this process itself was busy, the answer is still to be read.
  for (let turns = 0; turns < 3 && !answered; turns++) await turn();
  if (!answered) server.destroy();
  return answered;
}
