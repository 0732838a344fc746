/**
 * Who is alive, who is gone, whose turn it is: what Redis says of leases of each age. Time does not pass for
 * these: leases are given their ages.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { NodeLease, type Renewal } from "../../src/redis/node-lease.ts";
import { Redis } from "../../src/redis/redis.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";

const times = { leaseMs: 60_000, renewMs: 15_000 };
const { leaseMs } = times;

needsRedis("node leases", () => {
  let server: TestRedis;
  let redis: Redis;
  let keys: { renewed: string; since: string; reaper: string };

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function setUp() {
    const prefix = randomUUID();
    const opened = new AsyncDisposableStack();
    redis = opened.use(await Redis.open({ url: server.url, prefix, nodeId: "here" }));
    const base = `${prefix}:{nodes}`;
    keys = { renewed: `${base}:renewed`, since: `${base}:since`, reaper: `${base}:reaper` };
    const renewals: Renewal[] = [];
    const world = { isAble: true };
    const lease = opened.use(
      await NodeLease.take({
        ...{ redis, times, onRenewed: (renewal) => renewals.push(renewal) },
        isAble: async () => world.isAble,
      }),
    );
    return { lease, renewals, world, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  }

  const send = <T>(...command: string[]) => redis.link.send<T>(keys.renewed, command);

  /** Since when a process has renewed its lease, and how long ago it did so last. */
  async function age(node: string, renewedMs: number, sinceMs = 2 * leaseMs): Promise<void> {
    const now = Date.now();
    await send("ZADD", keys.renewed, String(now - renewedMs), node);
    await send("HSET", keys.since, node, String(now - sinceMs));
  }

  const long = 2 * leaseMs;
  const [fresh, late, over] = [0, 0.6 * leaseMs, 1.1 * leaseMs];

  test.each([
    // Its own lease: renewed so long ago, in time since so long ago. What it may say of others.
    [fresh, long, true],
    [fresh, 0.9 * leaseMs, false],
    [fresh, 0, false],
    [late, long, false],
    [over, long, false],
  ])(
    "renewed %d ms ago, in time for %d ms: it may call others gone: %s",
    async (renewedMs, sinceMs, may) => {
      await using here = await setUp();
      await age("fresh", fresh);
      await age("late", late);
      await age("over", over);
      await age("here", renewedMs, sinceMs);
      const census = { alive: new Set(["fresh", "late", "here"]), gone: ["over"] };
      expect(await here.lease.census()).toEqual(may ? census : undefined);
    },
  );

  test.each([
    // How long the answer takes, how long ago it came, and whether the lease may still be counted on.
    [0, 0.9, true],
    [0, 1.1, false],
    [0.5, 0.4, true],
    [0.5, 0.6, false],
    [1.1, 0, false],
  ])(
    "answered after %d of its time, %d ago: it is held: %s",
    async (answeredAfter, since, isHeld) => {
      await using here = await setUp();
      vi.useFakeTimers({ toFake: ["performance"] });
      onTestFinished(() => void vi.useRealTimers());
      const renewing = here.lease.renew();
      // It is asked for by now, and nothing is read from Redis yet.
      for (let tasks = 0; tasks < 10; tasks++) await Promise.resolve();
      vi.advanceTimersByTime(answeredAfter * leaseMs);
      await renewing;
      vi.advanceTimersByTime(since * leaseMs);
      expect(here.lease.held).toBe(isHeld);
    },
  );

  test("whoever is in no list may call nobody gone", async () => {
    await using here = await setUp();
    await age("over", over);
    await send("DEL", keys.renewed, keys.since);
    expect(await here.lease.census()).toBeUndefined();
  });

  test.each([
    // Whether it had lapsed, and is the reaper, where nobody, itself or another one is.
    { renewedMs: fresh, sinceMs: long, holder: undefined, says: { lapsed: false, reaper: true } },
    { renewedMs: fresh, sinceMs: long, holder: "here", says: { lapsed: false, reaper: true } },
    { renewedMs: fresh, sinceMs: long, holder: "other", says: { lapsed: false, reaper: false } },
    { renewedMs: fresh, sinceMs: 0, holder: undefined, says: { lapsed: false, reaper: false } },
    { renewedMs: late, sinceMs: long, holder: undefined, says: { lapsed: false, reaper: false } },
    { renewedMs: over, sinceMs: long, holder: undefined, says: { lapsed: true, reaper: false } },
    { renewedMs: over, sinceMs: long, holder: "here", says: { lapsed: true, reaper: false } },
  ])(
    "a renewal after $renewedMs ms, in time for $sinceMs ms, with the reaper $holder",
    async (it) => {
      await using here = await setUp();
      await age("here", it.renewedMs, it.sinceMs);
      await send("DEL", keys.reaper);
      if (it.holder !== undefined) await send("SET", keys.reaper, it.holder);
      await here.lease.renew();
      expect(here.renewals.at(-1)).toEqual(it.says);
      expect(here.lease.held).toBe(true);
      expect(await send("GET", keys.reaper)).toBe(it.says.reaper ? "here" : (it.holder ?? null));
      // What was late begins its time anew; what was in time goes on.
      const since = Date.now() - Number(await send<string>("HGET", keys.since, "here"));
      expect(since < leaseMs / 2).toBe(it.renewedMs !== fresh || it.sinceMs === 0);
      for (const key of [keys.renewed, keys.since]) {
        expect(await send<number>("PTTL", key)).toBeGreaterThan(leaseMs);
      }
    },
  );

  test.each([
    // Of others: when they renewed their leases, and whether one has within so long.
    [[], leaseMs, false],
    [[fresh], leaseMs, true],
    [[late, over], leaseMs, false],
    [[late, fresh], leaseMs, true],
    [[15_000], 20_000, true],
    [[15_000], 10_000, false],
  ])(
    "of others that renewed theirs %j ms ago, one has within %d ms: %s",
    async (ages, withinMs, is) => {
      await using here = await setUp();
      for (const [index, ms] of ages.entries()) await age(`other ${index}`, ms);
      for (const own of [fresh, late, over]) {
        await age("here", own);
        expect([own, await here.lease.othersRenew(withinMs)]).toEqual([own, is]);
      }
    },
  );

  test("one that has come back is not cleared, and one that is gone is, with its turn", async () => {
    await using here = await setUp();
    await age("back", late);
    expect(await here.lease.clear("back")).toBe(false);
    await age("gone", over);
    await send("SET", keys.reaper, "gone");
    expect(await here.lease.clear("gone")).toBe(true);
    expect(await here.lease.clear("never was")).toBe(true);
    expect(await send("ZRANGE", keys.renewed, "0", "-1")).toEqual(["back", "here"]);
    expect(await send("HGET", keys.since, "gone")).toBeNull();
    expect(await send("EXISTS", keys.reaper)).toBe(0);
    await send("SET", keys.reaper, "back");
    await age("gone", over);
    await here.lease.clear("gone");
    expect(await send("GET", keys.reaper)).toBe("back");
  });

  test("one that cannot be renewed is not held until it can", async () => {
    await using here = await setUp();
    here.world.isAble = false;
    await expect(here.lease.renew()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect([here.lease.held, here.renewals.length]).toEqual([false, 1]);
    here.world.isAble = true;
    await here.lease.renew();
    expect(here.lease.held).toBe(true);
    // As a Redis that is full.
    await send("SET", "other", "x");
    await send("CONFIG", "SET", "maxmemory", "1");
    await expect(here.lease.renew()).rejects.toThrow(/OOM/);
    expect(here.lease.held).toBe(false);
    await send("CONFIG", "SET", "maxmemory", "0");
    await here.lease.renew();
    expect(here.lease.held).toBe(true);
  });

  test("one that was given back is gone at once, and does not appear again", async () => {
    await using here = await setUp();
    await here.lease[Symbol.asyncDispose]();
    expect(await send("ZRANGE", keys.renewed, "0", "-1")).toEqual([]);
    await expect(here.lease.renew()).rejects.toThrow();
    expect(await send("ZRANGE", keys.renewed, "0", "-1")).toEqual([]);
  });
});
