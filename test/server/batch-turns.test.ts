/** The calls of one HTTP request: one after another, and their slot comes back, whoever leaves when. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { BatchTurns, maxBatchAnswerBytes } from "../../src/server/http/batch-turns.ts";
import { WorkQueue } from "../../src/server/pacing/work-queue.ts";

const unseen = { stalledMs: () => 0, cut: () => {} };
const limits = {
  ...{ maxQueries: 1, maxQueriesPerUser: 1 },
  ...{ maxCallsPerSecondPerUser: 1e6, maxAnswerBytesPerSecondPerUser: 1e12 },
};

let work: WorkQueue;

beforeEach(() => {
  work = new WorkQueue(limits);
});
afterEach(() => {
  work[Symbol.dispose]();
});

const turns = async (count = 5): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const batchOf = (userId: string) => new BatchTurns({ work, userId, holder: unseen });

/** Whether somebody else's query would begin now. */
async function isFree(): Promise<boolean> {
  const batch = batchOf("somebody else");
  let begun = false;
  void batch.enterCall("query").then(
    () => {
      begun = true;
    },
    () => {},
  );
  await turns();
  batch.end();
  return begun;
}

test("the calls begin one after another, and the slot is the request's until it is over", async () => {
  const batch = batchOf("ann");
  const begun: number[] = [];
  const types = ["query", "mutation", "query"] as const;
  const entering = types.map(async (type, index) => {
    const leave = await batch.enterCall(type);
    begun.push(index);
    return leave;
  });
  for (let index = 0; index < types.length; index++) {
    await turns();
    expect(begun).toEqual(Array.from({ length: index + 1 }, (_, at) => at));
    (await entering[index])?.("answer");
  }
  expect(await isFree()).toBe(false);
  batch.end();
  expect(await isFree()).toBe(true);
});

test("a request whose caller leaves gives its slot back, also where it only waits for one", async () => {
  const first = batchOf("ann");
  await first.enterCall("query");
  const second = batchOf("bob");
  const waiting = second.enterCall("query").catch((cause: unknown) => cause);
  await turns();
  second.end();
  first.end();
  expect(await waiting).toMatchObject({ code: "BAD_INPUT" });
  expect(await isFree()).toBe(true);
});

test("a call that is refused holds up none behind it", async () => {
  const batch = batchOf("ann");
  const first = await batch.enterCall("query");
  const calls = [batch.enterCall("query"), batch.enterCall("mutation"), batch.enterCall("query")];
  first("x".repeat(maxBatchAnswerBytes));
  const refused = await Promise.allSettled(calls);
  expect(refused.map(({ status }) => status)).toEqual(Array(3).fill("rejected"));
  batch.end();
  expect(await isFree()).toBe(true);
});

test.each(["query", "mutation"] as const)(
  "what a %s is answered is its caller's to pay for, and nobody else's",
  async (type) => {
    using paced = new WorkQueue({ ...limits, maxAnswerBytesPerSecondPerUser: 1_000 });
    const batch = new BatchTurns({ work: paced, userId: "ann", holder: unseen });
    (await batch.enterCall(type))("a short one");
    expect(paced.owed("ann")).toBeUndefined();
    (await batch.enterCall(type))({ items: ["x".repeat(60_000)] });
    expect(paced.owed("ann")).toBeInstanceOf(Promise);
    expect(paced.owed("bob")).toBeUndefined();
    batch.end();
  },
);
