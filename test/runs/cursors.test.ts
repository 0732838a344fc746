/** Readers who come back with a place in the log that it cannot serve as it stands. */
import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test, vi } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import type { EventLog } from "../../src/log/log.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { Follower } from "../../src/runs/following/follower.ts";
import { all, botSaying, botWaiting, caller, newRun, types, upTo } from "./run-bench.ts";

test("a place ahead of a run in progress does not keep its reader from the end", async () => {
  const gate = Promise.withResolvers<void>();
  await using langwire = await openLangwire({ bots: [botWaiting(gate.promise)] });
  const run = newRun();
  const first = await langwire.runs.send(caller, run);
  await upTo(first, "token");
  const ahead = await langwire.runs.send(caller, { ...run, lastEventId: "1000000" });
  const watcher = await langwire.runs.watch(caller, { ...run, lastEventId: "1000000" });
  gate.resolve();
  expect((await all(ahead)).at(-1)?.type).toBe("runEnd");
  expect((await upTo(watcher, "runEnd")).at(-1)?.type).toBe("runEnd");
});

test.each([
  ["whole, from the archive", Number.POSITIVE_INFINITY],
  ["in short, where events are not kept", 0],
])("a reader far behind gets the runs that have left the log %s", async (_how, keepEventsMs) => {
  await using langwire = await openLangwire({
    keepEventsMs,
    bots: [botSaying({ tokens: ["one"] }, { tokens: ["two"] }, { tokens: ["three"] })],
    // The first run leaves when the next is written.
    logBounds: { maxBytes: 3_000 },
  });
  const conversationId = randomUUID();
  const whole: string[][] = [];
  for (const message of ["1", "2", "3"]) {
    const entries = await all(
      await langwire.runs.send(caller, newRun({ conversationId, message })),
    );
    whole.push(types(entries));
  }
  const { oldest } = await langwire.log.read(conversationId, 0);
  expect(oldest).toBeGreaterThan(1);
  const watcher = await langwire.runs.watch(caller, { conversationId, lastEventId: "0" });
  const seen: string[][] = [];
  const seqs: number[] = [];
  for (let run = 0; run < 3; run++) {
    const entries = await upTo(watcher, "runEnd");
    seen.push(types(entries));
    seqs.push(...entries.map(({ seq }) => seq));
  }
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  expect(seen[0]).toEqual(keepEventsMs === 0 ? ["runStart", "runEnd"] : whole[0]);
  expect(seen[2]).toEqual(whole[2]);
  await watcher.return();
});

test("a run that was claimed before can be read though its bot is gone", async () => {
  await using langwire = await openLangwire({ bots: [botSaying({ tokens: ["a"] })] });
  const run = newRun();
  await all(await langwire.runs.send(caller, run));
  const again = await langwire.runs.send(caller, { ...run, botId: "gone" });
  expect((await all(again)).at(-1)?.type).toBe("runEnd");
});

test("a run that came and went while its reader looked for what it missed is read whole", async () => {
  await using log = new MemoryLog();
  const { runId, conversationId, botId, message } = newRun();
  const at = new Date().toISOString();
  const spanId = randomUUID();
  const end: ChatEvent = { type: "runEnd", runId, at, status: "completed", text: "Soda" };
  const asked = Promise.withResolvers<void>();
  const told = Promise.withResolvers<readonly LogEntry[]>();
  const follower = await Follower.start({
    ...{ log, conversationId, runId, after: 0 },
    backfill: {
      acrossGap: () => {
        asked.resolve();
        return told.promise;
      },
      afterSilence: async () => [],
      isWithinArchive: () => false,
    },
  });
  const reading = all(follower);
  await asked.promise;
  const writer = log.open({ conversationId, runId, after: 0 });
  const { userId } = caller;
  writer.append({ type: "runStart", runId, at, conversationId, botId, userId, message });
  writer.append({ type: "token", runId, spanId, text: "Soda" });
  writer.append(end);
  await writer.flushed();
  told.resolve([LogEntry.of(3, end)]);
  expect(types(await reading)).toEqual(["runStart", "token", "runEnd"]);
});

/** A log and a store that answer when the test says so. */
async function followSlowly() {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const runId = randomUUID();
  const entryOf = (seq: number) =>
    LogEntry.of(seq, { type: "custom", runId, spanId: "s", name: `${seq}` });
  const world = { readable: 0, remote: false, change: () => {} };
  const reads: PromiseWithResolvers<void>[] = [];
  const looks: PromiseWithResolvers<LogEntry[]>[] = [];
  const sliceAfter = (after: number) => {
    const entries = [1, 2, 3, 4].map(entryOf).slice(after, world.readable);
    return { entries, oldest: 1 };
  };
  const log: Pick<EventLog, "subscribe" | "read"> = {
    subscribe: (_id, onChange) => {
      world.change = onChange;
      return () => {};
    },
    read: (_id, after) => {
      if (!world.remote) return sliceAfter(after);
      const answer = Promise.withResolvers<void>();
      reads.push(answer);
      return answer.promise.then(() => sliceAfter(after));
    },
  };
  const follower = await Follower.start({
    ...{ log: log as EventLog, conversationId: "c", after: 0, silenceMs: 100 },
    backfill: {
      acrossGap: async () => [],
      afterSilence: () => {
        const answer = Promise.withResolvers<LogEntry[]>();
        looks.push(answer);
        return answer.promise;
      },
      isWithinArchive: () => false,
    },
  });
  const got: number[] = [];
  const ended = follower.deliver(({ seq }) => got.push(seq));
  onTestFinished(async () => {
    await follower.return();
    await ended.catch(() => {});
  });
  const append = (count: number) => {
    world.readable += count;
    world.change();
  };
  return { world, reads, looks, got, append, entryOf, follower, ended };
}

test("a read that is slow and a look into the store that comes meanwhile do not cross", async () => {
  const { world, reads, looks, got, append } = await followSlowly();
  append(2);
  world.remote = true;
  append(2);
  await vi.advanceTimersByTimeAsync(150);
  for (const look of looks) look.resolve([]);
  await vi.advanceTimersByTimeAsync(1);
  world.change();
  for (let answered = 0; answered < reads.length; answered++) {
    reads[answered]?.resolve();
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(got).toEqual([1, 2, 3, 4]);
  expect(reads.length).toBeLessThanOrEqual(3);
});

test("what the store answers after silence is nothing once the log has more", async () => {
  const { looks, got, append, entryOf } = await followSlowly();
  append(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(looks).toHaveLength(1);
  append(2);
  looks[0]?.resolve([entryOf(2)]);
  await vi.advanceTimersByTimeAsync(1);
  append(1);
  expect(got).toEqual([1, 2, 3, 4]);
});

test("but that a reader may not read on counts whenever it comes", async () => {
  const { looks, got, append, follower, ended } = await followSlowly();
  append(1);
  await vi.advanceTimersByTimeAsync(100);
  append(1);
  const refused = expect(ended).rejects.toMatchObject({ code: "NOT_FOUND" });
  looks[0]?.reject(new LangwireError("NOT_FOUND"));
  await refused;
  expect(follower.closed).toBe(true);
  append(1);
  expect(got).toEqual([1, 2]);
});

test("what the log will never tell is told from the archive at once, after one silence", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const log = {
    read: () => ({ entries: [], oldest: 1 }),
    subscribe: () => () => {},
  } as Pick<EventLog, "read" | "subscribe"> as EventLog;
  const last = 5;
  const silenceMs = 10_000;
  const follower = await Follower.start({
    ...{ log, conversationId: "c", after: 0, silenceMs },
    backfill: {
      acrossGap: async () => [],
      afterSilence: async (after) =>
        after < last
          ? [LogEntry.of(after + 1, { type: "custom", runId: "r", spanId: "s", name: "n" })]
          : [],
      isWithinArchive: (after) => after > 0 && after < last,
    },
  });
  const seqs: number[] = [];
  const delivering = follower.deliver(({ seq }) => seqs.push(seq));
  await vi.advanceTimersByTimeAsync(silenceMs);
  for (let slices = 1; slices < last; slices++) await vi.advanceTimersByTimeAsync(1);
  expect(seqs).toEqual([1, 2, 3, 4, 5]);
  await follower.return();
  await delivering;
});

test("a reader that is handed an event and throws is closed", async () => {
  await using log = new MemoryLog();
  const conversationId = randomUUID();
  const writer = log.open({ conversationId, runId: "r", after: 0 });
  const backfill = {
    acrossGap: async () => [],
    afterSilence: async () => [],
    isWithinArchive: () => false,
  };
  const follower = await Follower.start({ log, conversationId, after: 0, backfill });
  const ended = follower.deliver(() => {
    throw new Error("the socket is gone");
  });
  writer.append({ type: "custom", runId: "r", spanId: "s", name: "x" });
  await expect(ended).rejects.toThrow("the socket is gone");
  expect(follower.closed).toBe(true);
});
