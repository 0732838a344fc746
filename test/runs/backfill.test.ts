/** What the store knows past a reader's position, across a gap and after silence. */
import { expect, onTestFinished, test, vi } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { ArchivedRuns } from "../../src/runs/following/archived-runs.ts";
import { Backfill, startingPosition } from "../../src/runs/following/backfill.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { begin, endingOf, exchange } from "../store/store-place.ts";

async function setUp() {
  const store = await openSqliteStore({ path: ":memory:" });
  onTestFinished(() => store[Symbol.asyncDispose]());
  const first = await exchange(store);
  const log = { interruptions: 0 };
  const { conversationId } = first;
  const interruptions = () => log.interruptions;
  const archives = new ArchivedRuns({ store, observer: {} });
  const backfillOf = (runId?: string) =>
    new Backfill({ store, archives, userId: "alice", conversationId, runId, interruptions });
  const backfill = backfillOf();
  const look = (after: number) => backfill.afterSilence(after);
  return { store, conversationId, first, end: first.endSeq ?? 0, log, backfill, backfillOf, look };
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

const shown = (entries: readonly LogEntry[]) => entries.map(({ seq, type }) => [seq, type]);

test("across a gap, a run that began after the position is told by its start and its end", async () => {
  const { store, conversationId, first, end, backfill, backfillOf } = await setUp();
  const second = await exchange(store, { conversationId });
  expect(shown(await backfill.acrossGap(0))).toEqual([
    [1, "runStart"],
    [end, "runEnd"],
    [second.firstSeq, "runStart"],
    [second.endSeq, "runEnd"],
  ]);
  expect(shown(await backfill.acrossGap(1))[0]).toEqual([end, "runEnd"]);
  expect(shown(await backfillOf(first.runId).acrossGap(1))).toEqual([[end, "runEnd"]]);
});

test("a reader of a run whose position is past its end gets the end behind it", async () => {
  const { first, end, backfillOf } = await setUp();
  const ahead = end + 5;
  expect(shown(await backfillOf(first.runId).acrossGap(ahead))).toEqual([[ahead + 1, "runEnd"]]);
});

test("a run of which nothing came is told whole after silence", async () => {
  const { first, end, backfillOf } = await setUp();
  const backfill = backfillOf(first.runId);
  await backfill.afterSilence(0);
  expect(shown(await backfill.afterSilence(0))).toEqual([
    [1, "runStart"],
    [end, "runEnd"],
  ]);
});

test("of a run in progress nothing is known, neither across a gap nor after silence", async () => {
  const { store, conversationId, end, backfill, backfillOf } = await setUp();
  const run = await begin(store, { conversationId });
  expect(await backfillOf(run.runId).acrossGap(end)).toEqual([]);
  const asked = vi.spyOn(store.conversations, "isMember");
  expect(await backfill.acrossGap(end)).toEqual([]);
  // Where there is nothing to tell, nobody has to be allowed to hear it.
  expect(asked).not.toHaveBeenCalled();
  const ofRun = backfillOf(run.runId);
  for (let looks = 0; looks < 3; looks++) expect(await ofRun.afterSilence(end)).toEqual([]);
});

test("after silence, a reader of one run is told of that one alone", async () => {
  const { store, conversationId, first, end, backfillOf } = await setUp();
  await exchange(store, { conversationId });
  const ofFirst = backfillOf(first.runId);
  await ofFirst.afterSilence(1);
  expect(shown(await ofFirst.afterSilence(1))).toEqual([[end, "runEnd"]]);
});

test("a reader waits on while the store is away, and learns of any other failure", async () => {
  const { store, first, end, backfillOf } = await setUp();
  const ofRun = backfillOf(first.runId);
  const get = vi.spyOn(store.runs, "get");
  get.mockRejectedValueOnce(new LangwireError("STORE_UNAVAILABLE"));
  expect(await ofRun.afterSilence(1)).toEqual([]);
  get.mockRejectedValueOnce(new LangwireError("INTERNAL"));
  await expect(ofRun.afterSilence(1)).rejects.toMatchObject({ code: "INTERNAL" });
  await ofRun.afterSilence(1);
  expect(shown(await ofRun.afterSilence(1))).toEqual([[end, "runEnd"]]);
});

test("across a gap, whoever may no longer read learns nothing", async () => {
  const { store, conversationId, first, backfill, backfillOf } = await setUp();
  await store.conversations.delete(conversationId, "alice");
  const ofRun = backfillOf(first.runId);
  await expect(ofRun.acrossGap(0)).rejects.toMatchObject({ code: "NOT_FOUND" });
  vi.spyOn(store.runs, "endedBetween").mockResolvedValue([{ ...first, archived: false }]);
  await expect(backfill.acrossGap(0)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a run that ends while it is looked for is in one of the two looks, or in the next", async () => {
  const { store, conversationId, look, end } = await setUp();
  const run = await begin(store, { conversationId });
  let ended = false;
  const endAfter = async <T>(answering: Promise<T>): Promise<T> => {
    const answer = await answering;
    if (!ended) await store.runs.finish(endingOf(run, { text: "done" }));
    ended = true;
    return answer;
  };
  const running = store.runs.running.bind(store.runs);
  const endedBetween = store.runs.endedBetween.bind(store.runs);
  vi.spyOn(store.runs, "running").mockImplementation((id) => endAfter(running(id)));
  vi.spyOn(store.runs, "endedBetween").mockImplementation((...asked) =>
    endAfter(endedBetween(...asked)),
  );
  const told: LogEntry[] = [];
  for (let looks = 0; looks < 3; looks++) told.push(...(await look(end + 1)));
  expect(told[0]?.event).toMatchObject({ type: "runEnd", runId: run.runId, text: "done" });
});

test("in the middle of an archive, whoever may no longer read learns no more of it", async () => {
  const { store, conversationId, first, end } = await setUp();
  const { runId } = first;
  // As much as is given at once is less than all of it.
  const archives = {
    after: async (_runId: string, seq: number) => [
      LogEntry.of(seq + 1, { type: "custom", runId, spanId: "s", name: `${seq + 1}` }),
    ],
  };
  const what = { store, archives, userId: "alice", conversationId, interruptions: () => 0 };
  for (const backfill of [new Backfill({ ...what, runId }), new Backfill(what)]) {
    vi.spyOn(store.runs, "endedBetween").mockResolvedValueOnce([{ ...first, archived: true }]);
    expect(await backfill.acrossGap(0)).toHaveLength(1);
    expect(backfill.isWithinArchive(1)).toBe(end > 1);
    vi.spyOn(store.conversations, "isMember").mockResolvedValueOnce(false);
    await expect(backfill.acrossGap(1)).rejects.toMatchObject({ code: "NOT_FOUND" });
    vi.mocked(store.runs.endedBetween).mockRestore();
  }
});

test.each([
  ["without a position", undefined, 4],
  ["in the middle", 6, 6],
  ["with a position before it", 2, 2],
  ["with all of it", 9, 9],
  ["ahead of it", 12, 8],
])("a reader of a run that has ended begins %s where it should", (_how, position, after) => {
  const complete = position === 9;
  const known = { start: 4, last: 9, restart: 8, end: 9 };
  expect(startingPosition(position, known)).toEqual({ after, complete });
});

test("a reader whose position cannot be judged here begins there", () => {
  const known = { start: 4, last: undefined, restart: 4 };
  expect(startingPosition(12, known)).toEqual({ after: 12, complete: false });
});
