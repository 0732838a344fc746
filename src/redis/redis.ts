/**
 * Redis as one process opens it, once: a connection for commands, a subscribed one for notifications,
 * and the names under which this process and its keys are known there. Whatever lives in Redis (the
 * log, leases, broadcasts, limits) is given this one.
 */
import type { RedisTimes } from "./connection.ts";
import { KnownServers } from "./known-servers.ts";
import { Notifications } from "./notifications.ts";
import { RedisLink } from "./redis-link.ts";
import { connectToOne, connectToRedis } from "./server-cluster.ts";

export interface RedisOptions {
  /**
   * `redis://user:password@host:port/database`, `rediss://` with TLS, or `unix:///path`; of a cluster,
   * any of its servers.
   */
  readonly url: string;
  /** Begins every key and channel: deployments that share a Redis need different ones. */
  readonly prefix?: string | undefined;
  /** Names this process: it differs from every other's, and from that of the process before it. */
  readonly nodeId: string;
  readonly times?: Partial<RedisTimes> | undefined;
}

const defaultPrefix = "langwire";

export class Redis implements AsyncDisposable {
  readonly nodeId: string;
  readonly prefix: string;
  /** For commands. */
  readonly link: RedisLink;
  readonly notifications: Notifications;

  private constructor(
    { nodeId, prefix = defaultPrefix }: RedisOptions,
    { link, notifications }: { link: RedisLink; notifications: Notifications },
  ) {
    this.nodeId = nodeId;
    this.prefix = prefix;
    this.link = link;
    this.notifications = notifications;
  }

  /** @throws LangwireError STORE_UNAVAILABLE when Redis cannot be reached in time */
  static async open(options: RedisOptions): Promise<Redis> {
    const { url, nodeId, times } = options;
    await using opening = new AsyncDisposableStack();
    const known = new KnownServers(url);
    const link = opening.use(
      await RedisLink.open({
        times,
        connect: (attempt) => connectToRedis(known, { ...attempt, name: `langwire-${nodeId}` }),
      }),
    );
    const notifications = opening.use(
      await Notifications.open({
        times,
        connect: (attempt) => connectToOne(known, { ...attempt, name: `langwire-bell-${nodeId}` }),
      }),
    );
    opening.move();
    return new Redis(options, { link, notifications });
  }

  /** Whether Redis answers commands, and notifications arrive. */
  get ready(): boolean {
    return this.link.ready && this.notifications.ready;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.notifications[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
  }
}
