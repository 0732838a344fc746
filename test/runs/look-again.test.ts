/** What a reader asks the store for to whom nothing has come for a while. */
import { expect, onTestFinished, test, vi } from "vitest";
import { lookAgain } from "../../src/runs/following/look-again.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { begin, endingOf, exchange } from "../store/store-place.ts";

async function setUp() {
  const store = await openSqliteStore({ path: ":memory:" });
  onTestFinished(() => store[Symbol.asyncDispose]());
  const first = await exchange(store);
  const log = { interruptions: 0 };
  const { conversationId } = first;
  const look = lookAgain({
    store,
    userId: "alice",
    conversationId,
    interruptions: () => log.interruptions,
  });
  return { store, conversationId, end: first.endSeq ?? 0, log, look };
}

test("a watcher who misses nothing asks the store once, until the log was interrupted", async () => {
  const { store, log, look, end } = await setUp();
  const asked = vi.spyOn(store.conversations, "isMember");
  for (let looks = 0; looks < 5; looks++) expect(await look(end)).toEqual([]);
  expect(asked).toHaveBeenCalledTimes(1);
  log.interruptions += 1;
  for (let looks = 0; looks < 5; looks++) expect(await look(end)).toEqual([]);
  expect(asked).toHaveBeenCalledTimes(2);
});

test("a run in progress is looked after until it has ended, and the log goes first", async () => {
  const { store, conversationId, look, end } = await setUp();
  const run = await begin(store, { conversationId });
  const place = end + 1;
  for (let looks = 0; looks < 3; looks++) expect(await look(place)).toEqual([]);
  await store.runs.finish(endingOf(run, { text: "done" }));
  expect(await look(place)).toEqual([]);
  // Something came of it meanwhile.
  expect(await look(place + 1)).toEqual([]);
  const [ended, ...others] = await look(place + 1);
  expect(ended?.event).toMatchObject({ type: "runEnd", runId: run.runId, text: "done" });
  expect(others).toEqual([]);
  expect(await look(ended?.seq ?? 0)).toEqual([]);
});

test("runs that went by are told one after another, without more waiting", async () => {
  const { store, conversationId, log, look, end } = await setUp();
  await look(end);
  for (let runs = 0; runs < 30; runs++) await exchange(store, { conversationId });
  log.interruptions += 1;
  await look(end);
  const told = await look(end);
  expect(told.map(({ type }) => type)).toEqual(
    Array.from({ length: 20 }, () => ["runStart", "runEnd"]).flat(),
  );
  expect(await look(told.at(-1)?.seq ?? 0)).toHaveLength(2 * 10);
});

test("whoever may no longer read learns nothing", async () => {
  const { store, conversationId, log, look, end } = await setUp();
  await look(end);
  await exchange(store, { conversationId });
  await store.conversations.delete(conversationId, "alice");
  log.interruptions += 1;
  await expect(look(end)).rejects.toMatchObject({ code: "NOT_FOUND" });
});
