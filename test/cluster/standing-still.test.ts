/** Services that stand still: they take what is sent, and answer nothing. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Broadcast } from "../../src/redis/broadcast.ts";
import { ConcurrencySlots } from "../../src/redis/concurrency-slots.ts";
import { Redis } from "../../src/redis/redis.ts";
import { startPostgresProxy } from "../support/postgres-proxy.ts";
import { needsRedis } from "../support/redis.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { ended, soon } from "./asking.ts";
import { ClusterWorld, type NodeSettings, shortTimes } from "./world.ts";

const unavailable = { data: { langwire: { code: "STORE_UNAVAILABLE", retryable: true } } };

needsRedis("standing still", () => {
  let world: ClusterWorld;

  beforeAll(async () => {
    world = await ClusterWorld.start();
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  /** A node, and its ways to Redis and Postgres. */
  async function behindProxies(times: NodeSettings["clusterTimes"] = {}) {
    const stack = new AsyncDisposableStack();
    const toRedis = stack.use(await startTcpProxy({ port: world.redis.port }));
    const toPostgres = stack.use(await startTcpProxy({ port: world.postgres.port }));
    const url = new URL(world.database.url);
    url.port = String(toPostgres.port);
    const redisUrl = `redis://127.0.0.1:${toRedis.port}`;
    const clusterTimes = { ...shortTimes, ...times };
    const node = await world.startNode({ redisUrl, databaseUrl: url.href, clusterTimes });
    return { toRedis, toPostgres, node, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  for (const which of ["toRedis", "toPostgres"] as const) {
    test(`a node leaves while its way ${which} is a black hole, with a run in progress`, async () => {
      await using ways = await behindProxies();
      const run = world.newRun({ steps: ["one ", "stall"] });
      using client = wsClient(ways.node.url);
      const reading = read((options) => client.api.chat.send.subscribe(run, options));
      await reading.until(({ type }) => type === "token");
      ways[which].pause();
      const startedMs = performance.now();
      await ways.node[Symbol.asyncDispose]();
      // What serve-process.ts gives it besides the grace of its runs.
      expect(performance.now() - startedMs).toBeLessThan(10_000);
      reading.stop();
    });
  }

  test("a node that cannot reach Postgres gives up its lease: another one ends its runs", async () => {
    await using ways = await behindProxies();
    await using steady = await world.startNode();
    const run = world.newRun({ steps: ["one ", "stall"] });
    using client = wsClient(ways.node.url);
    using reader = wsClient(steady.url);
    const sent = read((options) => client.api.chat.send.subscribe(run, options));
    await sent.until(({ type }) => type === "token");
    const reading = read((options) => reader.api.chat.watch.subscribe(run, options));
    ways.toPostgres.refuse();
    ways.toPostgres.cut();
    await reading.until(({ type }) => type === "runEnd");
    expect(expectWholeRun(reading.received)).toMatchObject({
      status: "failed",
      text: "one ",
      error: { code: "OWNER_LOST" },
    });
    reading.stop();
    const next = world.newRun({ steps: ["next"] }, run.conversationId);
    const received = await read((options) => reader.api.chat.send.subscribe(next, options))
      .completed;
    expect(expectWholeRun(received)).toMatchObject({ status: "completed", text: "next" });
    ways.toPostgres.accept();
    await ways.node[Symbol.asyncDispose]();
  });

  test("a run that Redis did not let begin is told so when it is sent again, at once", async () => {
    await using toRedis = await startTcpProxy({ port: world.redis.port });
    await using toPostgres = await startPostgresProxy({ port: world.postgres.port, lateMs: 300 });
    await using node = await world.startNode({
      redisUrl: `redis://127.0.0.1:${toRedis.port}`,
      databaseUrl: toPostgres.url(world.database.url),
      // Longer than this test waits.
      clusterTimes: { ...shortTimes, lookAgainMs: 60_000 },
    });
    using client = wsClient(node.url);
    // Its events are in the log: that those of the next run are not there does not show.
    const before = world.newRun({ steps: ["before"] });
    await read((options) => client.api.chat.send.subscribe(before, options)).completed;
    const run = world.newRun({ steps: ["never"] }, before.conversationId);
    const send = () => read((options) => client.api.chat.send.subscribe(run, options));
    const claimed = toPostgres.next(/^commit/, "lateAnswer");
    const first = send();
    await claimed;
    toRedis.refuse();
    toRedis.cut();
    await expect(first.completed).rejects.toMatchObject(unavailable);
    toRedis.accept();
    const again = await soon(ended(send), 60_000);
    expect(again).toMatchObject({ status: "failed", error: { code: "STORE_UNAVAILABLE" } });
  });

  test("a reader at a node that cannot reach Postgres is refused, not kept waiting", async () => {
    await using ways = await behindProxies({ proofs: { renewMs: 200, validMs: 500 } });
    const run = world.newRun({ steps: ["one ", "stall"] });
    using client = wsClient(ways.node.url);
    const sent = read((options) => client.api.chat.send.subscribe(run, options));
    await sent.until(({ type }) => type === "token");
    ways.toPostgres.refuse();
    ways.toPostgres.cut();
    await expect(soon(sent.completed, 60_000)).rejects.toMatchObject(unavailable);
    const lastEventId = sent.received.at(-1)?.id;
    // Later: to one that is there, its readers would have been sent (cut-off.test.ts).
    await using steady = await world.startNode();
    using there = wsClient(steady.url);
    const elsewhere = await read((options) =>
      there.api.chat.send.subscribe({ ...run, lastEventId }, options),
    ).completed;
    expect(elsewhere.at(-1)?.event).toMatchObject({ error: { code: "OWNER_LOST" } });
    ways.toPostgres.accept();
    await ways.node[Symbol.asyncDispose]();
  });

  test("a slot whose release Redis did not take comes back by itself, and one that is held stays", async () => {
    await using way = await startTcpProxy({ port: world.redis.port });
    const options = { prefix: "slots" };
    await using there = await Redis.open({
      ...options,
      url: `redis://127.0.0.1:${way.port}`,
      nodeId: "there",
    });
    await using here = await Redis.open({ ...options, url: world.redis.url, nodeId: "here" });
    const all = { name: "runs", max: 2, keptMs: 1_000, alive: async () => undefined };
    using slotsThere = new ConcurrencySlots({ ...all, redis: there });
    using slotsHere = new ConcurrencySlots({ ...all, redis: here });
    const kept = await slotsThere.take("ann");
    const lost = await slotsThere.take("ann");
    expect(await slotsHere.take("ann")).toBeUndefined();
    way.refuse();
    way.cut();
    lost?.();
    way.accept();
    await expect.poll(() => slotsHere.take("ann")).toBeDefined();
    // Long after the time that a slot lasts which nobody renews.
    await delay(2_000);
    expect(await slotsHere.take("ann")).toBeUndefined();
    kept?.();
  });

  test("messages are received after Redis has lost them all, and its clock is behind", async () => {
    const options = { url: world.redis.url, prefix: "broadcast" };
    await using redis = await Redis.open({ ...options, nodeId: "a" });
    const received: string[] = [];
    const onMessage = (message: string) => received.push(message);
    await using broadcast = await Broadcast.open({ redis, name: "all", onMessage });
    const future = `${Date.now() + 3_600_000}-0`;
    await world.redis.command("XADD", "broadcast:all", future, "n", "from the future");
    await broadcast.receive();
    expect(received).toEqual(["from the future"]);
    await world.redis.command("DEL", "broadcast:all");
    broadcast.publish("after it");
    await expect.poll(() => received).toEqual(["from the future", "after it"]);
  });
});
