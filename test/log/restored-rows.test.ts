/** What a boot takes back of the journal where it does not take all: runs whole or not at all, and the oldest first. */
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SqliteJournal } from "../../src/log/journal.ts";
import type { LogBounds } from "../../src/log/log.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { readAll } from "./log-contract.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const kibibyte = 1024;
/** What an entry takes besides its JSON. */
const entryOverheadBytes = 128;
const [one, two] = [randomUUID(), randomUUID()];

function logOn(database: DatabaseSync, bounds: Partial<LogBounds>): MemoryLog {
  return new MemoryLog({ bounds, journal: new SqliteJournal(database) });
}

/** A run whose every text is a row of its own. */
async function runOf(log: MemoryLog, conversationId: string, after: number, texts: string[]) {
  const runId = randomUUID();
  const writer = log.open({ conversationId, runId, after });
  const append = async (event: object) => {
    writer.append({ runId, ...event } as ChatEvent);
    await writer.flushed();
  };
  const at = new Date().toISOString();
  await append({ type: "runStart", at, conversationId, botId: "b", userId: "u", message: "m" });
  for (const text of texts) await append({ type: "token", spanId: "s", text });
  const end = async () => {
    await append({ type: "runEnd", at: new Date().toISOString(), status: "completed", text: "" });
    writer.close();
    return writer.lastSeq;
  };
  return { runId, conversationId, firstSeq: after + 1, end };
}

async function textsOf(log: MemoryLog, conversationId: string): Promise<string> {
  const events = (await readAll(log, conversationId)).map(({ event }) => event);
  return events.map((event) => (event.type === "token" ? event.text[0] : "")).join("");
}

const bounds = { maxBytes: 800 * kibibyte, retentionMs: 60_000 };

describe("a run in progress", () => {
  test.each([
    ["all of it is taken back", 20 * kibibyte, "zabc"],
    ["its newest rows alone would be taken back", 200 * kibibyte, ""],
  ])("is read whole, and nothing of before it, where %s", async (_where, length, before) => {
    const database = new DatabaseSync(":memory:");
    const log = logOn(database, bounds);
    const lastSeq = await (await runOf(log, one, 0, ["z".repeat(length)])).end();
    const run = await runOf(log, one, lastSeq, ["a".repeat(length), "b", "c"]);
    // The process was killed.
    const restarted = logOn(database, bounds);
    expect(await textsOf(restarted, one)).toBe(before);
    const read: string[] = [];
    for await (const { runId, conversationId } of restarted.recover([run])) {
      const entries = await readAll(restarted, conversationId);
      const own = entries.filter((entry) => entry.runId === runId);
      read.push(await textsOf(restarted, conversationId));
      expect(own.map(({ type }) => type)).toEqual(["runStart", "token", "token", "token"]);
      expect(own[0]?.seq).toBe(lastSeq + 1);
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes + entryOverheadBytes, 0);
      expect(restarted.bytes).toBe(bytes);
      restarted.open({ runId, conversationId, after: 0 }).close();
    }
    expect(read).toEqual([before === "" ? "abc" : before]);
  });

  test("that the store does not know leaves as one that has ended, and one that is written does not", async () => {
    const database = new DatabaseSync(":memory:");
    await runOf(logOn(database, bounds), one, 0, ["a"]);
    const restarted = logOn(database, bounds);
    await runOf(restarted, two, 0, ["b"]);
    for await (const _run of restarted.recover([])) expect.fail("nothing is in progress");
    const there = () => Promise.all([one, two].map((id) => textsOf(restarted, id)));
    vi.advanceTimersByTime(59_000);
    expect(await there()).toEqual(["a", "b"]);
    vi.advanceTimersByTime(1_000);
    expect(await there()).toEqual(["", "b"]);
  });

  test("is not read once the boot is broken off", async () => {
    const database = new DatabaseSync(":memory:");
    const log = logOn(database, bounds);
    const runs = [];
    for (const id of [one, two])
      runs.push(await runOf(log, id, 0, ["a".repeat(200 * kibibyte), "b"]));
    const restarted = logOn(database, bounds);
    const stopping = new AbortController();
    const read: string[] = [];
    const recovering = (async () => {
      for await (const { conversationId } of restarted.recover(runs, stopping.signal)) {
        read.push(conversationId);
        stopping.abort(new Error("stopped"));
      }
    })();
    await expect(recovering).rejects.toThrow("stopped");
    expect(read).toEqual([one]);
  });
});

test("runs of several conversations leave in the order in which they ended, not as they were read", async () => {
  const database = new DatabaseSync(":memory:");
  const log = logOn(database, bounds);
  const first = await runOf(log, one, 0, ["a"]);
  const between = await runOf(log, two, 0, ["b"]);
  const lastSeq = await first.end();
  vi.advanceTimersByTime(10_000);
  await between.end();
  vi.advanceTimersByTime(30_000);
  await (await runOf(log, one, lastSeq, ["c"])).end();
  const restarted = logOn(database, bounds);
  for await (const _run of restarted.recover([])) expect.fail("nothing is in progress");
  const there = () =>
    Promise.all([one, two].map((conversationId) => textsOf(restarted, conversationId)));
  expect(await there()).toEqual(["ac", "b"]);
  vi.advanceTimersByTime(20_000);
  expect(await there()).toEqual(["c", "b"]);
  vi.advanceTimersByTime(10_000);
  expect(await there()).toEqual(["c", ""]);
  vi.advanceTimersByTime(30_000);
  expect(await there()).toEqual(["", ""]);
});
