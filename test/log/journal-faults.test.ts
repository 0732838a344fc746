/** The journal under what a disk and a shared connection do to it: what was readable is there afterwards. */
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SqliteJournal } from "../../src/log/journal.ts";
import type { LogBounds } from "../../src/log/log.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";

beforeEach(() => {
  const toFake = ["setTimeout", "clearTimeout", "performance"] as const;
  vi.useFakeTimers({ toFake: [...toFake] });
});
afterEach(() => {
  vi.useRealTimers();
});

const mebibyte = 1024 * 1024;
const insertsFail =
  "create trigger full before insert on journal begin select raise(abort, 'full'); end";
const insertsWork = "drop trigger full";

function start(bounds: Partial<LogBounds> = {}) {
  const database = new DatabaseSync(":memory:");
  const logOn = (onDamage?: (what: string) => void) =>
    new MemoryLog({ bounds, journal: new SqliteJournal(database, { onDamage }) });
  const log = logOn();
  const write = (conversationId: string = randomUUID()) => {
    const runId = randomUUID();
    const writer = log.open({ conversationId, runId, after: 0 });
    const message = { botId: "b", userId: "u", message: "m", conversationId };
    writer.append({ type: "runStart", runId, at: "2026-01-01T00:00:00.000Z", ...message });
    const append = (text: string) => writer.append({ type: "token", runId, spanId: "s", text });
    const say = async (text: string): Promise<void> => {
      append(text);
      await writer.flushed();
    };
    return { conversationId, writer, say, append };
  };
  const rows = () =>
    database
      .prepare("select events from journal order by id")
      .all()
      .map(({ events }) => String(events));
  return { database, log, logOn, write, rows };
}

function textIn(log: MemoryLog, conversationId: string): string {
  let text = "";
  for (let after = 0; ; ) {
    const { entries } = log.read(conversationId, after);
    for (const { event } of entries) if (event.type === "token") text += event.text;
    const last = entries.at(-1);
    if (last === undefined) return text;
    after = last.seq;
  }
}

const aWhile = async (ms: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms);
  await setImmediate();
};

describe("while the disk is full", () => {
  test("it is tried every half second, and not by each group: a locked one holds its thread each time", async () => {
    const { database, log, write, rows } = start();
    let tries = 0;
    database.function("tried", () => ++tries);
    database.exec(
      "create trigger full before insert on journal begin select tried(), raise(abort, 'full'); end",
    );
    const { say } = write();
    for (const text of ["a", "b", "c"]) await say(text);
    expect([tries, log.healthy]).toEqual([1, false]);
    await aWhile(499);
    expect(tries).toBe(1);
    await aWhile(1);
    expect(tries).toBe(2);
    await say("d");
    expect(tries).toBe(2);
    database.exec(insertsWork);
    await aWhile(500);
    expect([rows().length, log.healthy]).toEqual([4, true]);
  });

  test("what waits is written when the log is closed, if not before", async () => {
    const { database, log, logOn, write } = start();
    const { conversationId, say } = write();
    await say("a");
    database.exec(insertsFail);
    for (const text of ["b", "c"]) await say(text);
    expect(log.healthy).toBe(false);
    database.exec(insertsWork);
    await log[Symbol.asyncDispose]();
    expect(textIn(logOn(), conversationId)).toBe("abc");
  });

  test("rows that cannot be written again stay as they are", async () => {
    const { database, logOn, write, rows } = start({ retentionMs: 1 });
    const [long, short] = [write(), write()];
    await long.say("kept");
    await short.say("x".repeat(1_000));
    short.writer.close();
    database.exec(insertsFail);
    const before = rows();
    await aWhile(20_000);
    expect([database.isTransaction, rows()]).toEqual([false, before]);
    database.exec(insertsWork);
    expect(textIn(logOn(), long.conversationId)).toBe("kept");
  });

  test("what is to be erased is so once it is back, and nothing brings it back", async () => {
    const { database, log, write, rows } = start();
    const [long, short] = [write(), write()];
    await long.say("long".repeat(1_000));
    // There is room for what is written again, and none for more.
    database.exec(insertsFail.replace("on journal", "on journal when new.id > 1"));
    await short.say("CANARY");
    short.writer.close();
    let erased = false;
    const forgotten = log.forget([short]).then(() => {
      erased = true;
    });
    await aWhile(5_000);
    expect(erased).toBe(false);
    database.exec(insertsWork);
    await aWhile(20_000);
    await forgotten;
    expect(rows().join()).not.toContain("CANARY");
    expect(rows().join()).toContain("long");
  });
});

describe("inside somebody else's transaction, which may be rolled back,", () => {
  test("a row that waits is not written", async () => {
    const { database, logOn, write } = start();
    const { conversationId, say } = write();
    database.exec(insertsFail);
    await say("a");
    database.exec(insertsWork);
    database.exec("begin");
    vi.advanceTimersByTime(500);
    await setImmediate();
    database.exec("rollback");
    await aWhile(500);
    expect(textIn(logOn(), conversationId)).toBe("a");
  });

  test("nothing is deleted: its rollback would bring it back", async () => {
    const { database, log, write, rows } = start();
    const { conversationId, writer, say } = write();
    await say("CANARY");
    writer.close();
    const forgotten = log.forget([{ conversationId }]);
    database.exec("begin");
    await aWhile(1_000);
    database.exec("rollback");
    expect(rows()).toHaveLength(1);
    await aWhile(1_000);
    await forgotten;
    expect(rows()).toEqual([]);
  });
});

describe("of any number and size of rows", () => {
  test.each([1, 63, 64, 65, 128, 129, 200])("%i rows are read, each once", async (count) => {
    const { logOn, write, rows } = start();
    const { conversationId, say } = write();
    for (let index = 0; index < count; index++) await say(`${index},`);
    expect(rows()).toHaveLength(count);
    const expected = Array.from({ length: count }, (_, index) => `${index},`).join("");
    expect(textIn(logOn(), conversationId)).toBe(expected);
  });

  test("a group of many long events is several rows", async () => {
    const { log, logOn, write, rows } = start();
    const writers = Array.from({ length: 4 }, () => write());
    for (const { append } of writers) append("x".repeat(1.5 * mebibyte));
    await Promise.all(writers.map(({ writer }) => writer.flushed()));
    expect(rows().map(({ length }) => length < 5 * mebibyte)).toEqual([true, true]);
    const later = logOn();
    for (const { conversationId } of writers) {
      expect(textIn(later, conversationId)).toBe(textIn(log, conversationId));
    }
  });

  test("a start takes back the newest row, however long, and then no more than its share", async () => {
    const { logOn, write } = start({ maxBytes: mebibyte });
    const runs = [];
    for (let count = 0; count < 3; count++) {
      const run = write();
      await run.say("x".repeat(mebibyte));
      runs.push(run);
    }
    const later = logOn();
    expect(runs.map(({ conversationId }) => textIn(later, conversationId).length)).toEqual([
      ...[0, 0, mebibyte],
    ]);
  });

  test("one that is longer than any that is written is not read, and named", () => {
    const { database, logOn } = start();
    database.exec(`insert into journal (events) select hex(zeroblob(${33 * mebibyte}))`);
    const named: string[] = [];
    const parse = vi.spyOn(JSON, "parse");
    logOn((what) => named.push(what));
    expect(named).toEqual(["row 1 of the journal was skipped: it cannot be read"]);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });
});
