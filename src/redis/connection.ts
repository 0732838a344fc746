/**
 * One connection to Redis: to a server, or to all shards of a cluster (server-cluster.ts). It is used
 * until it breaks and is then replaced (redis-link.ts), so there is one way in which a connection is
 * lost: every command in flight there rejects at once, and whoever sent it decides whether it may be
 * repeated. Nothing is queued.
 */
import { createClient, ErrorReply } from "redis";
import { orAborted } from "../time/or-aborted.ts";

export interface RedisTimes {
  readonly connectTimeoutMs: number;
  readonly pingMs: number;
  /** A ping that takes longer means that the connection is dead. */
  readonly pingTimeoutMs: number;
  readonly maxReconnectDelayMs: number;
}

export const defaultRedisTimes: RedisTimes = {
  connectTimeoutMs: 5_000,
  pingMs: 1_000,
  pingTimeoutMs: 5_000,
  maxReconnectDelayMs: 1_000,
};

/** Where commands go. */
export interface RedisCommands {
  /** Whether all keys are in one place, so that a command may have any of them: not on a cluster. */
  readonly takesAnyKeys: boolean;
  /**
   * Sends a command, of which all keys are in one slot unless it takes any.
   * @param key one of them, by which a cluster finds the shard
   * @returns what Redis answered, as RESP3
   * @throws the connection's error, or what Redis answered in place of a reply
   */
  send<Reply>(key: string, command: readonly string[]): Promise<Reply>;
}

/** Whether Redis, or what stands before it, answered that it does not do what it was asked. */
export function isRefusal(cause: unknown): cause is Error {
  return cause instanceof ErrorReply;
}

/** A server that is pinged, and whose connection is destroyed when it does not answer. */
export interface Pinged {
  ping(): Promise<unknown>;
  destroy(): void;
}

export interface RedisConnection extends RedisCommands {
  /** Settles when a server is lost. The other shards of a cluster go on taking commands. */
  readonly broken: Promise<void>;
  readonly servers: readonly Pinged[];
  /** Closes it once another one is in its place: what is in flight may still be answered. */
  retire(): void;
  destroy(): void;
}

/** One try to connect. */
export interface Attempt {
  readonly times: RedisTimes;
  readonly signal: AbortSignal;
  /** Tries that failed, and the end of the connection before. */
  readonly failures: number;
}

export interface ConnectOptions extends Attempt {
  /** What `CLIENT LIST` shows. */
  readonly name: string;
}

type RedisClient = ReturnType<typeof newClient>;

/** Commands without an answer yet; beyond it they are refused. */
const maxCommandsInFlight = 50_000;

export class OneServer implements RedisConnection {
  readonly takesAnyKeys = true;
  /** @internal Left out of the published types, which may not need the types of an optional package. */
  readonly client: RedisClient;
  readonly broken: Promise<void>;

  private constructor(client: RedisClient) {
    this.client = client;
    this.broken = new Promise<void>((resolve) => client.once("terminated", () => resolve()));
    // The client's errors reach whoever sent a command; without a listener they would be thrown.
    client.on("error", () => {});
  }

  /** @throws the connection's error, or the signal's reason */
  static async connect(url: string, options: ConnectOptions): Promise<OneServer> {
    const server = new OneServer(newClient(url, options));
    try {
      await orAborted(server.client.connect(), options.signal);
      return server;
    } catch (cause) {
      server.destroy();
      throw cause;
    }
  }

  get servers(): readonly Pinged[] {
    return [this.client];
  }

  send<Reply>(_key: string, command: readonly string[]): Promise<Reply> {
    return this.client.sendCommand<Reply>(command);
  }

  /** Whether it belongs to a cluster. False where the user has no permission to ask. */
  async inClusterMode(): Promise<boolean> {
    try {
      return (await this.client.info("cluster")).includes("cluster_enabled:1");
    } catch (cause) {
      if (isRefusal(cause)) return false;
      throw cause;
    }
  }

  retire(): void {
    this.destroy();
  }

  destroy(): void {
    this.client.destroy();
  }
}

function newClient(url: string, options: ConnectOptions) {
  return createClient({ url, ...clientOptions(options) });
}

/** The same for every connection of a process. */
export function clientOptions({ name, times }: Pick<ConnectOptions, "name" | "times">) {
  return {
    name,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxCommandsInFlight,
    maintNotifications: "disabled",
    commandOptions: { timeout: 0 },
    socket: {
      connectTimeout: times.connectTimeoutMs,
      // Above the time between pings: it ends a handshake that is not answered.
      socketTimeout: times.pingMs + times.pingTimeoutMs,
      reconnectStrategy: false,
    },
  } as const;
}
