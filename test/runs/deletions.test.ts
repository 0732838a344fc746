/** A delete answers when all is gone; what it, or a process that ended, has left is deleted by the sweep. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, onTestFinished, test, vi } from "vitest";
import { defineBot, openLangwire } from "../../src/index.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Deletions } from "../../src/runs/deletions.ts";
import type { RunObserver } from "../../src/runs/observer.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { exchange } from "../store/store-place.ts";
import { read, wsClient } from "../support/stock-client.ts";

const bot = defineBot({
  ...{ id: "chat", title: "Test", description: "" },
  runnable: RunnableLambda.from(() => "answer"),
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "langwire-deletions-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const away = new LangwireError("STORE_UNAVAILABLE");

test("what a process that ended in the middle has left is deleted by the next one", async () => {
  const dataDir = await newFolder();
  const store = await openSqliteStore({ path: join(dataDir, "langwire.sqlite") });
  const { conversationId } = await exchange(store);
  const kept = await exchange(store);
  await store.conversations.delete(conversationId, "alice");
  await store[Symbol.asyncDispose]();
  await using langwire = await openLangwire({ bots: [bot], dataDir });
  const { database, deletions } = langwire.store as SqliteStore;
  await expect.poll(() => deletions.unfinished()).toEqual([]);
  expect(database.prepare("select run_id from runs").all()).toEqual([{ run_id: kept.runId }]);
});

test("an error in the middle is reported, fails no delete, and the rest is deleted after it", async () => {
  const failed = vi.fn<NonNullable<RunObserver["failed"]>>();
  await using langwire = await openLangwire({ bots: [bot], observer: { failed } });
  const { store, runs } = langwire;
  const { conversationId } = await exchange(store);
  await store.conversations.delete(conversationId, "alice");
  vi.spyOn(store.deletions, "finish").mockRejectedValueOnce(away);
  await runs.deleted(conversationId);
  expect(failed.mock.calls).toEqual([[expect.stringContaining("deleted conversation"), away]]);
  await expect.poll(() => store.deletions.unfinished()).toEqual([]);
});

test("what could not be deleted is tried again after a second, however long the sweep has been quiet", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const left = new Set<string>();
  const finish = vi.fn(async (conversationId: string) => {
    if (finish.mock.calls.length === 1) throw away;
    left.delete(conversationId);
  });
  const failed = vi.fn();
  const forget = vi.fn(async () => {});
  const store = { deletions: { finish, unfinished: async () => [...left] } };
  await using deletions = new Deletions({ store, log: { forget }, observer: { failed } });
  // The first sweep, for what a process before has left, is over.
  await vi.advanceTimersByTimeAsync(5_000);
  left.add("c");
  await deletions.finish("c");
  expect([[...left], failed.mock.calls.length]).toEqual([["c"], 1]);
  expect(forget).toHaveBeenCalledExactlyOnceWith([{ conversationId: "c" }]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([...left]).toEqual([]);
});

test("what an earlier process has left goes within a second, and what cannot be deleted holds up nothing", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const left = new Set(["stuck", "a", "b"]);
  const stuck = new TypeError("a constraint");
  const finish = async (conversationId: string) => {
    if (conversationId === "stuck") throw stuck;
    left.delete(conversationId);
  };
  const failed = vi.fn();
  const store = { deletions: { finish, unfinished: async () => [...left] } };
  await using _deletions = new Deletions({
    ...{ store, log: { forget: async () => {} }, observer: { failed } },
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect([...left]).toEqual(["stuck"]);
  expect(failed.mock.calls).toEqual([[expect.stringContaining("deleted conversation"), stuck]]);
});

test("a log that cannot forget is reported, and what the store had is deleted", async () => {
  const failed = vi.fn();
  const finish = vi.fn(async () => {});
  const store = { deletions: { finish, unfinished: async () => [] } };
  const forget = () => Promise.reject(away);
  await using deletions = new Deletions({ store, log: { forget }, observer: { failed } });
  await deletions.finish("c");
  expect(finish).toHaveBeenCalledOnce();
  expect(failed.mock.calls).toEqual([[expect.stringContaining("retention time"), away]]);
});

test("a shutdown breaks a deletion off, and nothing is reported of it", async () => {
  const failed = vi.fn<NonNullable<RunObserver["failed"]>>();
  const dataDir = await newFolder();
  const langwire = await openLangwire({ bots: [bot], dataDir, observer: { failed } });
  const { store, runs } = langwire;
  const { conversationId } = await exchange(store);
  for (let index = 0; index < 300; index++) await exchange(store, { conversationId });
  await store.conversations.delete(conversationId, "alice");
  const deleted = runs.deleted(conversationId);
  await langwire[Symbol.asyncDispose]();
  await deleted;
  expect(failed).not.toHaveBeenCalled();
  await using again = await openSqliteStore({ path: join(dataDir, "langwire.sqlite") });
  expect(await again.deletions.unfinished()).toEqual([conversationId]);
});

test("readers are shut out before all is gone, and the call answers after it", async () => {
  await using server = await startTestServer({ bots: [bot] });
  const { store } = server.langwire;
  const { conversationId } = await exchange(store);
  using alice = wsClient(server.url, { userId: "alice" });
  const watching = read((options) => alice.api.chat.watch.subscribe({ conversationId }, options));
  const input = { runId: randomUUID(), botId: "chat", conversationId, message: "hi" };
  await read((options) => alice.api.chat.send.subscribe(input, options)).completed;
  await watching.until(({ type }) => type === "runEnd");
  const gate = Promise.withResolvers<void>();
  const finish = store.deletions.finish.bind(store.deletions);
  vi.spyOn(store.deletions, "finish").mockImplementation(async (...args) => {
    await gate.promise;
    await finish(...args);
  });
  let answered = false;
  const deleting = alice.api.conversations.delete.mutate({ conversationId }).then(() => {
    answered = true;
  });
  await expect(watching.completed).rejects.toMatchObject({
    data: { langwire: { code: "NOT_FOUND" } },
  });
  await alice.api.conversations.list.query({});
  await setImmediate();
  expect(answered).toBe(false);
  expect(await store.deletions.unfinished()).toEqual([conversationId]);
  gate.resolve();
  await deleting;
  expect(await store.deletions.unfinished()).toEqual([]);
});

test("erasing a user deletes what was left of theirs first, and fails while that fails", async () => {
  await using langwire = await openLangwire({ bots: [bot] });
  const { store } = langwire;
  const { conversationId } = await exchange(store);
  await store.conversations.delete(conversationId, "alice");
  const finishing = vi.spyOn(store.deletions, "finish").mockRejectedValueOnce(away);
  const erase = async () => {
    for await (const _ of langwire.eraseUser("alice"));
  };
  await expect(erase()).rejects.toBe(away);
  finishing.mockRestore();
  await erase();
  expect(await store.deletions.unfinished()).toEqual([]);
});
