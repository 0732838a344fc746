/**
 * Slots of several processes in a real Redis beside a count of them: taken, given back, renewed, left by processes
 * that were killed, with their expiry or as soon as somebody knows. Time does not pass: slots are made older.
 */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ConcurrencySlots } from "../../src/redis/concurrency-slots.ts";
import { Redis } from "../../src/redis/redis.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";

const [max, keptMs, stepMs] = [2, 60_000, 15_000];
const names = ["one", "two", "three"] as const;
const users = ["ann", "bob"] as const;

needsRedis("concurrency slots", () => {
  let server: TestRedis;
  let processes: Redis[];

  beforeAll(async () => {
    server = await startRedis();
    processes = await Promise.all(
      names.map((nodeId) => Redis.open({ url: server.url, prefix: "p", nodeId })),
    );
  });
  afterAll(async () => {
    for (const redis of processes) await redis[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
  afterEach(() => void vi.useRealTimers());

  const happening = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        takes: fc.nat(2),
        user: fc.nat(1),
        own: fc.constantFrom(undefined, undefined, undefined, 1, Number.POSITIVE_INFINITY),
      }),
    },
    { weight: 4, arbitrary: fc.record({ releases: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kills: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ isKnown: fc.boolean() }) },
    { weight: 3, arbitrary: fc.constant("time passes" as const) },
  );

  interface Slot {
    readonly process: number;
    readonly user: number;
    readonly release: () => void;
    leftMs: number;
  }

  test("as many as the limit says, whoever holds them, and those of the lost come back", async () => {
    const property = fc.asyncProperty(
      fc.array(happening, { maxLength: 20, size: "max" }),
      async (happenings) => {
        const name = `slots:${randomUUID()}`;
        const killed = new Set<number>();
        let isKnown = true;
        const alive = async () =>
          isKnown ? new Set<string>(names.filter((_, index) => !killed.has(index))) : undefined;
        const all = processes.map(
          (redis) => new ConcurrencySlots({ redis, name, max, keptMs, alive }),
        );
        const keyOf = (user: number) => `p:${name}:${users[user]}`;
        /** What was sent before on every connection has been carried out. */
        const settled = () => Promise.all(processes.map(({ link }) => link.send("", ["PING"])));
        let slots: Slot[] = [];
        const of = (user: number) => slots.filter((slot) => slot.user === user);
        for (const it of happenings) {
          if (it === "time passes") {
            for (const user of users.keys()) {
              const link = processes[0]?.link;
              for (const member of (await link?.send<string[]>("", [
                "ZRANGE",
                keyOf(user),
                "0",
                "-1",
              ])) ?? []) {
                await link?.send("", ["ZINCRBY", keyOf(user), String(-stepMs), member]);
              }
            }
            for (const slot of slots)
              slot.leftMs = killed.has(slot.process) ? slot.leftMs - stepMs : keptMs;
            slots = slots.filter(({ leftMs }) => leftMs > 0);
            vi.advanceTimersByTime(stepMs);
          } else if ("isKnown" in it) isKnown = it.isKnown;
          else if ("kills" in it) {
            if (killed.size === 2) continue;
            killed.add(it.kills);
            all[it.kills]?.[Symbol.dispose]();
          } else if ("releases" in it) {
            const slot = slots[it.releases];
            if (slot === undefined || killed.has(slot.process)) continue;
            slot.release();
            slots = slots.filter((other) => other !== slot);
          } else {
            const { takes, user, own } = it;
            if (killed.has(takes)) continue;
            const release = await all[takes]?.take(users[user] ?? "", own);
            // Only who finds the limit reached looks for those that are lost.
            if (of(user).length >= (own ?? max) && isKnown) {
              slots = slots.filter((slot) => slot.user !== user || !killed.has(slot.process));
            }
            expect(release !== undefined).toBe(of(user).length < (own ?? max));
            if (release !== undefined)
              slots.push({ process: takes, user, release, leftMs: keptMs });
          }
          await settled();
          for (const user of users.keys()) {
            const link = processes[0]?.link;
            const now = Date.now();
            const held =
              (await link?.send<number>("", ["ZCOUNT", keyOf(user), String(now), "+inf"])) ?? 0;
            expect([it, held]).toEqual([it, of(user).length]);
            // Redis itself is left nothing for ever.
            const ttl = await link?.send<number>("", ["PTTL", keyOf(user)]);
            expect(ttl === -2 || (ttl ?? 0) > 0).toBe(true);
          }
        }
        for (const one of all) one[Symbol.dispose]();
        expect(vi.getTimerCount()).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  test.each([
    // Who holds them, whether anybody knows that those are gone, and how many are given out at once, and later.
    ["the living", false, true, 0, 0],
    ["the lost", true, true, max, 0],
    ["the lost, of which nobody knows", true, false, 0, max],
  ])("of slots that are held by %s", async (_who, areLost, isKnown, atOnce, later) => {
    const name = `slots:${randomUUID()}`;
    const [one, two] = processes;
    if (one === undefined || two === undefined) return;
    const alive = async () => (isKnown ? new Set(areLost ? ["two"] : ["one", "two"]) : undefined);
    const options = { name, max, keptMs, alive };
    using before = new ConcurrencySlots({ redis: one, ...options });
    for (let count = 0; count < max; count++) await before.take("ann");
    if (areLost) before[Symbol.dispose]();
    using slots = new ConcurrencySlots({ redis: two, ...options });
    const takeAll = async () => {
      let taken = 0;
      while (taken <= max && (await slots.take("ann")) !== undefined) taken += 1;
      return taken;
    };
    expect(await takeAll()).toBe(atOnce);
    for (const member of await one.link.send<string[]>("", [
      "ZRANGE",
      `p:${name}:ann`,
      "0",
      "-1",
    ])) {
      if (!member.startsWith("one ")) continue;
      await one.link.send("", ["ZINCRBY", `p:${name}:ann`, String(-keptMs), member]);
    }
    vi.advanceTimersByTime(stepMs);
    await Promise.all(processes.map(({ link }) => link.send("", ["PING"])));
    expect(await takeAll()).toBe(later);
    const held = await one.link.send<number>("", ["ZCARD", `p:${name}:ann`]);
    expect(held).toBe(max);
  });

  test("a slot that Redis has lost is there again with the next renewal", async () => {
    const name = `slots:${randomUUID()}`;
    const alive = async () => new Set<string>(names);
    const [redis] = processes;
    if (redis === undefined) return;
    using slots = new ConcurrencySlots({ redis, name, max: 1, keptMs, alive });
    const release = await slots.take("ann");
    await redis.link.send("", ["DEL", `p:${name}:ann`]);
    vi.advanceTimersByTime(stepMs);
    expect(await slots.take("ann")).toBeUndefined();
    expect(await redis.link.send<number>("", ["PTTL", `p:${name}:ann`])).toBeGreaterThan(
      keptMs / 2,
    );
    release?.();
    vi.advanceTimersByTime(stepMs);
    expect(await slots.take("ann")).toBeDefined();
  });
});
