import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Archiver } from "../../src/runs/archives/archiver.ts";
import { Finalizer } from "../../src/runs/lifecycle/finalizer.ts";
import { StoreWatch } from "../../src/runs/lifecycle/store-watch.ts";
import type { RunEnding } from "../../src/runs/run-events.ts";
import type { Ending, Finished, Restored, Run, Store } from "../../src/store/store.ts";
import { pass, withOwnClock } from "../support/own-clock.ts";

const timeoutMs = 10_000;
/** By then a store that is back was asked, and has been given what it lacks. */
const longMs = 5_000;
const at = "2026-01-01T00:00:00.000Z";
const away = new LangwireError("STORE_UNAVAILABLE");

withOwnClock();

/** What the store makes of a run's endings: it takes them, refuses the first, or all. */
type Kind = "taken" | "refused once" | "refused";

class World {
  answers: "in time" | "away" | "never" = "in time";
  readonly stored = new Map<string, Ending>();
  /** Runs whose ending was written again though the store had it. */
  readonly repeated: string[] = [];
  readonly kinds = new Map<string, Kind>();
  /** By run that the store has not: what becomes of it where it is put back. */
  readonly missing = new Map<string, Restored>();
  readonly forgotten: unknown[] = [];
  pings = 0;
  readonly cluster = {
    storeElsewhere: false,
    onStoreElsewhere: (on: () => void) => {
      this.#elsewhere = on;
    },
  };
  #elsewhere = (): void => {};
  readonly watch = new StoreWatch(this);
  readonly finalizer: Finalizer;

  constructor() {
    const runs = {
      finish: (ending: Ending) => this.#finish(ending),
      restore: async ({ runId }: Run) => this.#restore(runId),
    };
    const forget = async (those: readonly unknown[]) => void this.forgotten.push(...those);
    this.finalizer = new Finalizer({
      store: { runs } as unknown as Pick<Store, "runs">,
      log: { healthy: true, forget },
      ...{ watch: this.watch, timeoutMs, observer: {}, cluster: this.cluster },
      archiver: new Archiver({ keepEventsMs: 0, observer: {} }),
    });
  }

  async ping(): Promise<void> {
    this.pings += 1;
    if (this.answers === "never") await new Promise(() => {});
    if (this.answers === "away") throw away;
  }

  /** Other processes reach the store, or do not. */
  elsewhere(is: boolean): void {
    this.cluster.storeElsewhere = is;
    if (is) this.#elsewhere();
  }

  /** A run ends. */
  end(kind: Kind) {
    const runId = `run ${this.kinds.size}`;
    this.kinds.set(runId, kind);
    const run = { runId, conversationId: "c", firstSeq: 1 } as Run;
    const ending: RunEnding = { status: "completed", text: runId, providerCalls: 1 };
    const askedAtMs = performance.now();
    const ended = {
      runId,
      kind,
      told: undefined as RunEnding | undefined,
      tookMs: Number.POSITIVE_INFINITY,
    };
    const end = { endSeq: 5, endedAt: at, entries: () => [] };
    const storing = this.finalizer.store({ run, conversation: undefined }, ending, end);
    void storing.then((told) => {
      ended.told = told;
      ended.tookMs = performance.now() - askedAtMs;
    });
    return ended;
  }

  async #finish(ending: Ending): Promise<Finished> {
    const { runId, error } = ending;
    if (this.answers === "never") await new Promise(() => {});
    if (this.answers === "away") throw away;
    if (this.missing.has(runId)) return { finished: false, run: undefined };
    const kind = this.kinds.get(runId);
    if (kind === "refused" || (kind === "refused once" && error === undefined)) {
      throw new TypeError("a constraint");
    }
    if (this.stored.has(runId)) this.repeated.push(runId);
    this.stored.set(runId, ending);
    return { finished: true, run: { ...ending, firstSeq: 1 } as unknown as Run };
  }

  #restore(runId: string): Restored {
    const restored = this.missing.get(runId) ?? "present";
    if (restored === "restored" || restored === "present") this.missing.delete(runId);
    return restored;
  }
}

const happening = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<Kind>("taken", "taken", "refused once", "refused") },
  {
    weight: 3,
    arbitrary: fc.record({ answers: fc.constantFrom("in time" as const, "away" as const) }),
  },
  { weight: 1, arbitrary: fc.record({ elsewhere: fc.boolean() }) },
  { weight: 4, arbitrary: fc.constantFrom(0, 300, 3_000, timeoutMs) },
);

test("each ending is told in time, and stored as it was told, once", async () => {
  const property = fc.asyncProperty(
    fc.array(happening, { maxLength: 15, size: "max" }),
    fc.boolean(),
    async (happenings, closes) => {
      const world = new World();
      const { finalizer } = world;
      const ended: ReturnType<World["end"]>[] = [];
      for (const it of happenings) {
        if (typeof it === "number") await pass(it);
        else if (typeof it === "string") ended.push(world.end(it));
        else if ("answers" in it) world.answers = it.answers;
        else world.elsewhere(it.elsewhere);
      }
      if (closes) finalizer.hurry();
      await pass(closes ? 0 : timeoutMs);
      for (const { kind, told, tookMs } of ended) {
        // One that waits for nothing is told at once, and all are told by the deadline.
        expect(tookMs).toBeLessThanOrEqual(timeoutMs);
        const status = kind === "taken" || told?.error === undefined ? "completed" : "failed";
        expect(told).toMatchObject({ status });
      }
      world.answers = "in time";
      world.elsewhere(false);
      const closing = closes ? finalizer[Symbol.asyncDispose]() : undefined;
      await pass(longMs);
      await closing;
      for (const { runId, kind, told } of ended) {
        const stored = world.stored.get(runId);
        if (kind === "refused") expect(stored).toBeUndefined();
        // One that was told while the store was away is refused when nobody can be told otherwise.
        else if (kind === "taken" || told?.error !== undefined) {
          expect(stored).toMatchObject({ status: told?.status, text: told?.text });
        }
        expect([runId, finalizer.holds(runId)]).toEqual([runId, false]);
      }
      expect(world.repeated).toEqual([]);
      // Nothing is asked any more of a store that has everything.
      world.watch[Symbol.dispose]();
      const { pings } = world;
      await pass(longMs);
      expect([world.pings - pings, vi.getTimerCount()]).toEqual([0, 0]);
    },
  );
  await fc.assert(property, { numRuns: 100 });
});

test("an ending that the store refuses is told and stored as a failure of ours, without its text", async () => {
  const world = new World();
  const ended = world.end("refused once");
  await pass(0);
  const failed = { status: "failed", text: "", error: { code: "INTERNAL" } };
  expect(ended.told).toMatchObject(failed);
  expect(world.stored.get(ended.runId)).toMatchObject({ ...failed, providerCalls: 1 });
});

test.each<[Restored, ...unknown[]]>([
  ["restored", { status: "completed", text: "run 0" }, true, []],
  ["present", { status: "completed", text: "run 0" }, true, []],
  // What it has said is nobody's to keep.
  ["deleted", { status: "completed", text: "run 0" }, false, [{ conversationId: "c" }]],
  ["superseded", { status: "failed", error: { code: "STORE_UNAVAILABLE" } }, false, []],
])(
  "of a run that the store has lost, and that is %s, all is told that there is",
  async (restored, told, isStored, forgotten) => {
    // Its ending is stored in time, or late.
    for (const isLate of [false, true]) {
      const world = new World();
      world.missing.set("run 0", restored);
      if (isLate) world.answers = "away";
      const ended = world.end("taken");
      await pass(isLate ? timeoutMs : 0);
      world.answers = "in time";
      await pass(longMs);
      expect(ended.told).toMatchObject(isLate ? { status: "completed" } : (told as object));
      expect([world.stored.has("run 0"), world.forgotten]).toEqual([isStored, forgotten]);
      expect(world.finalizer.holds("run 0")).toBe(false);
      world.watch[Symbol.dispose]();
    }
  },
);

test("a shutdown leaves a store that never answers one second, and is over then", async () => {
  const world = new World();
  world.answers = "away";
  const late = world.end("taken");
  await pass(timeoutMs);
  expect(late.told).toBeDefined();
  const waiting = world.end("taken");
  await pass(0);
  expect(waiting.told).toBeUndefined();
  world.answers = "never";
  let closed = false;
  void world.finalizer[Symbol.asyncDispose]().then(() => {
    closed = true;
  });
  await pass(0);
  // It was to be tried once more.
  await pass(1_000);
  expect([closed, waiting.told]).toEqual([true, expect.objectContaining({ status: "completed" })]);
  world.watch[Symbol.dispose]();
});

test("all who wait for a store ask it once, at a pace, until it is back", async () => {
  const world = new World();
  world.answers = "away";
  const back = [world.watch.back(), world.watch.back(), world.watch.back()];
  expect(world.watch.away).toBe(true);
  await pass(10_000);
  expect(world.pings).toBeGreaterThan(8);
  expect(world.pings).toBeLessThan(25);
  expect(world.watch.note(new Error("not away"))).toBe(false);
  expect(world.watch.note(away)).toBe(true);
  world.answers = "in time";
  await pass(1_000);
  await Promise.all(back);
  const { pings } = world;
  expect(world.watch.away).toBe(false);
  await pass(10_000);
  expect(world.pings).toBe(pings);
});
