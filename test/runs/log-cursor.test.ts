/** What a reader holds: a position, and no more than it is about to be given. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import type { EventLog } from "../../src/log/log.ts";
import { Follower } from "../../src/runs/following/follower.ts";
import { LogCursor } from "../../src/runs/following/log-cursor.ts";
import { FollowerWorld } from "./follower-world.ts";

const kibibyte = 1024;
const customOf = (seq: number, runId = "r") =>
  LogEntry.of(seq, { type: "custom", runId, spanId: "s", name: `${seq}` });
const endOf = (seq: number, runId = "r") =>
  LogEntry.of(seq, { type: "runEnd", runId, at: "2026-01-01", status: "completed", text: "" });
const tokenOf = (seq: number, text: string) =>
  LogEntry.of(seq, { type: "token", runId: "r", spanId: "s", text });

test("neighbouring tokens are merged up to 16 KiB, and no text is lost", () => {
  const entries = Array.from({ length: 100 }, (_, at) =>
    tokenOf(at + 1, `${at},`.padEnd(kibibyte, "x")),
  );
  const cursor = new LogCursor(0, {});
  cursor.load(entries);
  let json = "";
  let taken = 0;
  for (let entry = cursor.take(); entry !== undefined; entry = cursor.take()) {
    expect(entry.bytes).toBeLessThanOrEqual(16 * kibibyte);
    json += entry.event.type === "token" ? entry.event.text : "";
    taken += 1;
  }
  expect(taken).toBeLessThanOrEqual(8);
  expect(json).toBe(entries.map(({ event }) => event.type === "token" && event.text).join(""));
});

test("a frame of merged tokens is as long as it may be, to the byte", () => {
  const first = tokenOf(1, "é");
  const room = 16 * kibibyte - first.bytes;
  for (const [length, frames] of [
    [room, 1],
    [room + 1, 2],
  ] as const) {
    const text = "x".repeat(length);
    const next = LogEntry.of(2, { type: "token", runId: "r", spanId: "s", text }, [first]);
    const cursor = new LogCursor(0, {});
    cursor.load([first, next]);
    const taken = [cursor.take(), cursor.take()].filter((entry) => entry !== undefined);
    expect([length, taken.length]).toEqual([length, frames]);
    expect(taken.at(-1)?.seq).toBe(2);
  }
});

test("what was joined for one reader is the same entry for all who read the same slice", () => {
  const slice = [tokenOf(1, "a"), tokenOf(2, "b"), customOf(3)];
  const read = () => {
    const cursor = new LogCursor(0, {});
    cursor.load(slice);
    return [cursor.take(), cursor.take(), cursor.take()];
  };
  const [one, other] = [read(), read()];
  expect(one.map((entry) => entry?.seq)).toEqual([2, 3, undefined]);
  for (const [index, entry] of one.entries()) expect(other[index]).toBe(entry);
});

test.each([
  ["everything", {}, [1, 2, 3, 4]],
  ["one run", { runId: "r" }, [1, 3]],
  ["some types, and every end", { only: new Set(["token" as const]) }, [3, 4]],
  ["one run's, some types", { runId: "r", only: new Set(["custom" as const]) }, [1, 3]],
  ["an end alone", { runId: "other", only: new Set<never>() }, [4]],
])("a reader who wants %s gets that, and has passed the rest over", (_what, wanted, seqs) => {
  const cursor = new LogCursor(0, wanted);
  expect(cursor.load([customOf(1), customOf(2, "other"), endOf(3), endOf(4, "other")])).toBe(true);
  const taken = [];
  for (let entry = cursor.take(); entry !== undefined; entry = cursor.take()) taken.push(entry.seq);
  expect(taken).toEqual(seqs);
  expect(cursor.position).toBe(4);
  expect(cursor.load([])).toBe(false);
});

describe("across a gap", () => {
  const inLog = [customOf(5), endOf(6)];
  test.each([
    ["what is known of it, as far as the log does not tell it better", 5, [1, 3, 5], [1, 3], 3],
    ["all that is known, where the log has nothing", undefined, [1, 6], [1, 6], 6],
    ["what the log has, where it has all that is known", 5, [5, 6], [5, 6], 6],
    ["what the log has, where nothing is known", 5, [], [5, 6], 6],
    ["nothing, where nobody knows anything", undefined, [], [], 0],
  ] as const)("a reader goes on with %s", (_what, oldest, known, seqs, position) => {
    const cursor = new LogCursor(0, {});
    const entries = oldest === undefined ? [] : inLog;
    expect(cursor.isBehind({ entries, oldest })).toBe(true);
    const found = cursor.loadAcross(
      { entries, oldest },
      known.map((seq) => customOf(seq)),
    );
    expect(found).toBe(seqs.length > 0);
    const taken = [];
    for (let entry = cursor.take(); entry !== undefined; entry = cursor.take()) {
      taken.push(entry.seq);
    }
    expect([taken, cursor.position]).toEqual([seqs, position]);
  });

  test("that hides nothing wanted, the position is behind it", () => {
    const cursor = new LogCursor(2, {});
    expect(cursor.isBehind({ entries: [], oldest: 3 })).toBe(false);
    expect(cursor.isBehind({ entries: [], oldest: 4 })).toBe(true);
    expect(cursor.loadAcross({ entries: [], oldest: 9 }, [])).toBe(false);
    expect(cursor.position).toBe(8);
    expect(cursor.loadAcross({ entries: [], oldest: 4 }, [])).toBe(false);
    expect(cursor.position).toBe(8);
  });
});

test("an entry that is longer than that comes by itself", () => {
  const cursor = new LogCursor(0, {});
  cursor.load([tokenOf(1, "a"), tokenOf(2, "b".repeat(20 * kibibyte)), tokenOf(3, "c")]);
  const seqs = [cursor.take(), cursor.take(), cursor.take()].map((entry) => entry?.seq);
  expect(seqs).toEqual([1, 2, 3]);
});

test("a cursor that has given out what was read holds none of it", async () => {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  const cursor = new LogCursor(0, {});
  const held = (() => {
    const entry = tokenOf(1, "x".repeat(kibibyte));
    cursor.load([entry]);
    cursor.take();
    cursor.take();
    return new WeakRef(entry);
  })();
  // A WeakRef is kept to the end of the turn that made it.
  await new Promise((resolve) => setImmediate(resolve));
  gc();
  expect(held.deref()).toBeUndefined();
  expect(cursor.position).toBe(1);
});

test("a reader who has left holds nothing of what it had read", async () => {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  let unread: WeakRef<LogEntry> | undefined;
  const log = {
    subscribe: () => () => {},
    read: () => {
      const entries = [customOf(1), customOf(2)];
      unread = new WeakRef(entries[1] ?? expect.fail());
      return { entries, oldest: 1 };
    },
  } as Pick<EventLog, "read" | "subscribe"> as EventLog;
  const backfill = {
    acrossGap: async () => [],
    afterSilence: async () => [],
    isWithinArchive: () => false,
  };
  const follower = await Follower.start({ log, conversationId: "c", after: 0, backfill });
  await follower.next();
  await follower.return();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  gc();
  expect(unread?.deref()).toBeUndefined();
  expect(follower.closed).toBe(true);
});

test("a reader whose socket takes nothing lets go of what was read, and reads it again", async () => {
  const world = new FollowerWorld(false);
  world.room = 2;
  world.append("custom", 4);
  const { got, follower } = await world.read({ position: 0, onlyEnds: false, pushed: true });
  expect(got.map(({ seq }) => seq)).toEqual([1, 2]);
  const asked = world.asked.length;
  world.drain(100);
  await new Promise((resolve) => setImmediate(resolve));
  expect(got.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  expect(world.asked[asked]).toBe(2);
  await follower.return();
});
