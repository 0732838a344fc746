/** What is made of Redis for processes that share it: broadcasts, leases, concurrency slots. */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Broadcast } from "../../src/redis/broadcast.ts";
import { ConcurrencySlots } from "../../src/redis/concurrency-slots.ts";
import { NodeLease, type Renewal } from "../../src/redis/node-lease.ts";
import { Redis } from "../../src/redis/redis.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

needsRedis("redis primitives", () => {
  let server: TestRedis;
  /** Closes what a test has opened, the newest first. */
  let opened: AsyncDisposableStack;
  let prefix: string;

  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  beforeEach(() => {
    opened = new AsyncDisposableStack();
    prefix = randomUUID();
  });

  afterEach(() => opened.disposeAsync());

  /** A process of this name. */
  async function openRedis(nodeId: string, url = server.url): Promise<Redis> {
    const times = { pingMs: 50, pingTimeoutMs: 1_000 };
    return opened.use(await Redis.open({ url, prefix, nodeId, times }));
  }

  describe("a broadcast", () => {
    async function join(redis: Redis) {
      const messages: string[] = [];
      const onMessage = (message: string) => messages.push(message);
      const broadcast = opened.use(await Broadcast.open({ redis, name: "test", onMessage }));
      return { broadcast, messages };
    }

    test("is received by all who had joined, its publisher too, in order", async () => {
      const one = await join(await openRedis("one"));
      const two = await join(await openRedis("two"));
      one.broadcast.publish("a");
      one.broadcast.publish("b");
      await expect.poll(() => one.messages).toEqual(["a", "b"]);
      await expect.poll(() => two.messages).toEqual(["a", "b"]);
      const three = await join(await openRedis("three"));
      two.broadcast.publish("c");
      await expect.poll(() => three.messages).toEqual(["c"]);
      await expect.poll(() => one.messages).toEqual(["a", "b", "c"]);
    });

    test("is kept for as long as somebody may be late, and no longer", async () => {
      const redis = await openRedis("one");
      const one = await join(redis);
      one.broadcast.publish("a");
      await expect.poll(() => one.messages).toEqual(["a"]);
      const leftMs = await redis.link.send<number>("", ["PTTL", `${prefix}:test`]);
      expect([leftMs > 55 * 60_000, leftMs <= 60 * 60_000]).toEqual([true, true]);
    });

    test("of which the notification is lost is there at the next `receive`", async () => {
      const redis = await openRedis("one");
      const one = await join(redis);
      const two = await join(await openRedis("two"));
      await redis.notifications.unsubscribe(`${prefix}:test:bell`);
      two.broadcast.publish("a");
      await expect.poll(() => two.messages).toEqual(["a"]);
      expect(one.messages).toEqual([]);
      await one.broadcast.receive();
      expect(one.messages).toEqual(["a"]);
    });

    test("that Redis does not take is kept until it does", async () => {
      const proxy = opened.use(await startTcpProxy({ port: server.port }));
      const redis = await openRedis("away", `redis://127.0.0.1:${proxy.port}`);
      const away = await join(redis);
      const other = await join(await openRedis("other"));
      proxy.refuse();
      proxy.cut();
      await expect.poll(() => redis.ready).toBe(false);
      away.broadcast.publish("a");
      away.broadcast.publish("b");
      proxy.accept();
      await expect.poll(() => other.messages).toEqual(["a", "b"]);
    });
  });

  describe("leases", () => {
    async function take(nodeId: string, times = { leaseMs: 400, renewMs: 50 }) {
      const renewals: Renewal[] = [];
      const onRenewed = (renewal: Renewal) => renewals.push(renewal);
      const redis = await openRedis(nodeId);
      const lease = opened.use(await NodeLease.take({ redis, times, onRenewed }));
      return { redis, lease, renewals };
    }

    test("say who is alive and who is gone, once their own was renewed for long enough", async () => {
      const steady = await take("steady");
      expect(await steady.lease.census()).toBeUndefined();
      const lost = await take("lost");
      const census = async () => await steady.lease.census();
      await expect.poll(async () => (await census())?.alive).toEqual(new Set(["steady", "lost"]));
      // Killed: nothing renews its lease, and nothing gives it back.
      await lost.redis[Symbol.asyncDispose]();
      await expect.poll(async () => (await census())?.gone).toEqual(["lost"]);
      expect(lost.lease.held).toBe(false);
      await steady.lease.clear("lost");
      await expect.poll(census).toEqual({ alive: new Set(["steady"]), gone: [] });
    });

    test("that are given back are in no census", async () => {
      const steady = await take("steady");
      const leaving = await take("leaving");
      await leaving.lease[Symbol.asyncDispose]();
      await expect
        .poll(() => steady.lease.census())
        .toEqual({ alive: new Set(["steady"]), gone: [] });
    });

    test("make one process at a time the reaper", async () => {
      // Renewed by the test alone; whose turn it is holds for two minutes.
      const times = { leaseMs: 400, renewMs: 60_000 };
      const [one, two] = [await take("one", times), await take("two", times)];
      const isReaper = ({ renewals }: typeof one) => renewals.some(({ reaper }) => reaper);
      const renewBoth = async () => {
        await one.lease.renew();
        await two.lease.renew();
      };
      const oneIs = async () => {
        await renewBoth();
        return isReaper(one);
      };
      await expect.poll(oneIs).toBe(true);
      const twoMay = async () => {
        await renewBoth();
        return await two.lease.census();
      };
      await expect.poll(twoMay).toBeDefined();
      await renewBoth();
      expect(isReaper(two)).toBe(false);
      await one.lease[Symbol.asyncDispose]();
      const twoIs = async () => {
        await two.lease.renew();
        return isReaper(two);
      };
      await expect.poll(twoIs).toBe(true);
    });
  });

  describe("concurrency slots", () => {
    const names = async (): Promise<ReadonlySet<string> | undefined> => new Set(["one", "two"]);

    async function slots(nodeId: string, options: { keptMs?: number; alive?: typeof names } = {}) {
      const { keptMs = 60_000, alive = names } = options;
      const redis = await openRedis(nodeId);
      return new ConcurrencySlots({ redis, name: "slots", max: 2, keptMs, alive });
    }

    test("are counted over all processes, for each key", async () => {
      const [one, two] = [await slots("one"), await slots("two")];
      const release = await one.take("alice");
      expect(await two.take("alice")).toBeDefined();
      expect(await one.take("alice")).toBeUndefined();
      expect(await two.take("alice")).toBeUndefined();
      expect(await two.take("bob")).toBeDefined();
      expect(await one.take("nobody", 0)).toBeUndefined();
      release?.();
      await expect.poll(() => two.take("alice")).toBeDefined();
    });

    test("come back from processes that are gone, and when they expire", async () => {
      const [one, gone] = [await slots("one"), await slots("gone")];
      await gone.take("alice");
      await gone.take("alice");
      expect(await one.take("alice")).toBeDefined();
      const forgetful = await slots("one", { keptMs: 50 });
      await forgetful.take("bob");
      await forgetful.take("bob");
      // As a process that was killed: it renews nothing any more.
      forgetful[Symbol.dispose]();
      await expect.poll(() => one.take("bob")).toBeDefined();
    });

    test("stay taken while it cannot be told who is gone", async () => {
      const alive = async () => undefined;
      const [one, gone] = [await slots("one", { alive }), await slots("gone")];
      await gone.take("alice");
      await gone.take("alice");
      expect(await one.take("alice")).toBeUndefined();
    });
  });
});
