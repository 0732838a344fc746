/** What a reader leaves behind, however and whenever it ends; and when it takes nothing for silence. */
import { randomUUID } from "node:crypto";
import { getEventListeners } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import type { EventLog } from "../../src/log/log.ts";
import type { FollowOptions } from "../../src/runs/following/follow-options.ts";
import { Follower } from "../../src/runs/following/follower.ts";

const runId = randomUUID();
const entryOf = (seq: number) =>
  LogEntry.of(seq, { type: "custom", runId, spanId: "s", name: `${seq}` });

/** A log that subscribes and is read when the test says so. */
function setUp(more: Partial<FollowOptions> = {}) {
  const stopping = new AbortController();
  const world = {
    ...{ entries: [] as LogEntry[], unsubscribed: 0, closed: 0, asked: 0, change: () => {} },
    subscribing: Promise.resolve(),
  };
  const log: Pick<EventLog, "subscribe" | "read"> = {
    subscribe: async (_id, onChange) => {
      await world.subscribing;
      world.change = onChange;
      return () => {
        world.unsubscribed += 1;
      };
    },
    read: (_id, after) => ({ entries: world.entries.filter(({ seq }) => seq > after), oldest: 1 }),
  };
  const { signal } = stopping;
  const start = () =>
    Follower.start({
      ...{ log: log as EventLog, conversationId: "c", after: 0, signal },
      backfill: {
        acrossGap: async () => [],
        afterSilence: async () => {
          world.asked += 1;
          return [];
        },
        isWithinArchive: () => false,
      },
      onClose: () => {
        world.closed += 1;
      },
      ...more,
    });
  const append = () => {
    world.entries.push(entryOf(world.entries.length + 1));
    world.change();
  };
  return { world, stopping, start, append, listeners: () => getEventListeners(signal, "abort") };
}

type World = ReturnType<typeof setUp>;

const endings: Record<string, (follower: Follower, world: World) => unknown> = {
  "its caller leaves": (_follower, { stopping }) => stopping.abort(),
  "it is returned": (follower) => follower.return(),
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
  expect([it.listeners().length, it.world.unsubscribed, it.world.closed]).toEqual([0, 1, 1]);
});

test("one whose caller leaves while the log takes it in is let go of by the log", async () => {
  const it = setUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  it.world.subscribing = promise;
  const starting = it.start();
  it.stopping.abort();
  expect(it.world.closed).toBe(1);
  resolve();
  expect((await starting).closed).toBe(true);
  expect([it.listeners().length, it.world.unsubscribed, it.world.closed]).toEqual([0, 1, 1]);
});

test("one whose caller had left before never comes to the log", async () => {
  const it = setUp();
  it.stopping.abort();
  expect((await it.start()).closed).toBe(true);
  expect([it.listeners().length, it.world.unsubscribed, it.world.closed]).toEqual([0, 0, 1]);
});

test("one that the log does not take in is over", async () => {
  const it = setUp();
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
