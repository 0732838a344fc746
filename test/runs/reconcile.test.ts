/** What is made of each run that this process and the store do not agree on, whatever becomes of the others. */
import { expect, test, vi } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Archiver } from "../../src/runs/archives/archiver.ts";
import { KeyedMutex } from "../../src/runs/lifecycle/keyed-mutex.ts";
import type { LiveRun } from "../../src/runs/lifecycle/live-run.ts";
import { type ReconcileOptions, reconcile } from "../../src/runs/lifecycle/reconcile.ts";
import { endUnattended } from "../../src/runs/lifecycle/unattended.ts";
import { shielded } from "../../src/runs/observer.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Restored, Run } from "../../src/store/store.ts";
import { caller, newRun } from "./run-bench.ts";

const archiver = new Archiver({ keepEventsMs: 0, observer: {} });

async function setUp() {
  const stack = new AsyncDisposableStack();
  const store = stack.use(await openSqliteStore({ path: ":memory:" }));
  const log = stack.use(new MemoryLog());
  const claim = async (): Promise<Run> => {
    const claimed = await store.runs.claim({ ...newRun(), userId: caller.userId });
    return claimed.outcome === "claimed" ? claimed.run : expect.fail(claimed.outcome);
  };
  const live = new Map<string, LiveRun>();
  const starting = new KeyedMutex();
  const options: ReconcileOptions = {
    ...{ store, log, nodeId: undefined, live, starting, archiver, observer: shielded({}) },
    isUnattended: ({ runId }) => !live.has(runId),
  };
  const facts = { store, log, live, starting, options, claim };
  return { ...facts, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** In progress here. */
class Live {
  readonly run: Run;
  readonly conversation = undefined;
  stopped: unknown;

  constructor(runId: string) {
    this.run = { ...newRun(), runId } as unknown as Run;
  }

  cancel(): void {
    this.stopped = "cancelled";
  }

  fail({ code }: LangwireError): void {
    this.stopped = code;
  }
}

test("a run in progress here that the store has not is put back or stopped, and no other is touched", async () => {
  await using s = await setUp();
  const restored: Readonly<Record<string, Restored>> = {
    ...{ lost: "restored", "put back meanwhile": "present", "ended meanwhile": "present" },
    ...{ "of a deleted conversation": "deleted", "of a taken place": "superseded" },
  };
  const all = ["in the store", ...Object.keys(restored)].map((runId) => new Live(runId));
  const begin = (run: Live) => s.live.set(run.run.runId, run as unknown as LiveRun);
  for (const run of all) begin(run);
  vi.spyOn(s.store.runs, "inProgress")
    .mockImplementationOnce(async () => {
      // The answer knows nothing of it.
      begin(new Live("begun meanwhile"));
      return ["in the store"];
    })
    .mockResolvedValue(["in the store", "put back meanwhile", "begun meanwhile"]);
  const restoring = vi
    .spyOn(s.store.runs, "restore")
    .mockImplementation(async ({ runId }) => restored[runId] ?? "present");
  await reconcile(s.options);
  expect(all.map(({ run, stopped }) => [run.runId, stopped])).toEqual([
    ["in the store", undefined],
    ["lost", undefined],
    ["put back meanwhile", undefined],
    ["ended meanwhile", "cancelled"],
    ["of a deleted conversation", "cancelled"],
    ["of a taken place", "STORE_UNAVAILABLE"],
  ]);
  expect(restoring.mock.calls.map(([{ runId }]) => runId)).toEqual(Object.keys(restored));
});

test("what nobody works on is ended, with all that can be, and what could not be is told", async () => {
  await using s = await setUp();
  const [first, poison, last, live] = [
    await s.claim(),
    await s.claim(),
    await s.claim(),
    await s.claim(),
  ];
  s.live.set(live.runId, new Live(live.runId) as unknown as LiveRun);
  const finish = s.store.runs.finish.bind(s.store.runs);
  vi.spyOn(s.store.runs, "finish").mockImplementation(async (ending) => {
    if (ending.runId === poison.runId) throw new TypeError("poison");
    return await finish(ending);
  });
  await expect(reconcile(s.options)).rejects.toThrow("poison");
  const states: unknown[] = [];
  for (const { runId } of [first, poison, last, live]) {
    const { status, error } = (await s.store.runs.get(runId, caller.userId)) ?? expect.fail(runId);
    states.push(error?.code ?? status);
  }
  expect(states).toEqual(["STORE_UNAVAILABLE", "running", "STORE_UNAVAILABLE", "running"]);
});

test("a run that is being started is nobody's to end, and keeps nothing waiting", async () => {
  await using s = await setUp();
  const run = await s.claim();
  const begun = Promise.withResolvers<void>();
  const starting = s.starting.run(run.runId, () => begun.promise);
  await reconcile(s.options);
  begun.resolve();
  await starting;
  expect(await s.store.runs.get(run.runId, caller.userId)).toMatchObject({ status: "running" });
});

test("a run that has begun since the list was read is worked on, and goes on", async () => {
  await using s = await setUp();
  const { runId } = await s.claim();
  const { unfinished } = s.store.runs;
  vi.spyOn(s.store.runs, "unfinished").mockImplementationOnce(async () => {
    const list = await unfinished.call(s.store.runs);
    void s.starting.run(runId, async () => {
      s.live.set(runId, new Live(runId) as unknown as LiveRun);
    });
    return list;
  });
  await reconcile(s.options);
  expect(await s.store.runs.get(runId, caller.userId)).toMatchObject({ status: "running" });
});

/** A writer whose log stands somewhere, and what became of it. */
function writerAt(lastSeq: number) {
  const said: string[] = [];
  return {
    said,
    lastSeq,
    append: ({ type }: { readonly type: string }) => said.push(type),
    flushed: async () => void said.push("flushed"),
    entries: () => [],
    close: () => void said.push("closed"),
    abandon: () => void said.push("abandoned"),
  };
}

test.each([
  ["ends where the log stands", { before: 7, endSeq: 8 }, [["runEnd", "flushed", "closed"]]],
  [
    ...(["was ended elsewhere, further on", { before: 7, endSeq: 11, standsAt: 10 }] as const),
    [["abandoned"], ["runEnd", "flushed", "closed"]],
  ],
  [
    ...(["was ended where the log does not go", { before: 7, endSeq: 11, standsAt: 12 }] as const),
    [["abandoned"], ["abandoned"]],
  ],
  ["was ended, and a later one has begun", { before: 7, endSeq: 11 }, [["abandoned"]]],
  ["has its end in the log", { before: 8, endSeq: 8, isLogged: true }, [["closed"]]],
  ["is not in the store any more", { before: 7 }, [["closed"]]],
])(
  "of a run that %s, the end is written once at most, and no writer is kept",
  async (_name, world, said) => {
    const {
      before,
      endSeq,
      standsAt,
      isLogged = false,
    } = world as {
      before: number;
      endSeq?: number;
      standsAt?: number;
      isLogged?: boolean;
    };
    const { runId, conversationId, botId, message } = newRun();
    const { userId } = caller;
    const begun = { runId, conversationId, botId, message, userId };
    const run = { ...begun, firstSeq: 1 } as unknown as Run;
    const at = "2026-01-01T00:00:00.000Z";
    const entries = [LogEntry.of(1, { type: "runStart", at, ...begun })];
    if (isLogged) {
      entries.push(LogEntry.of(8, { type: "runEnd", runId, at, status: "completed", text: "" }));
    }
    const writers = [before, ...(standsAt === undefined ? [] : [standsAt])].map(writerAt);
    const opened: number[] = [];
    const ended = endSeq && { ...run, status: "failed", text: "", endSeq, endedAt: at };
    await endUnattended(run, {
      store: { runs: { finish: async () => ({ finished: false, run: ended }) } } as never,
      ...{ observer: {}, archiver, error: new LangwireError("OWNER_LOST") },
      open: (after) => {
        opened.push(after);
        return writers[opened.length - 1];
      },
      read: (after) => ({ entries: entries.filter(({ seq }) => seq > after), oldest: 1 }),
    });
    expect(writers.map((writer) => writer.said)).toEqual(said);
    expect(opened.slice(1)).toEqual(endSeq === undefined || endSeq <= 8 ? [] : [endSeq - 1]);
  },
);
