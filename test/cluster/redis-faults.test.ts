/** What the network and Redis itself can do: nothing is lost or doubled, or the end says why. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestServer } from "../../src/testing/index.ts";
import { sized } from "../faults/form.ts";
import type { SentRun } from "../faults/world.ts";
import { needsRedis, startRedis } from "../support/redis.ts";
import { type Reading, read, wsClient } from "../support/stock-client.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { expectWholeRun, tokensOf } from "../support/transcript.ts";
import { answered, ended } from "./asking.ts";
import { ClusterWorld, shortTimes } from "./world.ts";

/** A dead connection is found sooner than outside of tests. */
const times = { ...shortTimes, leaseMs: 5_000, pingMs: 200, pingTimeoutMs: 800 };
const pieces = Array.from({ length: 40 }, (_, index) => `${index} `);

needsRedis("redis faults", () => {
  let world: ClusterWorld;
  let proxy: TcpProxy;
  /** Its way to Redis is the proxy. */
  let node: TestServer;
  /** Reads the same, undisturbed. */
  let steady: TestServer;

  beforeAll(async () => {
    world = await ClusterWorld.start();
    proxy = await startTcpProxy({ port: world.redis.port });
    const redisUrl = `redis://127.0.0.1:${proxy.port}`;
    node = await world.startNode({ redisUrl, clusterTimes: times });
    steady = await world.startNode({ clusterTimes: times });
  });

  afterAll(async () => {
    for (const server of [node, steady]) await server[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    for (const server of [node, steady]) await expect.poll(() => ready(server)).toBe(200);
  });

  /** A reader of a run that speaks: asked for until it is, for a busy machine may be late with a ping. */
  function speaking(subscribe: Parameters<typeof read>[0]): Promise<Reading> {
    return answered(async () => {
      const reading = read(subscribe);
      await reading.until(({ type }) => type === "token");
      return reading;
    });
  }

  /** Starts a run on the node behind the proxy, and a reader on each. */
  async function started(run: SentRun) {
    const clients = [wsClient(node.url), wsClient(steady.url)] as const;
    const here = await speaking((options) => clients[0].api.chat.send.subscribe(run, options));
    const there = await speaking((options) => clients[1].api.chat.send.subscribe(run, options));
    return {
      here,
      there,
      [Symbol.dispose]: () => {
        for (const client of clients) client[Symbol.dispose]();
      },
    };
  }

  const ready = ({ port }: TestServer) =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(({ status }) => status);

  /** The run goes through it whole: no gap, no duplicate, on either node. */
  async function comesThrough(disturb: (reading: Reading) => Promise<void>): Promise<void> {
    const run = world.newRun({ steps: pieces, paceMs: 20 });
    using readers = await started(run);
    await disturb(readers.here);
    const [here, there] = await Promise.all([readers.here.completed, readers.there.completed]);
    const end = await world.judge(steady, run, {
      readers: { here, there },
      text: pieces.join(""),
    });
    expect(end.status).toBe("completed");
  }

  async function blackHole(ms: number): Promise<void> {
    proxy.pause();
    await delay(ms);
    proxy.resume();
  }

  describe("a run comes through whole when", () => {
    test("connections to Redis are cut again and again", async () => {
      await comesThrough(async () => {
        for (let cuts = 0; cuts < 6; cuts++) {
          proxy.cut();
          await delay(100 * Math.random() + 50);
        }
      });
    });

    test("every packet to Redis takes half a second each way", async () => {
      const slow = await startTcpProxy({ port: world.redis.port });
      const redisUrl = `redis://127.0.0.1:${slow.port}`;
      const clusterTimes = { ...times, pingTimeoutMs: 5_000 };
      await using far = await world.startNode({ redisUrl, clusterTimes });
      slow.delay(500);
      const run = world.newRun({ steps: pieces, paceMs: 20 });
      using clientHere = wsClient(far.url);
      using clientThere = wsClient(steady.url);
      const [here, there] = await Promise.all(
        [clientHere, clientThere].map(
          ({ api }) => read((options) => api.chat.send.subscribe(run, options)).completed,
        ),
      );
      const readers = { here: here ?? [], there: there ?? [] };
      await world.judge(steady, run, { readers, text: pieces.join("") });
      slow.delay(0);
    });

    test("Redis is a black hole for a while, which nobody is told", async () => {
      await comesThrough(() => blackHole(2_000));
    });

    test("Redis restarts with its data", async () => {
      await comesThrough(() => world.redis.restart({ keepData: true }));
    });

    test("Redis restarts without its data: the owner writes it all again", async () => {
      await comesThrough(() => world.redis.restart({ keepData: false }));
    });

    test("Redis forgets the last events, as after a failover", async () => {
      await comesThrough(async ({ received }) => {
        await world.redis.command("SAVE");
        const saved = received.length;
        await expect.poll(() => received.length).toBeGreaterThan(saved + 5);
        await world.redis.restart({ keepData: "saved" });
      });
    });

    test("Redis forgets its scripts", async () => {
      await comesThrough(async () => {
        await world.redis.command("SCRIPT", "FLUSH");
      });
    });

    test("the notifications's connection is killed again and again", async () => {
      await comesThrough(async () => {
        for (let kills = 0; kills < 5; kills++) {
          await world.redis.command("CLIENT", "KILL", "TYPE", "pubsub");
          await delay(100);
        }
      });
    });
  });

  test("Redis away for too long: a typed end on every reader, new runs refused, then all is well", async () => {
    const runLimits = { storeTimeoutMs: 1_500 };
    await using way = await startTcpProxy({ port: world.redis.port });
    const redisUrl = `redis://127.0.0.1:${way.port}`;
    await using lost = await world.startNode({ redisUrl, clusterTimes: times }, { runLimits });
    const run = world.newRun({ steps: ["partial", "stall"] });
    using client = wsClient(lost.url);
    const reading = read((options) => client.api.chat.send.subscribe(run, options));
    await reading.until(({ type }) => type === "token");
    await expect.poll(() => ready(lost)).toBe(200);
    way.refuse();
    way.cut();
    await expect.poll(() => ready(lost)).toBe(503);
    const refused = world.newRun({ steps: ["never"] });
    await expect(
      read((options) => client.api.chat.send.subscribe(refused, options)).completed,
    ).rejects.toMatchObject({ data: { langwire: { code: "STORE_UNAVAILABLE", retryable: true } } });
    expect(world.callsOf(refused.message)).toBe(0);
    const cancelled = await client.api.chat.cancel.mutate({ runId: run.runId });
    expect(cancelled.status).toBe("cancelled");
    // The end comes from the store, though the log cannot tell it.
    const received = await reading.completed;
    expect(tokensOf(received)).toBe("partial");
    expect(expectWholeRun(received).status).toBe("cancelled");
    way.accept();
    await expect.poll(() => ready(lost)).toBe(200);
    const next = world.newRun({ steps: ["next"] }, run.conversationId);
    const after = await read((options) => client.api.chat.send.subscribe(next, options)).completed;
    expect(expectWholeRun(after).text).toBe("next");
  });

  test("a run that goes on speaking while Redis is away ends as STORE_UNAVAILABLE", async () => {
    const runLimits = { storeTimeoutMs: 1_000 };
    await using way = await startTcpProxy({ port: world.redis.port });
    const redisUrl = `redis://127.0.0.1:${way.port}`;
    await using lost = await world.startNode({ redisUrl, clusterTimes: times }, { runLimits });
    const endless = Array.from({ length: 5_000 }, (_, index) => `${index} `);
    const run = world.newRun({ steps: endless, paceMs: 10 });
    using client = wsClient(lost.url);
    using other = wsClient(steady.url);
    const here = read((options) => client.api.chat.send.subscribe(run, options));
    await here.until(({ type }) => type === "token");
    const call = world.provider.calls.findLast(({ lastText }) => lastText === run.message);
    const there = read((options) => other.api.chat.send.subscribe(run, options));
    way.pause();
    expect(await call?.closed).toBe("aborted");
    way.resume();
    for (const reading of [here, there]) {
      expect(expectWholeRun(await reading.completed)).toMatchObject({
        status: "failed",
        error: { code: "STORE_UNAVAILABLE" },
      });
    }
    await world.judge(steady, run, {
      readers: { here: here.received, there: there.received },
    });
  });

  describe("a watcher is given by the store what Redis forgot of a run", () => {
    /** What the node behind the proxy hears nothing of. */
    async function whileCutOff(work: () => Promise<unknown>): Promise<void> {
      proxy.refuse();
      proxy.cut();
      await work();
      proxy.accept();
    }

    async function completed(run: SentRun): Promise<void> {
      using client = wsClient(steady.url);
      await ended(() => read((options) => client.api.chat.send.subscribe(run, options)));
    }

    test("all of it", async () => {
      const first = world.newRun({ steps: ["first"] });
      await completed(first);
      await world.redis.command("FLUSHALL");
      using client = wsClient(node.url);
      const all = { conversationId: first.conversationId, lastEventId: "0" };
      const watching = read((options) => client.api.chat.watch.subscribe(all, options));
      await watching.until(({ type }) => type === "runEnd");
      const missed = world.newRun({ steps: ["missed"] }, first.conversationId);
      await whileCutOff(async () => {
        await completed(missed);
        await world.redis.command("FLUSHALL");
      });
      await watching.until(({ type, runId }) => type === "runEnd" && runId === missed.runId);
      const ofRun = ({ runId }: SentRun) =>
        watching.received.filter(({ event }) => event.runId === runId);
      expect(expectWholeRun(ofRun(missed))).toMatchObject({ status: "completed", text: "missed" });
      // From there it goes on as if nothing had been.
      const next = world.newRun({ steps: ["next"] }, first.conversationId);
      await completed(next);
      await watching.until(({ type, runId }) => type === "runEnd" && runId === next.runId);
      expect(expectWholeRun(ofRun(next))).toMatchObject({ status: "completed", text: "next" });
      watching.stop();
    });

    test("its end alone", async () => {
      const gate = Promise.withResolvers<void>();
      const run = world.newRun({ steps: ["half ", { until: gate.promise }, "whole"] });
      using client = wsClient(steady.url);
      const sent = await speaking((options) => client.api.chat.send.subscribe(run, options));
      using other = wsClient(node.url);
      const watching = await speaking((options) => other.api.chat.watch.subscribe(run, options));
      await world.redis.command("SAVE");
      await whileCutOff(async () => {
        gate.resolve();
        await sent.completed;
        // Until its owner has given the write lease back.
        const lease = `langwire:{${run.conversationId}}:pen`;
        const closed = () => world.redis.command("HGET", lease, "closed");
        await expect.poll(closed).toBe("1");
        await world.redis.restart({ keepData: "saved" });
      });
      await watching.until(({ type }) => type === "runEnd");
      const events = watching.received.map(({ event }) => event);
      expect(events.filter(({ type }) => type === "runEnd")).toEqual([events.at(-1)]);
      expect(events.at(-1)).toMatchObject({ status: "completed", text: "half whole" });
      watching.stop();
    });
  });

  test("Redis full: nothing begins that cannot be kept, and it is said at once", async () => {
    await using redis = await startRedis(["--maxmemory-policy", "noeviction"]);
    await using database = await world.postgres.createDatabase();
    const place = { databaseUrl: database.url, redisUrl: redis.url, clusterTimes: times };
    await using full = await world.startNode(place);
    using client = wsClient(full.url);
    expect(await ready(full)).toBe(200);
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    // A verdict is held for half a second.
    await expect.poll(() => ready(full)).toBe(503);
    const run = world.newRun({ steps: ["never"] });
    await expect(
      read((options) => client.api.chat.send.subscribe(run, options)).completed,
    ).rejects.toMatchObject({ data: { langwire: { code: "STORE_UNAVAILABLE" } } });
    expect(world.callsOf(run.message)).toBe(0);
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    await expect.poll(() => ready(full), { interval: 5 }).toBe(200);
    const next = world.newRun({ steps: ["fits"] });
    const reading = read((options) => client.api.chat.send.subscribe(next, options));
    expect(tokensOf(await reading.completed)).toBe("fits");
  });

  test("a node is ready when it takes runs, though its lease had lapsed", async () => {
    const clusterTimes = { ...times, leaseMs: 2_000, renewMs: 60_000 };
    await using lapsing = await world.startNode({ clusterTimes });
    using client = wsClient(lapsing.url);
    const textOfNext = () => {
      const next = world.newRun({ steps: ["taken"] });
      const reading = read((options) => client.api.chat.send.subscribe(next, options));
      return reading.completed.then(tokensOf, () => "refused");
    };
    await expect.poll(textOfNext).toBe("refused");
    expect(await ready(lapsing)).toBe(200);
    expect(await textOfNext()).toBe("taken");
  });

  test("a black hole for longer than the owner's lease: a typed end, the same for every reader", async () => {
    const run = world.newRun({ steps: ["half ", "stall"] });
    using readers = await started(run);
    await blackHole(sized({ short: times.leaseMs + 2_000, full: 10_000 }));
    const [here, there] = await Promise.all([readers.here.completed, readers.there.completed]);
    const end = await world.judge(steady, run, { readers: { here, there } });
    expect(end).toMatchObject({ status: "failed", text: "half " });
    expect(["OWNER_LOST", "STORE_UNAVAILABLE"]).toContain(end.error?.code);
    expect(world.callsOf(run.message)).toBe(1);
  });
});
