/** Whose runs are ended for a process that is gone: only what is known counts, and one holds up no other. */
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import type { ListedRun, OpenRun, SharedLog } from "../../src/log/log.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { Archiver } from "../../src/runs/archives/archiver.ts";
import type { Census, NodeLease } from "../../src/runs/cluster/coordination.ts";
import { reap } from "../../src/runs/cluster/reaper.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { caller, newRun } from "./run-bench.ts";

/** What is seen of the other processes, one look after another; the last one stays. */
let looks: (Census | undefined)[];
/** Processes that have their lease again when theirs is to be cleared. */
let back: Set<string>;
let cleared: string[];
let forgotten: string[];
/** Runs whose log cannot be opened. */
let stuck: Set<string>;
/** Runs whose log was opened, to end them. */
let opened: string[];
/** The runs that the log has as a process's, once its runs in the store have been ended. */
let openRuns: () => Promise<readonly ListedRun[]>;
let failures: string[];
/** Runs whose writer was neither closed nor given up: nothing would be written there any more. */
let written: Set<string>;
/** Called once the first of the questions of who owns runs and who is alive is answered. */
let onFirstAnswer: () => Promise<void>;
let store: Store;
let log: MemoryLog;

beforeEach(async () => {
  store = await openSqliteStore({ path: ":memory:" });
  log = new MemoryLog();
  const owners = store.runs.owners.bind(store.runs);
  store.runs.owners = async () => answered(await owners());
  onTestFinished(async () => {
    await log[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  [looks, cleared, forgotten, failures, opened] = [[], [], [], [], []];
  openRuns = async () => [];
  [back, stuck, written] = [new Set(), new Set(), new Set()];
  onFirstAnswer = async () => {};
  answers = 0;
});

afterEach(() => expect(written).toEqual(new Set()));

let answers = 0;

async function answered<T>(answer: T): Promise<T> {
  answers += 1;
  if (answers === 1) await onFirstAnswer();
  return answer;
}

const census = (alive: readonly string[], gone: readonly string[] = []): Census => ({
  ...{ alive: new Set(alive), gone },
});

async function runOf(owner: string | undefined, input = newRun()): Promise<string> {
  const { ifBusy: _, ...run } = input;
  const claimed = await store.runs.claim({ ...run, userId: caller.userId, owner });
  expect(claimed.outcome).toBe("claimed");
  return run.runId;
}

function reaping(): Promise<void> {
  const lease: Pick<NodeLease, "census" | "clear"> = {
    census: async () => answered(looks.length > 1 ? looks.shift() : looks[0]),
    clear: async (nodeId) => {
      if (!back.has(nodeId)) cleared.push(nodeId);
      return !back.has(nodeId);
    },
  };
  const shared: Partial<SharedLog> = {
    open: async (run: OpenRun) => {
      if (stuck.has(run.runId)) throw new Error("no connection");
      opened.push(run.runId);
      const writer = await log.open(run);
      written.add(run.runId);
      for (const over of ["close", "abandon"] as const) {
        const whenOver = writer[over].bind(writer);
        Object.assign(writer, {
          [over]: (archived: never) => {
            written.delete(run.runId);
            whenOver(archived);
          },
        });
      }
      return writer as Awaited<ReturnType<SharedLog["open"]>>;
    },
    readStored: async (conversationId, after) => log.read(conversationId, after),
    openRunsOf: () => openRuns(),
    forgetOpenRunsOf: async (nodeId) => void forgotten.push(nodeId),
  };
  return reap({
    store,
    log: shared as SharedLog,
    lease: lease as NodeLease,
    mayLackEvents: () => false,
    observer: { failed: (what) => void failures.push(what) },
    archiver: new Archiver({ keepEventsMs: 0, observer: {} }),
  });
}

const statusOf = async (runId: string) => (await store.runs.get(runId, caller.userId))?.status;

test("while nobody can say who is alive, nobody is gone", async () => {
  const runIds = [await runOf("a"), await runOf(undefined)];
  // Nor where they can say it a moment later: what it was then is not known.
  looks = [undefined, census([])];
  await reaping();
  expect(await Promise.all(runIds.map(statusOf))).toEqual(["running", "running"]);
  expect([cleared, forgotten]).toEqual([[], []]);
});

test("who has no lease is gone, though none ran out; a run of nobody's is everybody's to end", async () => {
  const [lost, unowned, living] = [await runOf("lost"), await runOf(undefined), await runOf("b")];
  looks = [census(["b"], ["empty"])];
  await reaping();
  expect([await statusOf(lost), await statusOf(unowned)]).toEqual(["failed", "failed"]);
  expect(await statusOf(living)).toBe("running");
  expect(cleared.sort()).toEqual(["empty", "lost"]);
  expect(forgotten.sort()).toEqual(["empty", "lost"]);
});

test("who may have come back while others' runs were ended is left alone", async () => {
  const owners = ["back", "unclear", "gone"];
  const runIds = [];
  for (const owner of owners) runIds.push(await runOf(owner));
  looks = [census([], owners), census(["back"]), undefined, census([])];
  await reaping();
  const statuses = await Promise.all(runIds.map(statusOf));
  expect(statuses).toEqual(["running", "running", "failed"]);
  expect(cleared).toEqual(["gone"]);
});

test("who comes back while its own runs are ended keeps what it has begun since", async () => {
  const runId = await runOf("a");
  back.add("a");
  looks = [census([], ["a"])];
  const fresh = newRun();
  openRuns = async () => {
    await runOf("a", fresh);
    return [fresh];
  };
  await reaping();
  expect([await statusOf(runId), await statusOf(fresh.runId)]).toEqual(["failed", "running"]);
  expect(opened).not.toContain(fresh.runId);
  expect([cleared, forgotten]).toEqual([[], []]);
});

test("what had ended in the store alone is ended in the log, as the store has it", async () => {
  const run = newRun();
  await runOf("a", run);
  const { runId, conversationId } = run;
  const writer = await log.open({ conversationId, runId, after: 0 });
  writer.append({ type: "token", runId, spanId: "s", text: "whole" });
  await writer.flushed();
  const endedAt = new Date().toISOString();
  await store.runs.finish({ runId, status: "completed", text: "whole", endSeq: 2, endedAt });
  writer.abandon();
  looks = [census([], ["a"])];
  openRuns = async () => [run];
  await reaping();
  const { entries } = await log.read(conversationId, 1);
  expect(entries).toMatchObject([{ seq: 2, event: { type: "runEnd", status: "completed" } }]);
  expect([cleared, forgotten]).toEqual([["a"], ["a"]]);
});

test("what cannot be ended is tried again, and holds up nobody: no other run, no other process", async () => {
  const [broken, beside, other] = [await runOf("a"), await runOf("a"), await runOf("b")];
  stuck.add(broken);
  looks = [census([], ["a", "b"])];
  await expect(reaping()).rejects.toThrow("no connection");
  const statuses = await Promise.all([broken, beside, other].map(statusOf));
  expect(statuses).toEqual(["running", "failed", "failed"]);
  // The other's lease tells the next one that there is something left.
  expect(cleared).toEqual(["b"]);
  stuck.clear();
  await reaping();
  expect(await statusOf(broken)).toBe("failed");
  expect(cleared).toEqual(["b", "a", "b"]);
  expect(failures).toHaveLength(3);
});

test("who begins to work between the two questions is alive", async () => {
  const lost = await runOf("lost");
  let begun: string | undefined;
  onFirstAnswer = async () => {
    begun = await runOf("new");
    looks = [census(["new"], ["lost"])];
  };
  looks = [census([], ["lost"])];
  await reaping();
  expect([await statusOf(lost), await statusOf(begun ?? "")]).toEqual(["failed", "running"]);
  expect(cleared).toEqual(["lost"]);
});

test("all runs of one that is gone are ended, some at a time", async () => {
  const runIds = await Promise.all(Array.from({ length: 40 }, () => runOf("a")));
  let [ending, most] = [0, 0];
  const finish = store.runs.finish.bind(store.runs);
  store.runs.finish = async (what) => {
    most = Math.max(most, ++ending);
    const finished = await finish(what);
    ending -= 1;
    return finished;
  };
  looks = [census([], ["a"])];
  await reaping();
  expect(new Set(await Promise.all(runIds.map(statusOf)))).toEqual(new Set(["failed"]));
  expect(new Set(opened)).toEqual(new Set(runIds));
  expect(most).toBeLessThanOrEqual(16);
  expect(cleared).toEqual(["a"]);
});

test("a run that the store knows nothing of any more is left, and its log with it", async () => {
  const [gone, another] = [newRun(), newRun()];
  await runOf("b", another);
  looks = [census(["b"], ["a"])];
  openRuns = async () => [gone, { ...gone, conversationId: another.conversationId }];
  await reaping();
  expect(opened).toEqual([gone.runId, gone.runId]);
  expect(await statusOf(another.runId)).toBe("running");
  expect([cleared, forgotten]).toEqual([["a"], ["a"]]);
});
