/** Who is next among users whose queries wait, and what is kept of those who have none. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test, vi } from "vitest";
import type { QuerySlot } from "../../src/server/pacing/user-work.ts";
import { WorkQueue } from "../../src/server/pacing/work-queue.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const rates = { maxCallsPerSecondPerUser: 1e6, maxAnswerBytesPerSecondPerUser: 1e12 };
const unseen = { stalledMs: () => 0, cut: () => {} };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function queueWith(limits: { maxQueries: number; maxQueriesPerUser: number }) {
  const work = new WorkQueue({ ...limits, ...rates });
  onTestFinished(() => work[Symbol.dispose]());
  const begun: string[] = [];
  const slots: QuerySlot[] = [];
  const enter = (userId: string, count: number) => {
    for (let index = 0; index < count; index++) {
      void Promise.resolve(work.enter(userId, unseen, { bounded: false })).then((slot) => {
        begun.push(userId);
        slots.push(slot);
      });
    }
  };
  /** The oldest that is at work is done. */
  const release = async () => {
    slots.shift()?.release();
    await turn();
    await turn();
  };
  return { work, begun, enter, release };
}

test("users take turns, however many queries of one wait, and whoever comes is behind who waits", async () => {
  const { begun, enter, release } = queueWith({ maxQueries: 1, maxQueriesPerUser: 1 });
  enter("ann", 4);
  enter("bob", 2);
  await turn();
  expect(begun).toEqual(["ann"]);
  await release();
  enter("cem", 1);
  for (let count = 0; count < 8; count++) await release();
  expect(begun).toHaveLength(7);
  // Between two of one user's, each of the others who waits has had one.
  expect(begun.slice(1, 4)).toContain("bob");
  expect(begun.slice(2, 6)).toContain("cem");
});

test("one user's are limited, and where the limit is reached others go past", async () => {
  const { begun, enter, release } = queueWith({ maxQueries: 3, maxQueriesPerUser: 2 });
  enter("ann", 4);
  enter("bob", 1);
  for (let turns = 0; turns < 6; turns++) await turn();
  expect(begun).toEqual(["ann", "ann", "bob"]);
  await release();
  expect(begun).toEqual(["ann", "ann", "bob", "ann"]);
  await release();
  expect(begun).toEqual(["ann", "ann", "bob", "ann", "ann"]);
});

test("a slot that is given back twice is one", async () => {
  const { work, begun, enter } = queueWith({ maxQueries: 1, maxQueriesPerUser: 1 });
  const slot = await work.enter("ann", unseen, { bounded: false });
  enter("bob", 1);
  enter("cem", 1);
  await turn();
  slot.release();
  await turn();
  slot.release();
  for (let turns = 0; turns < 6; turns++) await turn();
  expect(begun).toEqual(["bob"]);
});

test("of users who have nothing under way nothing is kept", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const { work } = queueWith({ maxQueries: 1, maxQueriesPerUser: 1 });
  const users = 50_000;
  const pass = async (name: string) => {
    for (let index = 0; index < users; index++) {
      work.countRefused(`${name} ${index}`);
      if (index % 1_000 === 0) await turn();
    }
    vi.advanceTimersByTime(5_000);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await pass("first");
  const after = await pass("second");
  // A user takes more than a hundred bytes.
  expect(after - before).toBeLessThan(50 * users);
});
