/** Archives as runs keep them and readers read them: held for a moment, damaged, pruned, and not made. */
import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Archiver } from "../../src/runs/archives/archiver.ts";
import { pruningIntervalMs, startPruning } from "../../src/runs/archives/pruning.ts";
import { ArchivedRuns } from "../../src/runs/following/archived-runs.ts";
import { endUnattendedHere } from "../../src/runs/lifecycle/unattended.ts";
import { shielded } from "../../src/runs/observer.ts";
import { runStartOf } from "../../src/runs/run-events.ts";
import type { ArchiveSegment } from "../../src/store/archives.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Run } from "../../src/store/store.ts";
import { all, botSaying, caller, newRun, types } from "./run-bench.ts";

afterEach(() => {
  vi.useRealTimers();
});

const at = "2026-01-01T00:00:00.000Z";
const minuteMs = 60_000;

function runFrom(firstSeq = 1): Run {
  const ids = { runId: randomUUID(), conversationId: randomUUID() };
  return {
    ...{ ...ids, botId: "b", userId: "u", message: "m" },
    ...{ status: "running", firstSeq, startedAt: at },
  };
}

const everything = new Archiver({ keepEventsMs: Number.POSITIVE_INFINITY, observer: {} });

async function archiveOf(run: Run, text = "") {
  const start = LogEntry.of(run.firstSeq, runStartOf(run));
  const end = { status: "completed" as const, text, endSeq: run.firstSeq + 1, endedAt: at };
  const archive = await everything.archive(run, [start], end);
  return archive ?? expect.fail("no archive");
}

describe("an archive is not made", () => {
  test("of a run whose log does not begin with it", async () => {
    const run = runFrom(5);
    const late = LogEntry.of(7, { type: "token", runId: run.runId, spanId: "s", text: "x" });
    const end = { status: "failed" as const, text: "", endSeq: 8, endedAt: at };
    expect(await everything.archive(run, [late], end)).toBeUndefined();
    expect(await everything.archive(run, [], end)).toBeUndefined();
  });

  test("where events are not kept; and what fails is reported, and ends no run", async () => {
    const run = runFrom();
    const off = new Archiver({ keepEventsMs: 0, observer: {} });
    expect(off.begin(run)).toBeUndefined();
    const failed = vi.fn();
    const archiver = new Archiver({ keepEventsMs: minuteMs, observer: { failed } });
    const broken = Object.defineProperty({ seq: 1, runId: run.runId }, "json", {
      get: () => {
        throw new Error("broken");
      },
    }) as LogEntry;
    const end = { status: "failed" as const, text: "", endSeq: 2, endedAt: at };
    expect(await archiver.archive(run, [broken], end)).toBeUndefined();
    expect(failed).toHaveBeenCalledTimes(1);
  });
});

describe("archives that are read", () => {
  function setUp(maxBytes?: number) {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const stored = new Map<string, Pick<ArchiveSegment, "events" | "rawBytes">>();
    const asked: string[] = [];
    const failed = vi.fn();
    const get = vi.fn(async (runId: string): Promise<ArchiveSegment[]> => {
      asked.push(runId);
      const archive = stored.get(runId);
      return archive === undefined ? [] : [{ firstSeq: 1, lastSeq: 2, ...archive }];
    });
    const store = { archives: { get } } as unknown as ConstructorParameters<
      typeof ArchivedRuns
    >[0]["store"];
    const archives = new ArchivedRuns({ store, observer: { failed }, maxBytes });
    const keep = async (text?: string) => {
      const run = runFrom();
      stored.set(run.runId, await archiveOf(run, text));
      return run.runId;
    };
    return { archives, stored, asked, failed, get, keep };
  }

  test("are asked for once by all who read at the same time, and again after a second", async () => {
    const { archives, stored, asked, keep } = setUp();
    const runId = await keep();
    const readers = Array.from({ length: 5 }, () => archives.after(runId, 0));
    for (const entries of await Promise.all(readers)) {
      expect(types(entries)).toEqual(["runStart", "runEnd"]);
    }
    expect(await archives.after(runId, 2)).toEqual([]);
    expect(asked).toEqual([runId]);
    stored.delete(runId);
    expect(await archives.after(runId, 0)).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await archives.after(runId, 0)).toEqual([]);
    expect(asked).toEqual([runId, runId]);
  });

  test("are not given once they were deleted here", async () => {
    const { archives, stored, keep } = setUp();
    const runId = await keep();
    await archives.after(runId, 0);
    stored.delete(runId);
    archives.forget(runId);
    expect(await archives.after(runId, 0)).toEqual([]);
  });

  test("are held within a bound, the newest whatever its size, and none after the last reader", async () => {
    const { archives, asked, keep } = setUp(1_000);
    const noise = () => Array.from({ length: 20 }, () => randomUUID()).join("");
    const [one, other] = [await keep(noise()), await keep(noise())];
    for (const runId of [one, one, other, other, one]) await archives.after(runId, 0);
    expect(asked).toEqual([one, other, one]);
    expect(vi.getTimerCount()).toBe(1);
    archives[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("count as long as they are held: what has expired leaves its room to others", async () => {
    const { archives, asked, keep } = setUp(4_000);
    const noise = () => Array.from({ length: 20 }, () => randomUUID()).join("");
    for (let round = 0; round < 4; round++) {
      const runIds = [await keep(noise()), await keep(noise()), await keep(noise())];
      asked.splice(0);
      for (const runId of [...runIds, ...runIds]) await archives.after(runId, 0);
      expect(asked).toEqual(runIds);
      await vi.advanceTimersByTimeAsync(1_000);
    }
  });

  test("that are damaged are named, and give nothing", async () => {
    const { archives, stored, failed } = setUp();
    const runId = randomUUID();
    stored.set(runId, { events: new Uint8Array(50), rawBytes: 1 });
    expect(await archives.after(runId, 0)).toEqual([]);
    expect(failed).toHaveBeenCalledTimes(1);
    expect(failed.mock.calls[0]?.[1]).toMatchObject({ name: "DamagedArchiveError", runId });
  });

  test("that are another run's are named, and nobody is given them", async () => {
    const { archives, stored, failed, keep } = setUp();
    const [runId, other] = [await keep(), await keep()];
    stored.set(runId, stored.get(other) ?? expect.fail("not kept"));
    expect(await archives.after(runId, 0)).toEqual([]);
    expect(failed.mock.calls[0]?.[1]).toMatchObject({ name: "DamagedArchiveError", runId });
    expect(await archives.after(other, 0)).toHaveLength(2);
  });

  test("are asked for again at once where the store did not answer", async () => {
    const { archives, get, keep } = setUp();
    const runId = await keep();
    get.mockRejectedValueOnce(new LangwireError("STORE_UNAVAILABLE"));
    await expect(archives.after(runId, 0)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await archives.after(runId, 0)).toHaveLength(2);
  });
});

test("who ends a run for a process that is gone archives it, with its end, whoever decided that", async () => {
  for (const endedBefore of [false, true]) {
    await using store = await openSqliteStore({ path: ":memory:" });
    await using log = new MemoryLog();
    const { runId, conversationId, botId, message } = newRun();
    const claim = { runId, conversationId, botId, message, userId: caller.userId };
    const claimed = await store.runs.claim(claim);
    const run = claimed.outcome === "claimed" ? claimed.run : expect.fail(claimed.outcome);
    const writer = log.open({ conversationId, runId, after: 0 });
    writer.append(runStartOf(run));
    for (const text of ["half ", "an ", "answer"]) {
      writer.append({ type: "token", runId, spanId: "s", text });
      await writer.flushed();
    }
    // Its readers were told, and the store was not.
    const end = { at, status: "completed", text: "half an answer" } as const;
    if (endedBefore) writer.append({ type: "runEnd", runId, ...end });
    await writer.flushed();
    const error = new LangwireError("SERVER_RESTARTED");
    const observer = shielded({});
    await endUnattendedHere(run, { store, log, error, observer, archiver: everything });
    const archives = new ArchivedRuns({ store, observer: {} });
    const archived = await archives.after(runId, 0);
    const { entries } = log.read(conversationId, 0);
    expect(types(entries)).toEqual(["runStart", "token", "token", "token", "runEnd"]);
    const shown = (all: readonly LogEntry[]) => all.map(({ seq, json }) => [seq, json]);
    expect(shown(archived)).toEqual(shown(entries));
    const status = endedBefore ? "completed" : "failed";
    expect(await store.runs.get(runId, caller.userId)).toMatchObject({ status });
    archives[Symbol.dispose]();
  }
});

test("a damaged archive costs its readers the events, and the process nothing", async () => {
  const failed = vi.fn();
  await using langwire = await openLangwire({
    ...{ bots: [botSaying({ tokens: ["hello"] })], observer: { failed } },
    logBounds: { archivedMs: 0 },
  });
  const run = newRun();
  const live = await all(await langwire.runs.send(caller, run));
  const [segment] = await langwire.store.archives.get(run.runId);
  const events = Uint8Array.from(segment?.events ?? expect.fail("no archive"));
  events[events.length - 5] = (events.at(-5) ?? 0) ^ 1;
  vi.spyOn(langwire.store.archives, "get").mockResolvedValue([
    { firstSeq: 1, lastSeq: 9, rawBytes: 1, events },
  ]);
  const { conversationId } = run;
  await expect.poll(async () => (await langwire.log.read(conversationId, 0)).entries).toEqual([]);
  const told = await all(await langwire.runs.follow(caller, { runId: run.runId }));
  expect(types(told)).toEqual(["runStart", "runEnd"]);
  expect(told.at(-1)?.event).toEqual(live.at(-1)?.event);
  expect(failed.mock.calls[0]?.[1]).toMatchObject({ name: "DamagedArchiveError" });
});

describe("pruning", () => {
  function prune(keepEventsMs: number) {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
    });
    const pruned: number[] = [];
    const world = { takes: Promise.resolve(), signal: new AbortController().signal };
    const store = {
      archives: {
        prune: async (before: string, signal: AbortSignal) => {
          pruned.push(Date.now() - Date.parse(before));
          Object.assign(world, { signal });
          await world.takes;
          return 0;
        },
      },
    } as unknown as Parameters<typeof startPruning>[0]["store"];
    return { pruned, world, pruning: startPruning({ store, keepEventsMs, observer: {} }) };
  }

  test("goes on as long as the process, of what is too old, and then no more", async () => {
    const day = 24 * 60 * minuteMs;
    const { pruned, pruning } = prune(day);
    await vi.advanceTimersByTimeAsync(2 * pruningIntervalMs(day));
    expect(pruned).toEqual([day, day, day]);
    await pruning?.[Symbol.asyncDispose]();
    await vi.advanceTimersByTimeAsync(day);
    expect(pruned).toHaveLength(3);
  });

  test("that is under way is broken off by a shutdown, which does not wait for more of it", async () => {
    const { pruned, world, pruning } = prune(0);
    world.takes = new Promise(() => {});
    await vi.advanceTimersByTimeAsync(1_000);
    expect([pruned, world.signal.aborted]).toEqual([[0], false]);
    const closing = pruning?.[Symbol.asyncDispose]();
    expect(world.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    await closing;
  });

  test("is none where events are kept for good, and of all where they are not kept", async () => {
    expect(prune(Number.POSITIVE_INFINITY).pruning).toBeUndefined();
    const { pruned, pruning } = prune(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(pruned).toEqual([0]);
    await pruning?.[Symbol.asyncDispose]();
  });
});
