/** Limits that processes share, and what is left of them while Redis is away: each process's own. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { SharedConcurrencyLimit, sharedRateLimit } from "../../src/open/shared-limits.ts";
import type { Redis } from "../../src/redis/redis.ts";

const limited = { code: "RATE_LIMITED", retryAfterMs: expect.any(Number) };

/** A Redis that takes slots, has none left, or is away. */
function setUp() {
  const world = { state: "takes" as "takes" | "has none left" | "is away", sent: [] as string[] };
  let counted = 0;
  const send = async (_key: string, [name = "", ...args]: readonly string[]) => {
    if (world.state === "is away") throw new Error("away");
    world.sent.push(name);
    if (name === "EVALSHA") return world.state === "takes" ? [] : ["other 1"];
    // The rate limiter's own script: what was counted, and for how long that stands.
    if (name !== "EVAL") return 1;
    counted += Number(args[3]);
    return [counted, 30_000];
  };
  const link = {
    send,
    get ready() {
      return world.state !== "is away";
    },
  };
  const redis = { link, prefix: "p", nodeId: "here" } as unknown as Redis;
  return { world, redis };
}

describe("runs at once", () => {
  function limit(max = 2) {
    const { world, redis } = setUp();
    const alive = async () => new Set(["here", "other"]);
    return { world, runs: new SharedConcurrencyLimit({ redis, name: "runs", max, alive }) };
  }

  test("have a slot here and one in Redis, and give both back", async () => {
    using it = Object.assign(limit(), { [Symbol.dispose]: () => it.runs[Symbol.dispose]() });
    const releases = [await it.runs.take("ann"), await it.runs.take("ann")];
    expect(it.world.sent).toEqual(["EVALSHA", "EVALSHA"]);
    // This process alone has as many as there may be: nobody needs to be asked.
    expect(await it.runs.take("ann")).toBeUndefined();
    expect(it.world.sent).toHaveLength(2);
    releases[0]?.();
    expect(it.world.sent.at(-1)).toBe("ZREM");
    expect(await it.runs.take("ann")).toBeDefined();
    expect(await it.runs.take("bob")).toBeDefined();
  });

  test("that others have all the slots of keep none here", async () => {
    const { world, runs } = limit();
    world.state = "has none left";
    for (let count = 0; count < 5; count++) expect(await runs.take("ann")).toBeUndefined();
    world.state = "takes";
    expect(await runs.take("ann")).toBeDefined();
    expect(await runs.take("ann")).toBeDefined();
    runs[Symbol.dispose]();
  });

  test("are this process's own while Redis is away, and given back there", async () => {
    const { world, runs } = limit();
    world.state = "is away";
    const releases = [await runs.take("ann"), await runs.take("ann")];
    expect(releases.every(Boolean)).toBe(true);
    expect(await runs.take("ann")).toBeUndefined();
    releases[0]?.();
    releases[0]?.();
    expect(await runs.take("ann")).toBeDefined();
    expect(await runs.take("ann")).toBeUndefined();
    expect(await runs.take("ann", 3)).toBeDefined();
    expect(await runs.take("bob", 0)).toBeUndefined();
    runs[Symbol.dispose]();
  });
});

test("slots are renewed as long as the process is there to hold them", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { redis } = setUp();
  const alive = async () => new Set(["here"]);
  const runs = new SharedConcurrencyLimit({ redis, name: "runs", max: 2, alive });
  await runs.take("ann");
  expect(vi.getTimerCount()).toBe(1);
  runs[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});

test("a rate is counted in Redis, and here while that is away", async () => {
  const { world, redis } = setUp();
  const rate = sharedRateLimit(
    { what: "things in a minute", times: 2, perMs: 60_000 },
    { redis, name: "runs" },
  );
  for (let count = 0; count < 2; count++) await rate.take("ann");
  await expect(rate.take("ann")).rejects.toMatchObject(limited);
  expect(world.sent).toEqual(["EVAL", "EVAL", "EVAL"]);
  world.state = "is away";
  for (let count = 0; count < 2; count++) await rate.take("ann");
  await expect(rate.take("ann")).rejects.toMatchObject(limited);
  await rate.takeWithin("ann", 10);
  await expect(rate.forget?.("ann")).rejects.toThrow("away");
  world.state = "takes";
  await rate.forget?.("ann");
  expect(world.sent.at(-1)).toBe("DEL");
});
