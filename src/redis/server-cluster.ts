/**
 * All shards of a Redis Cluster as one connection. node-redis knows which slot is where, and follows
 * `MOVED` and `ASK`.
 *
 * Its connections to single shards do not come back by themselves. When one breaks, commands for that
 * shard reject at once, the others' are served on, and the link replaces the whole: a new one asks anew
 * who has which slots. So a failover is found by whoever answers, and there is one way back.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createCluster } from "redis";
import { orAborted } from "../time/or-aborted.ts";
import {
  type ConnectOptions,
  clientOptions,
  OneServer,
  type Pinged,
  type RedisConnection,
} from "./connection.ts";
import type { Address, KnownServers } from "./known-servers.ts";

/** How long a slot that is on its way from one shard to another is waited for. */
const maxMovingMs = 2_000;
const movingRetryMs = 20;

type Cluster = ReturnType<typeof newCluster>;

/** Connects to the next server that is known. @throws the connection's error, or the signal's reason */
export function connectToOne(known: KnownServers, options: ConnectOptions): Promise<OneServer> {
  return OneServer.connect(known.next(), { ...options, signal: known.deadline(options) });
}

/**
 * Connects to the next server that is known, and where it is one of a cluster's, to all shards.
 * @throws the connection's error, or the signal's reason
 */
export async function connectToRedis(
  known: KnownServers,
  given: ConnectOptions,
): Promise<RedisConnection> {
  const options = { ...given, signal: known.deadline(given) };
  const server = await OneServer.connect(known.next(), options);
  let isWhole = false;
  try {
    isWhole = !(await orAborted(server.inClusterMode(), options.signal));
    return isWhole ? server : await ServerCluster.connect(server, known, options);
  } finally {
    if (!isWhole) server.destroy();
  }
}

class ServerCluster implements RedisConnection {
  readonly takesAnyKeys = false;
  readonly #cluster: Cluster;
  readonly broken: Promise<void>;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.broken = promise;
    cluster.on("node-error", () => {
      if (cluster.masters.some(({ client }) => client?.isOpen !== true)) resolve();
    });
    // These reach whoever sent a command; without a listener they would be thrown.
    cluster.on("error", () => {});
  }

  /** @param member any server of the cluster */
  static async connect(
    member: OneServer,
    known: KnownServers,
    options: ConnectOptions,
  ): Promise<ServerCluster> {
    const cluster = newCluster(member, options);
    const connection = new ServerCluster(cluster);
    const connecting = cluster.connect();
    try {
      await orAborted(connecting, options.signal);
      if (cluster.masters.length === 0) throw new Error("a Redis Cluster without shards");
      known.learn(cluster.masters.map((shard) => reachable(shard, member)));
      return connection;
    } catch (cause) {
      connection.destroy();
      // It may be about to connect to shards, which it does then all the same.
      connecting.catch(() => {}).finally(() => connection.destroy());
      throw cause;
    }
  }

  get servers(): readonly Pinged[] {
    return this.#cluster.masters.map((shard) => ({
      ping: async () => (await this.#cluster.nodeClient(shard)).ping(),
      destroy: () => shard.client?.destroy(),
    }));
  }

  async send<Reply>(key: string, command: readonly string[]): Promise<Reply> {
    for (const untilMs = performance.now() + maxMovingMs; ; ) {
      try {
        return await this.#cluster.sendCommand<Reply>(key, false, [...command]);
      } catch (cause) {
        if (!isMoving(cause) || performance.now() > untilMs) throw cause;
        await delay(movingRetryMs, undefined, { ref: false });
      }
    }
  }

  retire(): void {
    this.#cluster.close().catch(() => {});
  }

  destroy(): void {
    this.#cluster.destroy();
  }
}

/**
 * Whether the command was not carried out since its slot is moving: some of its keys are there already,
 * or where they go is a shard that nobody has named yet.
 */
function isMoving(cause: unknown): boolean {
  return cause instanceof Error && /^(TRYAGAIN|Cannot find node)\b/.test(cause.message);
}

function newCluster(member: OneServer, options: ConnectOptions) {
  const { credentialsProvider, socket: memberSocket } = member.client.options ?? {};
  const { socket, ...client } = clientOptions(options);
  const tls = memberSocket !== undefined && "tls" in memberSocket && memberSocket.tls === true;
  return createCluster({
    rootNodes: [{ socket: addressOf(member) }],
    defaults: {
      ...client,
      ...(credentialsProvider && { credentialsProvider }),
      socket: tls ? { ...socket, tls } : socket,
    },
    nodeAddressMap: (address) => {
      const colon = address.lastIndexOf(":");
      return reachable(
        { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) },
        member,
      );
    },
  });
}

function addressOf(member: OneServer): Address {
  const { socket = {} } = member.client.options ?? {};
  return {
    host: ("host" in socket && socket.host) || "localhost",
    port: ("port" in socket && socket.port) || 6379,
  };
}

/** A server that does not know its own address leaves it out, or says `?`: it is the one asked. */
function reachable({ host, port }: Address, member: OneServer): Address {
  const unknown = [null, "", "null", "?"].includes(host);
  return unknown ? { host: addressOf(member).host, port } : { host, port };
}
