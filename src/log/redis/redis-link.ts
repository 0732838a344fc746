/**
 * One connection to Redis that comes back by itself.
 *
 * Each client is used until it breaks and is then replaced, so there is one way in which a
 * connection is lost: every command in flight rejects at once, and whoever sent it decides whether it
 * may be repeated. Nothing is queued while Redis is away.
 *
 * A network that swallows packets breaks nothing by itself: writes still succeed, and no timeout of
 * the socket runs as long as there are any. So a ping that is not answered ends the client.
 */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { createClient } from "redis";
import { LangwireError } from "../../protocol/errors.ts";

export interface RedisTimes {
  readonly connectTimeoutMs: number;
  readonly pingMs: number;
  /** A ping that takes longer means that the connection is dead. */
  readonly silenceMs: number;
  readonly maxReconnectDelayMs: number;
}

export const defaultRedisTimes: RedisTimes = {
  connectTimeoutMs: 5_000,
  pingMs: 1_000,
  silenceMs: 5_000,
  maxReconnectDelayMs: 1_000,
};

export interface RedisLinkOptions {
  /** `redis://user:password@host:port/database`, `rediss://` with TLS, or `unix:///path`. */
  readonly url: string;
  /** What `CLIENT LIST` shows. */
  readonly name: string;
  readonly times?: Partial<RedisTimes> | undefined;
  /** Called with every new connection before it counts as ready. */
  readonly onConnect?: (client: RedisClient) => Promise<void>;
}

export type RedisClient = ReturnType<typeof newClient>;

/** Where commands go. */
export type RedisCommands = Pick<RedisLink, "client">;

/** Commands that may wait for their answers; beyond it they are refused. */
const maxCommandsInFlight = 50_000;
const firstReconnectDelayMs = 20;

export class RedisLink implements AsyncDisposable {
  readonly #options: RedisLinkOptions;
  readonly #times: RedisTimes;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #client: RedisClient | undefined;
  /** Why there was no connection, the last time that there was none. */
  #failure: unknown;
  #ready = Promise.withResolvers<void>();

  private constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#times = { ...defaultRedisTimes, ...options.times };
    this.#done = this.#keepConnected();
  }

  /** @throws LangwireError STORE_UNAVAILABLE when Redis cannot be reached in time */
  static async open(options: RedisLinkOptions): Promise<RedisLink> {
    const link = new RedisLink(options);
    try {
      await link.whenReady(link.#times.connectTimeoutMs);
      return link;
    } catch (cause) {
      await link[Symbol.asyncDispose]();
      throw cause;
    }
  }

  get ready(): boolean {
    return this.#client !== undefined;
  }

  /** @throws LangwireError STORE_UNAVAILABLE when there is no connection in time */
  async whenReady(timeoutMs: number): Promise<void> {
    if (this.ready) return;
    const timeout = new AbortController();
    const late = delay(timeoutMs, "late", { signal: timeout.signal }).catch(() => "late");
    const what = await Promise.race([this.#ready.promise, late]);
    timeout.abort();
    if (what === "late") throw new LangwireError("STORE_UNAVAILABLE", { cause: this.#failure });
  }

  /**
   * The client of the moment.
   * @throws LangwireError STORE_UNAVAILABLE while there is none
   */
  get client(): RedisClient {
    if (this.#client === undefined) throw new LangwireError("STORE_UNAVAILABLE");
    return this.#client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#done;
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing;
    const { maxReconnectDelayMs } = this.#times;
    for (let failures = 0; !signal.aborted; failures++) {
      const client = newClient(this.#options, this.#times);
      const broken = new Promise<void>((resolve) => client.once("terminated", () => resolve()));
      // The client's errors reach whoever sent a command; without a listener they would be thrown.
      client.on("error", () => {});
      const closed = new AbortController();
      const onClosing = () => closed.abort();
      signal.addEventListener("abort", onClosing, { once: true });
      try {
        await orAborted(client.connect(), signal);
        await orAborted(this.#options.onConnect?.(client) ?? Promise.resolve(), signal);
        failures = 0;
        this.#client = client;
        this.#ready.resolve();
        await Promise.race([broken, this.#silence(client, closed.signal)]);
      } catch (cause) {
        // Not reachable, or broken while being prepared: tried again below.
        this.#failure = cause;
      } finally {
        closed.abort();
        signal.removeEventListener("abort", onClosing);
        if (this.#client !== undefined) this.#ready = Promise.withResolvers();
        this.#client = undefined;
        client.destroy();
      }
      const backoffMs = Math.min(firstReconnectDelayMs * 2 ** failures, maxReconnectDelayMs);
      await delay(backoffMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    }
  }

  /** Settles when the client does not answer any more, or the signal comes. */
  async #silence(client: RedisClient, signal: AbortSignal): Promise<void> {
    const { pingMs, silenceMs } = this.#times;
    while (!signal.aborted) {
      await delay(pingMs, undefined, { ref: false, signal }).catch(() => {});
      if (signal.aborted) return;
      let answered = false;
      const answer = client.ping().then(
        () => {
          answered = true;
        },
        () => {},
      );
      const timeout = new AbortController();
      const late = delay(silenceMs, undefined, { ref: false, signal: timeout.signal });
      await Promise.race([answer, late.catch(() => {})]);
      timeout.abort();
      // When this process itself was busy, the answer is still to be read.
      for (let turns = 0; turns < 3 && !answered; turns++) await turn();
      if (!answered) return;
    }
  }
}

function newClient({ url, name }: RedisLinkOptions, times: RedisTimes) {
  return createClient({
    url,
    name,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxCommandsInFlight,
    maintNotifications: "disabled",
    commandOptions: { timeout: 0 },
    socket: {
      connectTimeout: times.connectTimeoutMs,
      // Above the time between pings: it ends a handshake that is not answered.
      socketTimeout: times.pingMs + times.silenceMs,
      reconnectStrategy: false,
    },
  });
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => {});
  }
}
