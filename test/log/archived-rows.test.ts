/** What is archived does not stay in the journal, and a later process does not take it back. */
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SqliteJournal } from "../../src/log/journal.ts";
import type { ArchivedEvents, LogBounds } from "../../src/log/log.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";

beforeEach(() => {
  const toFake = ["setTimeout", "clearTimeout", "performance"] as const;
  vi.useFakeTimers({ toFake: [...toFake], shouldAdvanceTime: true });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

interface LogOptions {
  readonly archived?: readonly ArchivedEvents[];
  readonly bounds?: Partial<LogBounds>;
}

function logOn(database: DatabaseSync, options: LogOptions = {}): MemoryLog {
  return new MemoryLog({ ...options, journal: new SqliteJournal(database) });
}

/** A run of which each token is a row of its own, unless more is written meanwhile. */
function runIn(log: MemoryLog, { conversationId = randomUUID(), after = 0 } = {}) {
  const runId = randomUUID();
  const at = new Date().toISOString();
  const writer = log.open({ conversationId, runId, after });
  const message = { botId: "b", userId: "u", message: "m", conversationId };
  writer.append({ type: "runStart", runId, at, ...message });
  const say = async (text: string): Promise<void> => {
    writer.append({ type: "token", runId, spanId: runId, text });
    await writer.flushed();
  };
  const end = (archived = false): ArchivedEvents => {
    writer.append({ type: "runEnd", runId, at, status: "completed", text: "" });
    const range = { conversationId, firstSeq: after + 1, lastSeq: writer.lastSeq };
    void writer.flushed().then(() => writer.close({ archived }));
    return range;
  };
  return { conversationId, writer, say, end };
}

function eventsOf(log: MemoryLog, conversationId: string): ChatEvent[] {
  return log.read(conversationId, 0).entries.map(({ event }) => event);
}

function textIn(database: DatabaseSync): string {
  const rows = database.prepare("select events from journal").all();
  return rows.map(({ events }) => String(events)).join("\n");
}

async function recovered(log: MemoryLog): Promise<void> {
  for await (const _run of log.recover([])) expect.unreachable();
}

test("a run that is archived leaves memory and the journal within seconds, and no other does", async () => {
  const database = new DatabaseSync(":memory:");
  const log = logOn(database, { bounds: { archivedMs: 1_000 } });
  await recovered(log);
  const [short, other] = [runIn(log), runIn(log)];
  await short.say("SHORT".repeat(1_000));
  await other.say("OTHER");
  short.end(true);
  other.end();
  await Promise.all([short.writer.flushed(), other.writer.flushed()]);
  expect(eventsOf(log, short.conversationId)).toHaveLength(3);
  vi.advanceTimersByTime(1_000);
  expect(eventsOf(log, short.conversationId)).toEqual([]);
  expect(eventsOf(log, other.conversationId)).toHaveLength(3);
  vi.advanceTimersByTime(10_000);
  await expect.poll(() => textIn(database)).not.toContain("SHORT");
  expect(textIn(database)).toContain("OTHER");
});

test("a later process takes back what is not archived, and deletes the rest", async () => {
  const database = new DatabaseSync(":memory:");
  const log = logOn(database);
  const first = runIn(log);
  await first.say("FIRST".repeat(1_000));
  const second = runIn(log);
  await second.say("SECOND");
  await first.say("more");
  const archived = first.end();
  second.end();
  await second.writer.flushed();
  const parse = vi.spyOn(JSON, "parse");
  const later = logOn(database, { archived: [archived] });
  expect(eventsOf(later, first.conversationId)).toEqual([]);
  expect(eventsOf(later, second.conversationId)).toEqual(eventsOf(log, second.conversationId));
  // A row that has nothing else is not even unpacked.
  expect(parse.mock.calls.some(([text]) => text.includes("more"))).toBe(false);
  await recovered(later);
  await expect.poll(() => textIn(database)).not.toContain("FIRST");
  expect(textIn(database)).toContain("SECOND");
});

test("a run that begins where an archived one ends is taken back, from its first event on", async () => {
  const database = new DatabaseSync(":memory:");
  const log = logOn(database);
  const { conversationId, ...first } = runIn(log);
  await first.say("a");
  const archived = first.end();
  // In the same turn: its first events are in the row of the other's last.
  const next = runIn(log, { conversationId, after: archived.lastSeq });
  await next.say("b");
  const later = logOn(database, { archived: [archived] });
  expect(later.read(conversationId, 0)).toMatchObject({ oldest: archived.lastSeq + 1 });
  expect(eventsOf(later, conversationId).map(({ type }) => type)).toEqual(["runStart", "token"]);
  expect(later.leftBehind()).toMatchObject([{ conversationId }]);
});

test("what was not taken back is erased with its conversation, from rows that others need", async () => {
  const database = new DatabaseSync(":memory:");
  const log = logOn(database);
  const [gone, long] = [runIn(log), runIn(log)];
  await gone.say("a");
  // Of more than a MiB, so that what follows is kept apart from what is before.
  await long.say("long".repeat(300_000));
  await gone.say("CANARY");
  await long.say("long".repeat(50_000));
  const archived = gone.end();
  await gone.writer.flushed();
  const later = logOn(database, { archived: [archived] });
  expect(textIn(database)).toContain("CANARY");
  const erased = later.forget([{ conversationId: gone.conversationId }]);
  vi.advanceTimersByTime(1_000);
  await erased;
  expect(textIn(database)).not.toContain("CANARY");
  expect(later.read(long.conversationId, 2).entries).toHaveLength(1);
});
