/** A Redis Cluster changes under the nodes: slots move, shards go. Nothing is lost or doubled. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestServer } from "../../src/testing/index.ts";
import type { SentRun } from "../faults/world.ts";
import { needsRedis, type TestRedis } from "../support/redis.ts";
import { startRedisCluster, type TestRedisCluster } from "../support/redis-cluster.ts";
import { type Reading, read, wsClient } from "../support/stock-client.ts";
import { ClusterWorld, shortTimes } from "./world.ts";

/** Longer than a failover takes: what readers are told is the log's. */
const lookAgainMs = 10_000;
const times = { ...shortTimes, lookAgainMs, leaseMs: 5_000, pingMs: 200, pingTimeoutMs: 800 };
const pieces = Array.from({ length: 40 }, (_, index) => `${index} `);
const text = pieces.join("");

needsRedis("redis shards", () => {
  let world: ClusterWorld<TestRedisCluster>;
  let nodes: readonly [TestServer, TestServer];

  beforeAll(async () => {
    world = await ClusterWorld.startOn(startRedisCluster);
    const settings = { clusterTimes: times };
    nodes = await Promise.all([world.startNode(settings), world.startNode(settings)]);
  });

  afterAll(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const keyOf = ({ conversationId }: SentRun) => `langwire:{${conversationId}}:events`;

  const isReady = ({ port }: TestServer) =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(({ status }) => status);

  beforeEach(untilReady);

  async function untilReady(): Promise<void> {
    for (const node of nodes) await expect.poll(() => isReady(node)).toBe(200);
  }

  /** A run of a conversation whose events are on this shard. */
  async function runOn(
    shard: TestRedis,
    reply: Parameters<typeof world.newRun>[0] = { steps: pieces, paceMs: 20 },
  ): Promise<SentRun> {
    for (;;) {
      const run = world.newRun(reply);
      if ((await world.redis.shardOf(keyOf(run))) === shard) return run;
    }
  }

  /** Starts a run on the one node, with a reader on each. */
  async function started(run: SentRun) {
    const clients = nodes.map(({ url }) => wsClient(url));
    const readers: Reading[] = [];
    for (const { api } of clients) {
      const reading = read((options) => api.chat.send.subscribe(run, options));
      readers.push(reading);
      await reading.until(({ type }) => type === "token");
    }
    return {
      readers,
      [Symbol.dispose]: () => {
        for (const client of clients) client[Symbol.dispose]();
      },
    };
  }

  async function isWhole(run: SentRun, readers: readonly Reading[]): Promise<void> {
    const [here, there] = await Promise.all(readers.map(({ completed }) => completed));
    const received = { here: here ?? [], there: there ?? [] };
    const end = await world.judge(nodes[1], run, { readers: received, text });
    expect(end.status).toBe("completed");
  }

  test("conversations on every shard, from every node", async () => {
    const { shards } = world.redis;
    const runs = await Promise.all([...shards, ...shards].map((shard) => runOn(shard)));
    await Promise.all(
      runs.map(async (run) => {
        using reading = await started(run);
        await isWhole(run, reading.readers);
      }),
    );
  });

  describe("a run comes through whole when", () => {
    /** Settles when the shard has answered a command in this way once more. */
    async function untilAnswered(shard: TestRedis, error: "ASK" | "TRYAGAIN"): Promise<void> {
      const answers = async () => {
        const stats = await shard.command<string>("INFO", "errorstats");
        return Number(new RegExp(`errorstat_${error}:count=(\\d+)`).exec(stats)?.[1] ?? 0);
      };
      const before = await answers();
      await expect.poll(answers).toBeGreaterThan(before);
    }

    test("its slot is moved to another shard", async () => {
      const [first, second] = world.redis.shards;
      const run = await runOn(second);
      using reading = await started(run);
      // Until the run has something to say while its keys are on both.
      const halfway = () => untilAnswered(second, "TRYAGAIN");
      await world.redis.moveSlotOf(keyOf(run), first, halfway);
      await isWhole(run, reading.readers);
      expect(await world.redis.shardOf(keyOf(run))).toBe(first);
    });

    test("it begins in a slot that is moving", async () => {
      const [first, second] = world.redis.shards;
      const run = await runOn(second);
      let starting: ReturnType<typeof started> | undefined;
      await world.redis.moveSlotOf(keyOf(run), first, async () => {
        const asked = untilAnswered(second, "ASK");
        starting = started(run);
        await asked;
      });
      using reading = await starting;
      await isWhole(run, reading?.readers ?? []);
    });

    test("the connections to all shards are cut again and again", async () => {
      const [first, second, third] = world.redis.shards;
      const cut = [first, second, third, second];
      // The answer goes on only after a cut, so that each finds the run in progress.
      const cuts = cut.map(() => Promise.withResolvers<void>());
      const steps = pieces.flatMap((piece, index) => [
        piece,
        ...(index < cuts.length ? [{ until: cuts[index]?.promise ?? Promise.resolve() }] : []),
      ]);
      const run = await runOn(second, { steps });
      using reading = await started(run);
      const { received } = reading.readers[1] as Reading;
      for (const [index, shard] of cut.entries()) {
        await shard.command("CLIENT", "KILL", "TYPE", "normal");
        await shard.command("CLIENT", "KILL", "TYPE", "pubsub");
        const before = received.length;
        cuts[index]?.resolve();
        await expect.poll(() => received.length).toBeGreaterThan(before);
      }
      await isWhole(run, reading.readers);
    });

    test("its shard stands still, which nobody is told; the others' runs go on", async () => {
      const [, second, third] = world.redis.shards;
      const [run, other] = await Promise.all([runOn(third), runOn(second)]);
      using reading = await started(run);
      using undisturbed = await started(other);
      process.kill(third.pid, "SIGSTOP");
      try {
        await expect.poll(() => isReady(nodes[0])).toBe(503);
        await isWhole(other, undisturbed.readers);
      } finally {
        process.kill(third.pid, "SIGCONT");
      }
      await isWhole(run, reading.readers);
    });

    test("its shard, which the settings name, fails over; the others' runs go on", async () => {
      const { replica, shards } = world.redis;
      const [first, second] = shards;
      await world.redis.untilWhole();
      const run = await runOn(first);
      using reading = await started(run);
      const other = await runOn(second);
      using undisturbed = await started(other);
      await first.kill();
      await isWhole(other, undisturbed.readers);
      await isWhole(run, reading.readers);
      expect(await world.redis.shardOf(keyOf(run))).toBe(replica);
      await untilReady();
    });
  });
});
