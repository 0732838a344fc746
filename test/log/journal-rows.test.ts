/** What is on disk of the journal, and what of it a later process finds. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SqliteJournal, type SqliteJournalOptions } from "../../src/log/journal.ts";
import type { LogBounds } from "../../src/log/log.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { temporaryFolder } from "../faults/child-server.ts";

beforeEach(() => {
  const toFake = ["setTimeout", "clearTimeout", "performance"] as const;
  vi.useFakeTimers({ toFake: [...toFake], shouldAdvanceTime: true });
});

afterEach(() => {
  vi.useRealTimers();
});

const spanId = randomUUID();
const mebibyte = 1024 * 1024;

interface LogOptions extends SqliteJournalOptions {
  readonly bounds?: Partial<LogBounds>;
}

function logOn(database: DatabaseSync, { bounds, ...options }: LogOptions = {}): MemoryLog {
  return new MemoryLog({ bounds, journal: new SqliteJournal(database, options) });
}

/** A run that is written a step at a time, each step a row of its own. */
function runIn(log: MemoryLog, { conversationId = randomUUID(), after = 0 } = {}) {
  const run = { conversationId, runId: randomUUID(), firstSeq: after + 1 };
  const { runId } = run;
  const writer = log.open({ ...run, after });
  const say = async (text: string): Promise<void> => {
    writer.append({ type: "token", runId, spanId, text });
    await writer.flushed();
  };
  const end = async (at = new Date()): Promise<void> => {
    const status = "completed";
    writer.append({ type: "runEnd", runId, at: at.toISOString(), status, text: "" });
    await writer.flushed();
    writer.close();
  };
  const message = { botId: "b", userId: "u", message: "m", conversationId };
  writer.append({ type: "runStart", runId, at: new Date().toISOString(), ...message });
  return { run, say, end };
}

function eventsOf(log: MemoryLog, conversationId: string): ChatEvent[] {
  const events: ChatEvent[] = [];
  for (let after = 0; ; ) {
    const { entries, oldest } = log.read(conversationId, after);
    const last = entries.at(-1);
    if (last === undefined) return events;
    expect(entries[0]?.seq).toBe(Math.max(after + 1, oldest ?? 0));
    events.push(...entries.map(({ event }) => event));
    after = last.seq;
  }
}

function textOf(log: MemoryLog, conversationId: string): string {
  const events = eventsOf(log, conversationId);
  return events.map((event) => (event.type === "token" ? event.text : "")).join("");
}

async function recover(log: MemoryLog, runs: Parameters<MemoryLog["recover"]>[0]) {
  const texts = new Map<string, string>();
  for await (const { runId, conversationId } of log.recover(runs)) {
    texts.set(runId, textOf(log, conversationId));
    log.open({ runId, conversationId, after: 0 }).close();
  }
  return texts;
}

function stored(database: DatabaseSync): number {
  const sum = "select coalesce(sum(octet_length(events)), 0) as bytes from journal";
  return Number(database.prepare(sum).get()?.bytes);
}

test("a run in progress keeps its own rows and nobody else's", async () => {
  const database = new DatabaseSync(":memory:");
  const log = logOn(database, { bounds: { maxBytes: mebibyte } });
  const long = runIn(log);
  for (let index = 0; index < 40; index++) {
    const other = runIn(log);
    await Promise.all([long.say(`${index} `), other.say("x".repeat(256 * 1024))]);
    await other.end();
  }
  expect(stored(database)).toBeGreaterThan(8 * mebibyte);
  vi.advanceTimersByTime(10_000);
  await expect.poll(() => stored(database)).toBeLessThan(5 * mebibyte);
  await long.say("last");
  const expected = `${Array.from({ length: 40 }, (_, index) => `${index} `).join("")}last`;
  const restarted = logOn(database);
  expect(await recover(restarted, [long.run])).toEqual(new Map([[long.run.runId, expected]]));
});

test("a journal larger than what a boot takes back gives each run in progress whole", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "journal.sqlite");
  const database = new DatabaseSync(path);
  const log = logOn(database);
  const runs = Array.from({ length: 12 }, () => runIn(log));
  const pieces = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(128 * 1024));
  // Groups of all of them, and as many of runs that are over.
  for (const piece of pieces) {
    const over = runIn(log);
    await Promise.all([over, ...runs].map((run) => run.say(piece)));
    await over.end();
  }
  expect(stored(database)).toBeGreaterThan(12 * mebibyte);
  const bounds = { maxBytes: 4 * mebibyte };
  const restarted = logOn(database, { bounds });
  expect(restarted.bytes).toBeLessThan(mebibyte);
  let most = 0;
  let count = 0;
  for await (const { runId, conversationId } of restarted.recover(runs.map(({ run }) => run))) {
    expect(textOf(restarted, conversationId)).toBe(pieces.join(""));
    // What is sorted by runs meanwhile is on disk, too.
    expect(existsSync(`${path}-recovery`)).toBe(true);
    count += 1;
    restarted.open({ runId, conversationId, after: 0 }).close();
    most = Math.max(most, restarted.bytes);
  }
  expect(count).toBe(12);
  expect(existsSync(`${path}-recovery`)).toBe(false);
  expect(most).toBeLessThan(2.5 * mebibyte);
  // What was needed for that alone is not read again by the next boot.
  await expect.poll(() => stored(database)).toBeLessThan(2 * mebibyte);
  database.close();
});

test("nothing is deleted before the runs that need it are ended", async () => {
  const database = new DatabaseSync(":memory:");
  const log = logOn(database);
  const long = runIn(log);
  await long.say("start");
  const other = runIn(log);
  for (let index = 0; index < 8; index++) await other.say("x".repeat(256 * 1024));
  await other.end(new Date(0));
  const before = stored(database);
  const restarted = logOn(database, { bounds: { maxBytes: mebibyte } });
  const recovering = restarted.recover([long.run]);
  expect((await recovering.next()).value).toEqual(long.run);
  // Killed while it ends the run: the next one finds what this one has found.
  vi.advanceTimersByTime(11_000);
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  expect(stored(database)).toBe(before);
  const again = logOn(database, { bounds: { maxBytes: mebibyte } });
  expect(await recover(again, [long.run])).toEqual(new Map([[long.run.runId, "start"]]));
  await expect.poll(() => stored(database)).toBeLessThan(before / 2);
});

test("the retention time goes from a run's end, over any number of boots", async () => {
  const database = new DatabaseSync(":memory:");
  const bounds = { retentionMs: 60_000 };
  const log = logOn(database, { bounds });
  const [old, young] = [runIn(log), runIn(log)];
  await old.end(new Date(Date.now() - 61_000));
  await young.end(new Date(Date.now() - 30_000));
  for (let boot = 0; boot < 3; boot++) {
    const restarted = logOn(database, { bounds });
    expect(eventsOf(restarted, old.run.conversationId)).toEqual([]);
    expect(eventsOf(restarted, young.run.conversationId).length).toBe(2);
    await recover(restarted, []);
  }
  const last = logOn(database, { bounds });
  vi.advanceTimersByTime(31_000);
  expect(eventsOf(last, young.run.conversationId)).toEqual([]);
  const later = logOn(database, { bounds: { retentionMs: 29_000 } });
  await recover(later, []);
  vi.advanceTimersByTime(10_000);
  await expect.poll(() => stored(database)).toBe(0);
});

test("what cannot be read is skipped and named, and a run has what is before it", async () => {
  const written = "select id, events from journal order by id";
  const damages: ((row: { id: number; events: string }) => unknown)[] = [
    () => "not JSON",
    () => '{"a":1}',
    ({ events }) => events.slice(0, events.length / 2),
    ({ events }) => Buffer.from(events),
    ({ events }) => events.replace('"token"', "7"),
    ({ events }) => events.replace('"text":', '"txet":'),
    ({ events }) => events.replace(/",\d+,\[/, '","4",['),
  ];
  for (const damage of damages) {
    const database = new DatabaseSync(":memory:");
    const log = logOn(database);
    const [hurt, other] = [runIn(log), runIn(log)];
    for (const text of ["a", "b", "c", "d"]) await hurt.say(text);
    await other.say("whole");
    const row = database.prepare(written).all()[2] as { id: number; events: string };
    const change = database.prepare("update journal set events = ? where id = ?");
    change.run(damage(row) as string, row.id);
    const named: string[] = [];
    const restarted = logOn(database, { onDamage: (what) => named.push(what) });
    expect(named).toEqual([`row ${row.id} of the journal was skipped: it cannot be read`]);
    // Readers have seen more than is there.
    expect(restarted.mayLackEvents).toBe(true);
    const texts = await recover(restarted, [hurt.run, other.run]);
    expect([...texts.values()]).toEqual(["ab", "whole"]);
  }
});

test("of a run with a hole, its end is known", async () => {
  const database = new DatabaseSync(":memory:");
  const log = logOn(database);
  const hurt = runIn(log);
  for (const text of ["a", "b"]) await hurt.say(text);
  await hurt.end();
  database.prepare("delete from journal where id = 2").run();
  const restarted = logOn(database);
  expect(eventsOf(restarted, hurt.run.conversationId).map(({ type }) => type)).toEqual(["runEnd"]);
});

test("events that were written twice are there once", async () => {
  const database = new DatabaseSync(":memory:");
  const { run, say } = runIn(logOn(database));
  for (const text of ["a", "b", "c"]) await say(text);
  database.exec("insert into journal (events) select events from journal");
  const restarted = logOn(database);
  expect(await recover(restarted, [run])).toEqual(new Map([[run.runId, "abc"]]));
});

test("after a start of the machine the journal may lack what readers saw, until runs are ended", async () => {
  const database = new DatabaseSync(":memory:");
  await recover(logOn(database, { bootId: "first" }), []);
  expect(logOn(database, { bootId: "first" }).mayLackEvents).toBe(false);
  expect(logOn(database, { bootId: "second" }).mayLackEvents).toBe(true);
  // Nothing was ended by that one.
  expect(logOn(database, { bootId: "second" }).mayLackEvents).toBe(true);
  await recover(logOn(database, { bootId: "second" }), []);
  expect(logOn(database, { bootId: "second" }).mayLackEvents).toBe(false);
});

test("where there is no boot id, the time of the machine's start tells", async () => {
  const database = new DatabaseSync(":memory:");
  await recover(logOn(database, { bootId: "1700000000000" }), []);
  expect(logOn(database, { bootId: "1700000005000" }).mayLackEvents).toBe(false);
  expect(logOn(database, { bootId: "1700000100000" }).mayLackEvents).toBe(true);
});

test("a journal apart from the store may have been lost alone", async () => {
  const database = new DatabaseSync(":memory:");
  expect(logOn(database).mayLackEvents).toBe(false);
  expect(logOn(database, { apartFromStore: true }).mayLackEvents).toBe(true);
});

test("while the disk refuses, what waits for it is bounded", async () => {
  const database = new DatabaseSync(":memory:");
  const log = logOn(database, { bounds: { maxBytes: mebibyte } });
  database.exec("pragma query_only = on");
  const run = runIn(log);
  for (let index = 0; index < 20; index++) await run.say(`${index}`.repeat(4 * mebibyte));
  database.exec("pragma query_only = off");
  vi.advanceTimersByTime(500);
  expect(log.healthy).toBe(true);
  expect(stored(database)).toBeGreaterThan(32 * mebibyte);
  expect(stored(database)).toBeLessThan(66 * mebibyte);
});

test("a journal that is closed while it waits for a transaction touches its database no more", async () => {
  const database = new DatabaseSync(":memory:");
  const journal = new SqliteJournal(database);
  const log = new MemoryLog({ journal });
  database.exec("pragma query_only = on");
  await runIn(log).say("a");
  database.exec("pragma query_only = off");
  // The retry finds a transaction, and looks again in each turn of the loop.
  database.exec("begin");
  vi.advanceTimersByTime(500);
  await log[Symbol.asyncDispose]();
  database.close();
  for (let turn = 0; turn < 3; turn++) await setImmediate();
});

test("a row with long events is text in the file, as any other, and a later process reads it", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "journal.sqlite");
  using database = new DatabaseSync(file);
  await using log = logOn(database);
  const { run, say } = runIn(log);
  await say("short");
  const said = ["x".repeat(3_000), '"é😀\n'.repeat(5_000), "y".repeat(300_000)];
  for (const text of said) await say(text);
  const types = database.prepare("select distinct typeof(events) as type from journal").all();
  expect(types).toEqual([{ type: "text" }]);
  using copy = new DatabaseSync(file);
  await using later = logOn(copy);
  const texts = eventsOf(later, run.conversationId).map((event) => "text" in event && event.text);
  expect(texts).toEqual([false, "short", ...said]);
});
