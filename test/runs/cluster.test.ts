/** One process among several, as far as it can tell: what it reaches, what it holds, whose turn it is. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SharedLog } from "../../src/log/log.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Archiver } from "../../src/runs/archives/archiver.ts";
import { Cluster } from "../../src/runs/cluster/cluster.ts";
import type {
  Broadcast,
  LeaseOptions,
  NodeLease,
  Renewal,
} from "../../src/runs/cluster/coordination.ts";
import type { Ending, Run, Store } from "../../src/store/store.ts";

const validMs = 6_000;

/** The others, the store and the log, as the test has them. */
function setUp() {
  const world = {
    ...{ storeAnswers: true, held: true, othersRenew: true as boolean | Error },
    ...{
      leaseFails: false,
      renewed: 0,
      received: 0,
      checked: 0,
      reaped: 0,
      notices: [] as string[],
    },
    ...{ elsewhere: 0, cutOffs: 0, disposed: [] as string[] },
    owners: async (): Promise<string[]> => [],
    run: undefined as Run | undefined,
    endSeqs: [] as number[],
    pings: Promise.resolve(),
    says: (_message: string): void => {},
  };
  let lease: LeaseOptions | undefined;
  const nodeLease: NodeLease = {
    get held() {
      return world.held;
    },
    othersRenew: async () => {
      if (world.othersRenew instanceof Error) throw world.othersRenew;
      return world.othersRenew;
    },
    renew: async () => {
      world.renewed += 1;
    },
    census: async () => (world.run ? { alive: new Set<string>(), gone: ["gone"] } : undefined),
    clear: async () => true,
    [Symbol.asyncDispose]: async () => void world.disposed.push("lease"),
  };
  const broadcast: Broadcast = {
    publish: (message) => void world.notices.push(message),
    receive: async () => {
      world.received += 1;
    },
    remove: async () => {},
    [Symbol.asyncDispose]: async () => void world.disposed.push("broadcast"),
  };
  const store = {
    ping: async () => {
      await world.pings;
      if (!world.storeAnswers) throw new LangwireError("STORE_UNAVAILABLE");
    },
    runs: {
      owners: () => {
        world.reaped += 1;
        return world.owners();
      },
      ownedBy: async () => [world.run],
      finish: async ({ endSeq }: Ending) => {
        world.endSeqs.push(endSeq);
        return { finished: true, run: { ...world.run, endSeq, status: "failed" } };
      },
    },
  } as unknown as Store;
  const log = {
    interruptions: 0,
    checkWriters: () => {
      world.checked += 1;
    },
    open: async () => ({
      lastSeq: 1,
      append: () => 1,
      flushed: async () => {},
      close() {},
      abandon() {},
    }),
    readStored: async () => ({ entries: [], oldest: undefined }),
    openRunsOf: async () => [],
    forgetOpenRunsOf: async () => {},
  } as unknown as SharedLog;
  const join = async () => {
    const cluster = await Cluster.join({
      ...{ log, store, times: { proofs: { renewMs: 2_000, validMs } } },
      coordination: {
        nodeId: "here",
        takeLease: async (options) => {
          if (world.leaseFails) throw new Error("no connection");
          lease = options;
          return nodeLease;
        },
        openBroadcast: async (onMessage) => {
          world.says = onMessage;
          return broadcast;
        },
      },
      observer: {},
      archiver: new Archiver({ keepEventsMs: 0, observer: {} }),
    });
    cluster.onStoreElsewhere(() => {
      world.elsewhere += 1;
    });
    cluster.onCutOff(() => {
      world.cutOffs += 1;
    });
    return cluster;
  };
  /** What happens before each renewal. @returns whether this process may renew its lease */
  const isAble = async () => await (lease ?? expect.fail("not joined")).isAble();
  const renewed = async (renewal: Partial<Renewal> = {}) => {
    lease?.onRenewed({ lapsed: false, reaper: false, ...renewal });
    await vi.advanceTimersByTimeAsync(0);
  };
  return { world, log, join, isAble, renewed };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("without the store it is cut off once others had it all along, until it has the store again", async () => {
  const { world, join, isAble } = setUp();
  await using cluster = await join();
  const state = () => [cluster.storeElsewhere, cluster.cutOff, world.cutOffs];
  expect([await isAble(), ...state()]).toEqual([true, false, false, 0]);
  world.storeAnswers = false;
  expect([await isAble(), ...state()]).toEqual([false, true, false, 0]);
  await vi.advanceTimersByTimeAsync(validMs - 1);
  expect([await isAble(), ...state()]).toEqual([false, true, false, 0]);
  await vi.advanceTimersByTimeAsync(1);
  expect([await isAble(), ...state()]).toEqual([false, true, true, 1]);
  // Said once, however long it lasts; who waits for the store is told again and again.
  expect([await isAble(), ...state()]).toEqual([false, true, true, 1]);
  expect(world.elsewhere).toBe(4);
  world.storeAnswers = true;
  expect([await isAble(), ...state()]).toEqual([true, false, false, 1]);
  // The next time counts from its own beginning.
  world.storeAnswers = false;
  await vi.advanceTimersByTimeAsync(validMs);
  expect([await isAble(), ...state()]).toEqual([false, true, false, 1]);
});

test("where the others do not have the store either, it is nowhere else", async () => {
  const { world, join, isAble } = setUp();
  await using cluster = await join();
  [world.storeAnswers, world.othersRenew] = [false, false];
  await isAble();
  await vi.advanceTimersByTimeAsync(10 * validMs);
  await isAble();
  expect([cluster.storeElsewhere, cluster.cutOff, world.elsewhere]).toEqual([false, false, 0]);
});

test("while nobody can say what the others have, it stays as it was", async () => {
  const { world, join, isAble } = setUp();
  await using cluster = await join();
  world.storeAnswers = false;
  await isAble();
  await vi.advanceTimersByTimeAsync(validMs);
  await isAble();
  world.othersRenew = new Error("no connection");
  await isAble();
  expect([cluster.storeElsewhere, cluster.cutOff, world.cutOffs]).toEqual([true, true, 1]);
});

test("a store that does not answer is one that is out of reach", async () => {
  const { world, join, isAble } = setUp();
  await using cluster = await join();
  world.pings = new Promise(() => {});
  const able = isAble();
  await vi.advanceTimersByTimeAsync(2_000);
  expect([await able, cluster.storeElsewhere]).toEqual([false, true]);
});

test("it is there as long as it has its lease, also while it is asked", async () => {
  const { world, join } = setUp();
  await using cluster = await join();
  await cluster.ping();
  expect([cluster.joined, world.renewed]).toEqual([true, 1]);
  world.held = false;
  await expect(cluster.ping()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect([cluster.joined, world.renewed]).toEqual([false, 2]);
});

test("with each renewal it hears what it was not told; after a lapse it asks whose its runs are", async () => {
  const { world, join, renewed } = setUp();
  await using _cluster = await join();
  await renewed();
  expect([world.received, world.checked]).toEqual([1, 0]);
  await renewed({ lapsed: true });
  expect([world.received, world.checked]).toEqual([2, 1]);
});

test("in its turn it looks for those that are gone, once at a time, also after it has failed", async () => {
  const { world, join, renewed } = setUp();
  await using _cluster = await join();
  const { promise, reject } = Promise.withResolvers<string[]>();
  world.owners = () => promise;
  await renewed();
  expect(world.reaped).toBe(0);
  await renewed({ reaper: true });
  await renewed({ reaper: true });
  expect(world.reaped).toBe(1);
  reject(new Error("away"));
  await vi.advanceTimersByTimeAsync(0);
  await renewed({ reaper: true });
  expect(world.reaped).toBe(2);
});

test("what others say that this version does not know is passed over", async () => {
  const { world, join } = setUp();
  await using cluster = await join();
  const heard: object[] = [];
  cluster.onNotice((notice) => void heard.push(notice));
  for (const message of ["", "{", "null", "[]", '{"type":"later"}', '{"type":"stop"}'])
    world.says(message);
  const stop = { type: "stop" as const, runId: "r" };
  world.says(JSON.stringify({ ...stop, more: 1 }));
  expect(heard).toEqual([stop]);
});

const skewMs = 5_000;

test.each([
  // When a run began, from when this process last came to the log, and whether the log may lack some of it.
  { beganMs: -1, interrupted: false, lacks: true },
  { beganMs: skewMs - 1, interrupted: false, lacks: true },
  { beganMs: skewMs, interrupted: false, lacks: false },
  { beganMs: 60_000, interrupted: false, lacks: false },
  { beganMs: 60_000, interrupted: "before its turn", lacks: true },
  { beganMs: 60_000, interrupted: "in its turn", lacks: true },
])(
  "of a run that began at $beganMs ms, interrupted: $interrupted, events may be lost: $lacks",
  async (it) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
    const { world, log, join, renewed } = setUp();
    await using _cluster = await join();
    const startedAt = new Date(Date.now() + it.beganMs).toISOString();
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    const interrupt = () => Object.assign(log, { interruptions: 1 });
    if (it.interrupted === "before its turn") interrupt();
    world.owners = async () => {
      if (it.interrupted === "in its turn") interrupt();
      return [];
    };
    const ids = { runId: "r", conversationId: "c", botId: "b", userId: "u", owner: "gone" };
    world.run = { ...ids, message: "m", status: "running", firstSeq: 1, startedAt };
    await renewed({ reaper: true });
    // Its end has a number that no reader has had, where they may have had events that are gone.
    expect(world.endSeqs.map((seq) => seq > 1_000)).toEqual([it.lacks]);
  },
);

test("one that leaves in its turn gives its lease back after it", async () => {
  const { world, join, renewed } = setUp();
  const cluster = await join();
  const { promise, resolve } = Promise.withResolvers<string[]>();
  world.owners = () => promise;
  await renewed({ reaper: true });
  const leaving = cluster[Symbol.asyncDispose]();
  await vi.advanceTimersByTimeAsync(0);
  expect(world.disposed).toEqual([]);
  resolve([]);
  await leaving;
  expect(world.disposed).toEqual(["lease", "broadcast"]);
});

test("one that cannot join is in nothing; one that leaves gives its lease back", async () => {
  const failing = setUp();
  failing.world.leaseFails = true;
  await expect(failing.join()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(failing.world.disposed).toEqual(["broadcast"]);
  const { world, join } = setUp();
  await (await join())[Symbol.asyncDispose]();
  expect(world.disposed).toEqual(["lease", "broadcast"]);
});
