/** What a reader leaves behind, however and whenever it ends; and when it takes nothing for silence. */
import { expect, onTestFinished, test, vi } from "vitest";
import type { Follower } from "../../src/runs/following/follower.ts";
import { setUp } from "./follower-bench.ts";

type World = ReturnType<typeof setUp>;

const endings: Record<string, (follower: Follower, world: World) => unknown> = {
  "its caller leaves": (_follower, { stopping }) => stopping.abort(),
  "it is returned": (follower) => follower.return(),
  "it is disposed of": (follower) => follower[Symbol.asyncDispose](),
  "it may read no more": (follower) => follower.fail(new Error("removed")),
};

test.each(Object.entries(endings))("once %s, nothing of it is left", async (_how, end) => {
  const it = setUp();
  const follower = await it.start();
  const reading = follower.next().then(
    () => undefined,
    () => undefined,
  );
  expect(it.listeners()).toHaveLength(1);
  await end(follower, it);
  await reading;
  expect(follower.closed).toBe(true);
  const { world } = it;
  expect([it.listeners().length, world.unsubscribed, world.closed]).toEqual([0, 1, [follower]]);
  // A second end is none.
  await end(follower, it);
  world.change();
  expect([world.unsubscribed, world.closed.length]).toEqual([1, 1]);
});

test("one whose caller leaves while the log takes it in is let go of by the log", async () => {
  const it = setUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  it.world.subscribing = promise;
  const starting = it.start();
  it.stopping.abort();
  expect(it.world.closed).toHaveLength(1);
  resolve();
  expect((await starting).closed).toBe(true);
  expect([it.listeners().length, it.world.unsubscribed, it.world.closed.length]).toEqual([0, 1, 1]);
});

test.each([
  ["whose caller had left before", { signal: AbortSignal.abort() }],
  ["to whom nothing can come", { complete: true }],
])("one %s never comes to the log", async (_who, options) => {
  const it = setUp(options);
  const follower = await it.start();
  expect(await follower.next()).toEqual({ done: true, value: undefined });
  expect([it.listeners().length, it.world.unsubscribed, it.world.closed]).toEqual([
    ...[0, 0, [follower]],
  ]);
});

test.each([
  ["whose caller can leave", {}],
  ["whose caller cannot", { signal: undefined }],
])("one %s, and that the log does not take in, is over", async (_who, options) => {
  const it = setUp(options);
  it.world.subscribing = Promise.reject(new Error("no connection"));
  await expect(it.start()).rejects.toThrow("no connection");
  expect(it.listeners()).toEqual([]);
});

test("the store is asked when nothing has come for so long, and not while something comes", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const silenceMs = 1_000;
  const it = setUp({ silenceMs });
  const follower = await it.start();
  const taken: number[] = [];
  const delivering = follower.deliver(({ seq }) => void taken.push(seq));
  for (let count = 0; count < 10; count++) {
    await vi.advanceTimersByTimeAsync(silenceMs * 0.6);
    it.append();
  }
  expect([taken.length, it.world.asked]).toEqual([10, 0]);
  await vi.advanceTimersByTimeAsync(silenceMs - 1);
  expect(it.world.asked).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(it.world.asked).toBe(1);
  await vi.advanceTimersByTimeAsync(3 * silenceMs);
  expect(it.world.asked).toBe(4);
  await follower.return();
  await delivering;
  expect(vi.getTimerCount()).toBe(0);
});

test("where the log tells everything, the store is not asked, and no time is counted", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const it = setUp();
  const follower = await it.start();
  const delivering = follower.deliver(() => {});
  it.append();
  expect(vi.getTimerCount()).toBe(0);
  await follower.return();
  await delivering;
});

test("a reader that the log fails is over, and lets go of it", async () => {
  const it = setUp();
  const follower = await it.start();
  const broken = new Error("broken");
  Object.defineProperty(it.world, "oldest", {
    get: () => {
      throw broken;
    },
  });
  await expect(follower.next()).rejects.toBe(broken);
  expect([follower.closed, it.world.unsubscribed, it.listeners()]).toEqual([true, 1, []]);
});

test("a reader that may not read on says why, each time, and the first reason is the one", async () => {
  const it = setUp();
  const follower = await it.start();
  const reading = follower.next();
  const removed = new Error("removed");
  follower.fail(removed);
  follower.fail(new Error("and then something else"));
  for (const next of [reading, follower.next(), follower.next()]) {
    await expect(next).rejects.toBe(removed);
  }
});
