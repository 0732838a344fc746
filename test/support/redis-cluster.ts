/** A real Redis Cluster for tests: three shards on this machine, one of them with a replica. */
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { startRedis, type TestRedis } from "./redis.ts";

export interface TestRedisCluster extends AsyncDisposable {
  /** Of the first shard. */
  readonly url: string;
  readonly shards: readonly [TestRedis, TestRedis, TestRedis];
  /** Of the first shard: it takes over when that is killed. */
  readonly replica: TestRedis;
  /** Runs one command on the shard that has its key; the key comes right after the command's name. */
  command<T>(...args: string[]): Promise<T>;
  /** The shard that has a key. */
  shardOf(key: string): Promise<TestRedis>;
  /** Moves a key's slot to another shard. @param halfway called when half of the slot's keys are there */
  moveSlotOf(key: string, to: TestRedis, halfway: () => Promise<void>): Promise<void>;
  /** Settles when all slots are served, and the replica is as far as its shard. */
  untilWhole(): Promise<void>;
}

const slots = 16_384;
const deadlineMs = 30_000;

export async function startRedisCluster(): Promise<TestRedisCluster> {
  await using starting = new AsyncDisposableStack();
  const started = await Promise.all(
    Array.from({ length: 4 }, async () => {
      // Its own choice, 10000 above the port, may be none.
      const busPort = await freePort();
      const cluster = ["--cluster-enabled", "yes", "--cluster-port", String(busPort)];
      const soon = ["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"];
      return { redis: starting.use(await startRedis([...cluster, ...soon])), busPort };
    }),
  );
  const [first, second, third, replica] = started.map(({ redis }) => redis);
  if (!first || !second || !third || !replica) throw new Error("four servers were started");
  const shards = [first, second, third] as const;
  const servers = [...shards, replica];

  const edges = [0, 1, 2, 3].map((third) => Math.floor((third * slots) / 3));
  for (const [index, shard] of shards.entries()) {
    const [from = 0, to = 0] = edges.slice(index);
    await shard.command("CLUSTER", "ADDSLOTSRANGE", String(from), String(to - 1));
    await shard.command("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
  }
  for (const { redis, busPort } of started.slice(1)) {
    await first.command("CLUSTER", "MEET", "127.0.0.1", String(redis.port), String(busPort));
  }
  await everywhere((info) => info.includes("cluster_known_nodes:4"));
  await until(() =>
    first.command<string>("CLUSTER", "MYID").then((id) =>
      replica.command("CLUSTER", "REPLICATE", id).then(
        () => true,
        () => false,
      ),
    ),
  );
  await untilWhole();

  async function everywhere(is: (info: string) => boolean): Promise<void> {
    for (const { command } of servers) {
      await until(async () => is(await command<string>("CLUSTER", "INFO")));
    }
  }

  async function untilWhole(): Promise<void> {
    await everywhere((info) => info.includes("cluster_state:ok"));
    const inStep = async ({ command }: TestRedis) => {
      const info = await command<string>("INFO", "replication");
      return info.includes("role:master") || info.includes("master_link_status:up");
    };
    for (const server of servers) await until(() => inStep(server));
  }

  async function shardOf(key: string): Promise<TestRedis> {
    for (const server of servers) {
      const has = await server.command("TYPE", key).then(
        () => true,
        () => false,
      );
      if (has) return server;
    }
    throw new Error(`nobody has ${key}`);
  }

  const opened = starting.move();
  return {
    url: first.url,
    shards,
    replica,
    shardOf,
    untilWhole,
    command: async <T>(...args: string[]) => (await shardOf(args[1] ?? "")).command<T>(...args),
    async moveSlotOf(key, to, halfway) {
      const from = await shardOf(key);
      const slot = String(await to.command<number>("CLUSTER", "KEYSLOT", key));
      const [fromId, toId] = await Promise.all(
        [from, to].map(({ command }) => command<string>("CLUSTER", "MYID")),
      );
      if (fromId === undefined || toId === undefined) throw new Error("a server has no id");
      await to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
      await from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
      const keysLeft = (count: number) =>
        from.command<string[]>("CLUSTER", "GETKEYSINSLOT", slot, String(count));
      const move = async (keys: readonly string[]) => {
        const place = ["127.0.0.1", String(to.port), "", "0", "5000"];
        if (keys.length > 0) await from.command("MIGRATE", ...place, "KEYS", ...keys);
      };
      const all = await keysLeft(1_000);
      await move(all.slice(0, all.length / 2));
      await halfway();
      for (let left = await keysLeft(10); left.length > 0; left = await keysLeft(10)) {
        await move(left);
      }
      for (const { command } of [to, from]) await command("CLUSTER", "SETSLOT", slot, "NODE", toId);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function until(is: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + deadlineMs; !(await is()); ) {
    if (performance.now() > deadline)
      throw new Error("the Redis Cluster did not get ready in time");
    await delay(20);
  }
}
