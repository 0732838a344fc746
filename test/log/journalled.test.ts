import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { SqliteJournal } from "../../src/log/journal.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { describeLog } from "./log-contract.ts";

describeLog("journalled", async (bounds) => {
  return new MemoryLog({ bounds, journal: new SqliteJournal(new DatabaseSync(":memory:")) });
});

const spanId = randomUUID();

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

async function logOf(database: DatabaseSync) {
  return new MemoryLog({ journal: new SqliteJournal(database) });
}

function token(runId: string, text: string): ChatEvent {
  return { type: "token", runId, spanId, text };
}

describe("memory", () => {
  test("what the log says it holds is what it costs, however the tokens come", async () => {
    for (const spans of [[spanId], [randomUUID(), randomUUID(), randomUUID()]]) {
      const log = new MemoryLog();
      const runId = randomUUID();
      const writer = log.open({ conversationId: randomUUID(), runId, after: 0 });
      const before = heapUsed();
      for (let index = 0; index < 50_000; index++) {
        const span = spans[index % spans.length] ?? spanId;
        writer.append({ type: "token", runId, spanId: span, text: `${index}`.padStart(5, " ") });
      }
      await writer.flushed();
      const used = heapUsed() - before;
      expect(used / log.bytes).toBeLessThan(1.5);
    }
  });
});

test("a long text is held as it was said, and not as JSON besides, once readers were told", async () => {
  await using log = new MemoryLog();
  const [conversationId, runId] = [randomUUID(), randomUUID()];
  const writer = log.open({ conversationId, runId, after: 0 });
  const mebibyte = 1024 * 1024;
  // As LangChain holds them while their run is in progress; a repeated string would be made when it is read.
  // One of a MiB would be outside of V8's heap.
  const made = (index: number) => Buffer.alloc(mebibyte / 2, `${index % 10}`).toString("latin1");
  const empty = heapUsed();
  let texts = Array.from({ length: 32 }, (_, index) => made(index));
  const before = heapUsed();
  for (const [index, text] of texts.entries()) {
    writer.append({ type: "token", runId, spanId: `${index}`, text });
  }
  await writer.flushed();
  expect(heapUsed() - before).toBeLessThan(4 * mebibyte);
  const { event } = log.read(conversationId, 31).entries[0] ?? expect.fail("nothing is there");
  expect(event).toEqual({ type: "token", runId, spanId: "31", text: made(31) });
  // And no longer than its entry is there.
  texts = [];
  await log.forget([{ conversationId, through: 31 }]);
  writer.append({ type: "custom", runId, spanId: "s", name: "goes on" });
  await writer.flushed();
  expect(heapUsed() - empty).toBeLessThan(4 * mebibyte);
});

describe("journal", () => {
  test("everything that was readable is there after a restart, under the same numbers", async () => {
    const database = new DatabaseSync(":memory:");
    const conversationId = randomUUID();
    const runId = randomUUID();
    const log = await logOf(database);
    const writer = log.open({ conversationId, runId, after: 10 });
    for (const text of ["a", "b", "c"]) {
      writer.append(token(runId, text));
      await writer.flushed();
    }
    const before = log.read(conversationId, 10).entries.map(({ seq, json }) => [seq, json]);
    // No disposal: the process was killed.
    const restarted = await logOf(database);
    const after = restarted.read(conversationId, 10).entries.map(({ seq, json }) => [seq, json]);
    expect(after).toEqual(before);
    expect(restarted.leftBehind()).toEqual([{ conversationId, runId, lastSeq: 13 }]);
  });

  test("what is appended in one turn, for all conversations, is one row", async () => {
    const database = new DatabaseSync(":memory:");
    const log = await logOf(database);
    const writers = Array.from({ length: 5 }, () => {
      const runId = randomUUID();
      const writer = log.open({ conversationId: randomUUID(), runId, after: 0 });
      writer.append(token(runId, "a"));
      writer.append(token(runId, "b"));
      return writer;
    });
    await Promise.all(writers.map((writer) => writer.flushed()));
    expect(database.prepare("select count(*) as rows from journal").get()).toEqual({ rows: 1 });
  });

  test("a busy turn is cut by age: readers are served while LangChain never gives the turn back", async () => {
    const log = await logOf(new DatabaseSync(":memory:"));
    const runId = randomUUID();
    const conversationId = randomUUID();
    const writer = log.open({ conversationId, runId, after: 0 });
    let readable = 0;
    log.subscribe(conversationId, () => {
      readable += 1;
    });
    const giveUpAt = performance.now() + 5_000;
    while (readable < 3 && performance.now() < giveUpAt) writer.append(token(runId, "x"));
    expect(readable).toBe(3);
  });

  test("a group does not join somebody else's transaction on the same connection", async () => {
    const database = new DatabaseSync(":memory:");
    const log = await logOf(database);
    const runId = randomUUID();
    const conversationId = randomUUID();
    const writer = log.open({ conversationId, runId, after: 0 });
    const bot = new AsyncLocalStorage<string>();
    let toldIn: string | undefined = "nobody";
    log.subscribe(conversationId, () => {
      toldIn = bot.getStore();
    });
    database.exec("begin");
    bot.run("bot", () => writer.append(token(runId, "a")));
    const flushed = writer.flushed();
    await nextTurn();
    await nextTurn();
    expect(log.read(conversationId, 0).entries).toEqual([]);
    database.exec("rollback");
    await flushed;
    expect(toldIn).toBeUndefined();
    expect(database.prepare("select count(*) as rows from journal").get()).toEqual({ rows: 1 });
  });

  test("while the disk refuses, runs go on in memory; it is written when the disk is back", async () => {
    const database = new DatabaseSync(":memory:");
    const log = await logOf(database);
    const runId = randomUUID();
    const conversationId = randomUUID();
    const writer = log.open({ conversationId, runId, after: 0 });
    const pages = database.prepare("pragma page_count").get()?.page_count;
    database.exec(`pragma max_page_count = ${pages}`);
    const big = "x".repeat(100_000);
    writer.append(token(runId, big));
    await writer.flushed();
    expect(log.healthy).toBe(false);
    expect(log.read(conversationId, 0).entries.length).toBe(1);
    database.exec("pragma max_page_count = 1000000");
    writer.append(token(runId, "y"));
    await writer.flushed();
    await expect.poll(() => log.healthy).toBe(true);
    const restarted = await logOf(database);
    const seqs = [0, 1].map((after) => restarted.read(conversationId, after).entries[0]?.seq);
    expect(seqs).toEqual([1, 2]);
  });
});
