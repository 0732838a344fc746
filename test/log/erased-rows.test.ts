/** What is erased from the journal is in no file any more, whatever else its rows are needed for. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { SqliteJournal } from "../../src/log/journal.ts";
import type { LogBounds } from "../../src/log/log.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";

async function start(bounds: Partial<LogBounds> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "langwire-erased-"));
  const database = new DatabaseSync(join(folder, "journal.sqlite"));
  database.exec("pragma journal_mode = wal; pragma secure_delete = on");
  const log = new MemoryLog({ bounds, journal: new SqliteJournal(database) });
  onTestFinished(async () => {
    if (database.isOpen) database.close();
    await rm(folder, { recursive: true });
  });
  const filesWith = async (text: string) => {
    const names = await readdir(folder);
    const contents = await Promise.all(names.map((name) => readFile(join(folder, name), "latin1")));
    return names.filter((_, index) => contents[index]?.includes(text));
  };
  const write = async (text: string, conversationId: string = randomUUID()) => {
    const runId = randomUUID();
    const writer = log.open({ conversationId, runId, after: 0 });
    writer.append({ type: "token", runId, spanId: runId, text });
    await writer.flushed();
    return { conversationId, writer, runId };
  };
  return { log, database, filesWith, write };
}

test("a short answer among a long one that is still being given", async () => {
  const { log, filesWith, write } = await start();
  const long = await write("long ".repeat(50_000));
  const short = await write("CANARY");
  short.writer.close();
  await write("and on");
  expect(await filesWith("CANARY")).not.toEqual([]);
  await log.forget([{ conversationId: short.conversationId }]);
  expect(await filesWith("CANARY")).toEqual([]);
  const [entry] = log.read(long.conversationId, 0).entries;
  expect(entry?.bytes).toBeGreaterThan(100_000);
});

test("what had left the log before, and is still in a row that others need", async () => {
  const { log, filesWith, write } = await start({ retentionMs: 1 });
  await write("long ".repeat(50_000));
  const { conversationId, writer } = await write("CANARY");
  writer.close();
  await expect.poll(() => log.read(conversationId, 0).entries).toEqual([]);
  expect(await filesWith("CANARY")).not.toEqual([]);
  await log.forget([{ conversationId }]);
  expect(await filesWith("CANARY")).toEqual([]);
});

test("what is erased when the process ends", async () => {
  const { log, database, filesWith, write } = await start();
  await write("long ".repeat(50_000));
  const short = await write("CANARY");
  short.writer.close();
  const forgotten = log.forget([{ conversationId: short.conversationId }]);
  await log[Symbol.asyncDispose]();
  await forgotten;
  database.close();
  expect(await filesWith("CANARY")).toEqual([]);
});

test("what a run writes while its conversation is deleted, to its last words", async () => {
  const { log, filesWith, write } = await start();
  await write("long ".repeat(50_000));
  const { conversationId, writer, runId } = await write("CANARY one");
  const forgotten = log.forget([{ conversationId }]);
  const say = (text: string) => writer.append({ type: "token", runId, spanId: text, text });
  say("CANARY two");
  await writer.flushed();
  expect(await filesWith("CANARY two")).not.toEqual([]);
  say("CANARY three");
  writer.close();
  await forgotten;
  await writer.flushed();
  expect(await filesWith("CANARY")).toEqual([]);
});

test("what cannot be cut off while somebody reads is when they are done", async () => {
  const { log, database, filesWith, write } = await start();
  const { conversationId, writer } = await write("CANARY");
  writer.close();
  using reader = new DatabaseSync(database.location() ?? "");
  reader.exec("begin");
  reader.prepare("select count(*) from journal").get();
  const prepared = vi.spyOn(database, "prepare");
  const tries = () => prepared.mock.calls.filter(([sql]) => sql.includes("checkpoint")).length;
  const forgotten = Promise.all([
    log.forget([{ conversationId }]),
    log.forget([{ conversationId: randomUUID() }]),
  ]);
  await expect.poll(tries).toBeGreaterThan(4);
  expect(await filesWith("CANARY")).not.toEqual([]);
  reader.exec("commit");
  await forgotten;
  expect(await filesWith("CANARY")).toEqual([]);
});
