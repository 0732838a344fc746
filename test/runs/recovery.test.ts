/** What an earlier process left behind. */
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { Catalogue } from "../../src/bots/catalogue.ts";
import type { RecoveredRun } from "../../src/log/log.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Runs } from "../../src/runs/runs.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { all, botDoing, botSaying, botWaiting, caller, newRun, types, upTo } from "./run-bench.ts";

async function dataFolder() {
  const path = await mkdtemp(join(tmpdir(), "langwire-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("a run whose claim is all that was stored has a start and an end", async () => {
  await using folder = await dataFolder();
  const run = newRun();
  {
    await using store = await openSqliteStore({ path: join(folder.path, "langwire.sqlite") });
    await store.runs.claim({ ...run, userId: caller.userId });
  }
  await using langwire = await openLangwire({ bots: [botSaying({})], dataDir: folder.path });
  const entries = await all(await langwire.runs.send(caller, run));
  expect(types(entries)).toEqual(["runStart", "runEnd"]);
  expect(entries.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(entries[1]?.event).toMatchObject({ error: { code: "SERVER_RESTARTED" } });
  const stored = await langwire.store.runs.get(run.runId, caller.userId);
  expect(stored).toMatchObject({ firstSeq: 1, endSeq: 2 });
});

test("a server takes runs while old ones are still to be ended, and begins none of those again", async () => {
  const gate = Promise.withResolvers<void>();
  /** A log that takes long to bring back what is left of an earlier process. */
  class SlowLog extends MemoryLog {
    override async *recover<Run extends RecoveredRun>(runs: readonly Run[]): AsyncGenerator<Run> {
      await gate.promise;
      yield* super.recover(runs);
    }
  }
  await using store = await openSqliteStore({ path: ":memory:" });
  const left = newRun();
  await store.runs.claim({ ...left, userId: caller.userId });
  let begun = 0;
  const bots = new Catalogue([botDoing(() => `answer ${++begun}`)]);
  await using runs = await Runs.start({ bots, store, log: new SlowLog() });
  const fresh = await all(await runs.send(caller, newRun()));
  expect(fresh.at(-1)?.event).toMatchObject({ status: "completed", text: "answer 1" });
  const busy = newRun({ conversationId: left.conversationId });
  await expect(runs.send(caller, busy)).rejects.toMatchObject({ code: "CONVERSATION_BUSY" });
  const reading = all(await runs.send(caller, left));
  const cancelled = runs.cancel(caller, left.runId);
  gate.resolve();
  expect((await reading).at(-1)?.event).toMatchObject({ error: { code: "SERVER_RESTARTED" } });
  expect(await cancelled).toEqual({ runId: left.runId, status: "failed" });
  expect(begun).toBe(1);
});

test("one run that cannot be ended keeps neither the others nor the server from theirs", async () => {
  await using store = await openSqliteStore({ path: ":memory:" });
  const [poison, other] = [newRun(), newRun()];
  for (const run of [poison, other]) await store.runs.claim({ ...run, userId: caller.userId });
  const finish = store.runs.finish.bind(store.runs);
  vi.spyOn(store.runs, "finish").mockImplementation(async (ending) => {
    if (ending.runId === poison.runId) throw new TypeError("poison");
    return await finish(ending);
  });
  const failures: string[] = [];
  const observer = { failed: (what: string) => void failures.push(what) };
  const bots = new Catalogue([botSaying({})]);
  await using runs = await Runs.start({ bots, store, log: new MemoryLog(), observer });
  expect(failures).toEqual(["a run of an earlier process could not be ended"]);
  const entries = await all(await runs.send(caller, other));
  expect(entries.at(-1)?.event).toMatchObject({ error: { code: "SERVER_RESTARTED" } });
});

test("a second process on the same data is refused, and harms no run of the first", async () => {
  await using folder = await dataFolder();
  const gate = Promise.withResolvers<void>();
  const bots = [botWaiting(gate.promise)];
  await using langwire = await openLangwire({ bots, dataDir: folder.path });
  const follower = await langwire.runs.send(caller, newRun());
  await upTo(follower, "token");
  await expect(openLangwire({ bots, dataDir: folder.path })).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
  gate.resolve();
  expect((await all(follower)).at(-1)?.event).toMatchObject({ status: "completed" });
});

test("a run left behind whose events the store refuses ends all the same, and the operator is told", async () => {
  await using store = await openSqliteStore({ path: ":memory:" });
  await using log = new MemoryLog();
  const run = newRun();
  await store.runs.claim({ ...run, userId: caller.userId });
  const refusal = new Error("value too large");
  vi.spyOn(store.runs, "finish").mockRejectedValueOnce(refusal);
  const failed = vi.fn();
  const bots = new Catalogue([botSaying({})]);
  await using runs = await Runs.start({ bots, store, log, observer: { failed } });
  const entries = await all(await runs.send(caller, run));
  expect(entries.at(-1)?.event).toMatchObject({ error: { code: "SERVER_RESTARTED" } });
  expect(await store.archives.get(run.runId)).toEqual([]);
  expect(failed.mock.calls).toEqual([[expect.stringContaining("the store refused"), refusal]]);
});

/** A store that takes no ending of these runs: not at once, which would fail the start. */
async function storeWith(left: readonly ReturnType<typeof newRun>[]) {
  const store = await openSqliteStore({ path: ":memory:" });
  for (const run of left) await store.runs.claim({ ...run, userId: caller.userId });
  const finish = store.runs.finish.bind(store.runs);
  const [started, away] = [Promise.withResolvers<void>(), new Set(left.map((run) => run.runId))];
  vi.spyOn(store.runs, "finish").mockImplementation(async (ending) => {
    if (!away.has(ending.runId)) return await finish(ending);
    await started.promise;
    throw new LangwireError("STORE_UNAVAILABLE");
  });
  return { store, started, away };
}

test("while the store is away, what was left stays to be ended, and what begins is left alone", async () => {
  const [left, other] = [newRun(), newRun()];
  const { store, started, away } = await storeWith([left, other]);
  await using _store = store;
  const failed = vi.fn();
  const gate = Promise.withResolvers<void>();
  const bots = new Catalogue([botWaiting(gate.promise)]);
  await using runs = await Runs.start({ bots, store, log: new MemoryLog(), observer: { failed } });
  const begun = await runs.send(caller, newRun());
  await upTo(begun, "token");
  const readings = [left, other].map(async (run) => await all(await runs.send(caller, run)));
  const cancelled = runs.cancel(caller, left.runId);
  started.resolve();
  await expect.poll(() => failed.mock.calls.length).toBeGreaterThan(0);
  // From the next look on.
  away.clear();
  for (const entries of await Promise.all(readings)) {
    expect(entries.at(-1)?.event).toMatchObject({ error: { code: "SERVER_RESTARTED" } });
  }
  expect(await cancelled).toEqual({ runId: left.runId, status: "failed" });
  gate.resolve();
  expect((await all(begun)).at(-1)?.event).toMatchObject({ status: "completed" });
});

test("whoever waits for what is left when the process ends waits no more", async () => {
  const left = newRun();
  const { store, started } = await storeWith([left]);
  await using _store = store;
  const bots = new Catalogue([botSaying({})]);
  const runs = await Runs.start({ bots, store, log: new MemoryLog() });
  const waiting = runs.cancel(caller, left.runId).catch((cause: unknown) => cause);
  started.resolve();
  await runs[Symbol.asyncDispose]();
  expect(await waiting).toBeInstanceOf(LangwireError);
});

test("what the log has left behind is given no other run's end", async () => {
  await using store = await openSqliteStore({ path: ":memory:" });
  const [left, other] = [newRun(), newRun()];
  /** A log that has a run's beginning, of which the store knows nothing. */
  class LeftLog extends MemoryLog {
    override leftBehind() {
      return [{ conversationId: other.conversationId, runId: left.runId, lastSeq: 0 }];
    }
  }
  await store.runs.claim({ ...other, userId: caller.userId });
  const ended = { status: "completed", text: "", endedAt: "2026-01-01T00:00:00.000Z" } as const;
  await store.runs.finish({ runId: other.runId, ...ended, endSeq: 2, providerCalls: undefined });
  await using log = new LeftLog();
  await using _runs = await Runs.start({ bots: new Catalogue([botSaying({})]), store, log });
  expect((await log.read(other.conversationId, 0)).entries).toEqual([]);
});

test.each([
  ["kept", Number.POSITIVE_INFINITY],
  ["not kept", 0],
])(
  "a run that ended in the store, whose process died before its readers were told: its events are %s",
  async (_name, keepEventsMs) => {
    await using folder = await dataFolder();
    await using later = await dataFolder();
    const gate = Promise.withResolvers<void>();
    const bots = [botWaiting(gate.promise)];
    const run = newRun();
    const copied = Promise.withResolvers<void>();
    await using langwire = await openLangwire({ bots, keepEventsMs, dataDir: folder.path });
    const finish = langwire.store.runs.finish.bind(langwire.store.runs);
    vi.spyOn(langwire.store.runs, "finish").mockImplementation(async (ending) => {
      const answer = await finish(ending);
      const copy = await langwire.snapshot?.();
      await rename(copy ?? expect.fail("no copy"), join(later.path, "langwire.sqlite"));
      copied.resolve();
      return answer;
    });
    const begun = await langwire.runs.send(caller, run);
    await upTo(begun, "token");
    gate.resolve();
    await copied.promise;
    const told = (await all(begun)).at(-1);

    await using restarted = await openLangwire({ bots, keepEventsMs, dataDir: later.path });
    const { conversationId } = run;
    const watched = await restarted.runs.watch(caller, { conversationId, lastEventId: "0" });
    const seen = [await upTo(watched, "runEnd"), await all(await restarted.runs.send(caller, run))];
    for (const entries of seen) {
      expect(types(entries).filter((type) => type === "runEnd")).toHaveLength(1);
      expect(entries.at(-1)).toMatchObject({ seq: told?.seq, event: { status: "completed" } });
    }
    const next = await all(await restarted.runs.send(caller, newRun({ conversationId })));
    expect(next[0]?.seq).toBe((told?.seq ?? 0) + 1);
  },
);
