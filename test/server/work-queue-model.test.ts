/**
 * Queries of several users in the work queue, begun, answered and left at the moments of a schedule: no limit is
 * passed, whoever waits begins in order as soon as there is room, and nobody for ever.
 */
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import type { QuerySlot } from "../../src/server/pacing/user-work.ts";
import { WorkQueue } from "../../src/server/pacing/work-queue.ts";
import { withOwnClock } from "../support/own-clock.ts";

const users = ["ann", "bob", "cem"] as const;
const limits = {
  ...{ maxQueries: 3, maxQueriesPerUser: 2 },
  ...{ maxCallsPerSecondPerUser: 10, maxAnswerBytesPerSecondPerUser: 1_000 },
};
const unseen = { stalledMs: () => 0, cut: () => {} };
const limited = { code: "RATE_LIMITED" };

withOwnClock();

interface Query {
  readonly user: string;
  readonly number: number;
  slot?: QuerySlot;
}

const user = fc.constantFrom(...users);
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ asks: user }) },
  { weight: 5, arbitrary: fc.record({ isAnswered: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ charges: user }) },
  { weight: 4, arbitrary: fc.constantFrom("turn" as const, 50, 500, 5_000) },
);

/** Of any length up to that: without a size, of ten at most. */
const schedule = fc.array(happening, { maxLength: 50, size: "max" });

test("as many at once as may be, in order, and all of them in the end", async () => {
  const property = fc.asyncProperty(schedule, async (happenings) => {
    vi.clearAllTimers();
    const work = new WorkQueue(limits);
    const asked: Query[] = [];
    const begun: Query[] = [];
    const open: Query[] = [];
    const hold = (): void => {
      expect(open.length).toBeLessThanOrEqual(limits.maxQueries);
      for (const name of users) {
        const of = (all: readonly Query[]) => all.filter((it) => it.user === name);
        expect(of(open).length).toBeLessThanOrEqual(limits.maxQueriesPerUser);
        expect(of(begun)).toEqual(of(asked).slice(0, of(begun).length));
      }
    };
    const nextTurn = async () => {
      await turn();
      hold();
    };
    const answer = (query: Query) => {
      open.splice(open.indexOf(query), 1);
      query.slot?.release();
      // A second time is none.
      query.slot?.release();
    };
    const ask = (name: string) => {
      const query: Query = { user: name, number: asked.length };
      asked.push(query);
      void (async () => {
        query.slot = await work.enter(name, unseen, { bounded: false });
        begun.push(query);
        open.push(query);
      })();
    };
    for (const it of happenings) {
      if (typeof it === "number") vi.advanceTimersByTime(it);
      else if (it === "turn") await nextTurn();
      else if ("asks" in it) ask(it.asks);
      else if ("charges" in it) work.charge(it.charges, 500);
      else if (open[it.isAnswered]) answer(open[it.isAnswered] as Query);
      await nextTurn();
    }
    // Without any debt, whoever may begin has begun.
    vi.advanceTimersByTime(60_000);
    for (let turns = 0; turns < 10; turns++) await nextTurn();
    const waiting = asked.filter((query) => query.slot === undefined);
    const mayBegin = waiting.filter(
      (query) => open.filter((it) => it.user === query.user).length < limits.maxQueriesPerUser,
    );
    if (open.length < limits.maxQueries) expect(mayBegin).toEqual([]);
    for (let rounds = 0; rounds < 2 * asked.length; rounds++) {
      for (const query of [...open]) answer(query);
      vi.advanceTimersByTime(1_000);
      for (let turns = 0; turns < 4; turns++) await nextTurn();
    }
    expect([open, begun.length]).toEqual([[], asked.length]);
    work[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });
  await fc.assert(property, { numRuns: 60 });
});

test("a user's calls, however they are made, are no faster than their rate but for a second's worth", async () => {
  for (const call of ["a query", "a mutation", "refused"]) {
    using work = new WorkQueue(limits);
    let made = 0;
    const make = async () => {
      if (call === "a query") {
        const slot = await work.enter("ann", unseen, { bounded: false });
        slot.release();
      } else if (call === "refused") {
        await work.owed("ann");
        work.countRefused("ann");
      } else await work.pace("ann", { bounded: false });
      made += 1;
    };
    void (async () => {
      for (;;) await make();
    })();
    for (let tenths = 0; tenths < 50; tenths++) {
      for (let turns = 0; turns < 30; turns++) await turn();
      expect([call, made > tenths + 11 + 1]).toEqual([call, false]);
      vi.advanceTimersByTime(100);
    }
    expect([call, made > 50]).toEqual([call, true]);
    await work.enter("bob", unseen, { bounded: true });
  }
});

test("who has waited for their rate begins before what comes later, though the thread was too busy for the timer", async () => {
  let nowMs = 0;
  const now = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  onTestFinished(() => now.mockRestore());
  using work = new WorkQueue(limits);
  const begun: string[] = [];
  const ask = (name: string) =>
    Promise.resolve(work.enter("ann", unseen, { bounded: false })).then(() => begun.push(name));
  work.charge("ann", 3_000);
  void ask("first");
  await turn();
  expect(begun).toEqual([]);
  nowMs = 10_000;
  void ask("second");
  for (let turns = 0; turns < 4; turns++) await turn();
  expect(begun).toEqual(["first", "second"]);
});

test("in one turn of the process at most one begins, whosever they are", async () => {
  using work = new WorkQueue({ ...limits, maxQueries: 5 });
  let begun = 0;
  for (const name of ["ann", "bob", "cem", "dan", "eve"]) {
    void Promise.resolve(work.enter(name, unseen, { bounded: false })).then(() => {
      begun += 1;
    });
  }
  for (let turns = 1; turns <= 8; turns++) {
    await turn();
    // One has begun before the first.
    expect(begun).toBeLessThanOrEqual(turns + 1);
  }
  expect(begun).toBe(5);
});

test("of what is bounded no more waits than may", async () => {
  using work = new WorkQueue({ ...limits, maxCallsPerSecondPerUser: 1e6 });
  const enter = (bounded: boolean) =>
    Promise.resolve().then(() => work.enter("ann", unseen, { bounded }));
  for (let count = 0; count < limits.maxQueriesPerUser + 256; count++) {
    void enter(true);
    await turn();
  }
  await expect(enter(true)).rejects.toMatchObject(limited);
  void enter(false);
  await turn();
  // Who would wait for longer than some seconds is refused, and who is not bounded waits.
  const pace = (bounded: boolean) => Promise.resolve().then(() => work.pace("bob", { bounded }));
  work.charge("bob", 6_000);
  const waits = pace(true);
  await turn();
  work.charge("bob", 1);
  await expect(pace(true)).rejects.toMatchObject(limited);
  let paced = false;
  void pace(false).then(() => {
    paced = true;
  });
  await turn();
  expect(paced).toBe(false);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(paced).toBe(true);
  await waits;
});

test("who owes time still owes it when nothing of theirs is under way", async () => {
  using work = new WorkQueue(limits);
  work.charge("ann", 30_000);
  vi.advanceTimersByTime(5_000);
  let paced = false;
  void Promise.resolve(work.pace("ann", { bounded: false })).then(() => {
    paced = true;
  });
  await turn();
  expect(paced).toBe(false);
  await vi.advanceTimersByTimeAsync(24_500);
  expect(paced).toBe(true);
});

test.each([
  // How long a holder has taken nothing, who waits, and whether it is cut.
  [5_000, "another user", 3, true],
  [4_999, "another user", 3, false],
  [60_000, "nobody", 3, false],
  [60_000, "another user", 1, false],
  [5_000, "the same user", 2, true],
])("stalled for %d ms while %s waits behind %d: cut: %s", async (stalledMs, who, count, isCut) => {
  using work = new WorkQueue({ ...limits, maxCallsPerSecondPerUser: 1e6 });
  const holders = Array.from({ length: count }, () => ({
    stalledMs: () => stalledMs,
    cut: vi.fn(),
  }));
  for (const [index, holder] of holders.entries()) {
    void work.enter(who === "the same user" ? "ann" : (users[index] ?? ""), holder, {
      bounded: false,
    });
    await turn();
  }
  if (who !== "nobody") {
    const waits = who === "the same user" ? "ann" : "dan";
    void work.enter(waits, unseen, { bounded: false });
    await turn();
  }
  vi.advanceTimersByTime(1_000);
  const cuts = holders.map(({ cut }) => cut.mock.calls.length > 0);
  expect(cuts).toEqual(holders.map(() => isCut));
});
