/** The calls of one socket: in order, and each gives back what it has taken, whatever becomes of it. */
import { expect, test, vi } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { CallQueue, type QueuedCall } from "../../src/server/connections/call-queue.ts";
import type { SocketConnection } from "../../src/server/connections/socket-connection.ts";
import type { WorkQueue } from "../../src/server/pacing/work-queue.ts";

const maxWaitingCalls = 128;
const maxWaitingBytes = 64 * 1024;
const maxMutations = 16;

/** Lets everybody go on who can, however many promises are in between. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A socket and its user's share of the work, as the test has them. */
function setUp() {
  const world = {
    ...{ closing: false, reading: true, slots: 0, started: 0, charged: 0, refusing: false },
    ready: undefined as Promise<void> | undefined,
  };
  const connection = {
    get closing() {
      return world.closing;
    },
    pacer: { ready: () => world.ready },
    holdReading: () => {
      world.reading = false;
      return () => {
        world.reading = true;
      };
    },
  } as unknown as SocketConnection;
  const work = {
    pace: async () => {
      if (world.refusing) throw new LangwireError("RATE_LIMITED");
    },
    start: async () => {
      world.started += 1;
      return () => {
        world.started -= 1;
      };
    },
    enter: async () => {
      if (world.refusing) throw new LangwireError("RATE_LIMITED");
      world.slots += 1;
      return {
        release: () => {
          world.slots -= 1;
        },
      };
    },
    charge: (_userId: string, bytes: number) => {
      world.charged += bytes;
    },
  } as unknown as WorkQueue;
  const identified = Promise.withResolvers<{ userId: string }>();
  const queue = new CallQueue({ connection, work, caller: identified.promise });
  /** Calls that have begun, in order. */
  const begun: string[] = [];
  const add = (method: QueuedCall["method"], name: string, bytes = 1) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const run = vi.fn(async (asked?: () => void) => {
      begun.push(name);
      const answer = await promise;
      asked?.();
      return answer;
    });
    queue.add({ method, bytes, run });
    const end = async (answer = 0) => {
      resolve(answer);
      await turn();
    };
    return { run, end };
  };
  const identify = async () => {
    identified.resolve({ userId: "ann" });
    await turn();
  };
  return { world, add, begun, identify, refuseCaller: identified.reject };
}

test("a query holds its slot until its answer was taken, and keeps those behind it waiting", async () => {
  const { world, add, begun, identify } = setUp();
  const query = add("query", "first");
  add("query", "second");
  await turn();
  expect(begun).toEqual([]);
  await identify();
  expect([begun, world.slots]).toEqual([["first"], 1]);
  const taken = Promise.withResolvers<void>();
  world.ready = taken.promise;
  await query.end(100);
  expect([begun, world.slots, world.charged]).toEqual([["first"], 1, 100]);
  world.ready = undefined;
  taken.resolve();
  await turn();
  expect([begun, world.slots]).toEqual([["first", "second"], 1]);
});

test("queries of a socket that closes meanwhile are asked for nobody, and hold nothing", async () => {
  const { world, add, begun, identify } = setUp();
  const query = add("query", "first");
  const others = ["second", "third"].map((name) => add("query", name));
  await identify();
  world.closing = true;
  await query.end();
  expect([begun, world.slots]).toEqual([["first"], 0]);
  for (const { run } of others) expect(run).not.toHaveBeenCalled();
  // What changes something is done all the same.
  add("mutation", "fourth");
  await turn();
  expect(begun).toEqual(["first", "fourth"]);
});

test("mutations begin beside each other, so many at once, however many there were before", async () => {
  const { add, begun, identify } = setUp();
  await identify();
  for (let round = 0; round < 3; round++) {
    begun.splice(0);
    const names = Array.from({ length: maxMutations + 4 }, (_, index) => `${index}`);
    const mutations = names.map((name) => add("mutation", name));
    await turn();
    expect(begun).toEqual(names.slice(0, maxMutations));
    await mutations[3]?.end();
    expect(begun).toEqual(names.slice(0, maxMutations + 1));
    for (const { end } of mutations) await end();
    expect(begun).toEqual(names);
  }
});

test("nothing waits for a subscription's end, and what is refused holds up nobody", async () => {
  const { world, add, begun, identify } = setUp();
  await identify();
  for (let count = 0; count < 2 * maxMutations; count++) add("subscription", `${count}`);
  await turn();
  expect(begun).toHaveLength(2 * maxMutations);
  world.refusing = true;
  for (const method of ["query", "mutation", "subscription"] as const) add(method, "refused");
  await turn();
  world.refusing = false;
  add("query", "after");
  await turn();
  expect(begun.slice(2 * maxMutations)).toEqual(["after"]);
  expect(world.slots).toBe(1);
});

test.each([
  ["calls", 1, maxWaitingCalls],
  ["bytes", 1_024, maxWaitingBytes / 1_024 + 1],
])(
  "while too many %s wait, nothing is read; then it is read on, each time",
  async (_what, bytes, count) => {
    const { world, add, identify } = setUp();
    await identify();
    for (let round = 0; round < 3; round++) {
      const blocking = add("query", "blocking");
      await turn();
      const calls = Array.from({ length: count - 1 }, () => add("query", "waiting", bytes));
      expect(world.reading).toBe(true);
      calls.push(add("query", "last", bytes));
      expect(world.reading).toBe(false);
      await blocking.end();
      expect(world.reading).toBe(true);
      for (const { end } of calls) await end();
    }
  },
);

test.each([
  ["calls", 1, maxWaitingCalls],
  ["bytes", 1_024, maxWaitingBytes / 1_024 + 1],
])("as long as too many %s still wait, nothing more is read", async (_what, bytes, count) => {
  const { world, add, identify } = setUp();
  await identify();
  const calls = Array.from({ length: count + 3 }, () => add("query", "waiting", bytes));
  const reading: boolean[] = [];
  for (const { end } of calls.slice(0, 5)) {
    reading.push(world.reading);
    await end();
  }
  // The first was at work at once, and never waited.
  expect(reading).toEqual([false, false, false, true, true]);
});

test("of a caller who cannot be identified each call is answered, in order, and takes nothing", async () => {
  const { world, add, begun, refuseCaller } = setUp();
  const names = ["query", "mutation", "subscription"] as const;
  const calls = names.map((method) => add(method, method));
  refuseCaller(new LangwireError("UNAUTHORIZED"));
  await turn();
  for (const { end } of calls) await end();
  expect([begun, world.slots, world.started]).toEqual([[...names], 0, 0]);
});
