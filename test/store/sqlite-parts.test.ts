/** What goes with a SQLite store: its thread for checkpoints, its snapshots, its prepared queries. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { exchange } from "./store-place.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "langwire-store-"));
  path = join(directory, "langwire.db");
  return () => rm(directory, { recursive: true });
});

test("its thread for checkpoints ends with the store", async () => {
  const workers: Worker[] = [];
  const began = (message: unknown) => void workers.push((message as { worker: Worker }).worker);
  subscribe("worker_threads", began);
  onTestFinished(() => void unsubscribe("worker_threads", began));
  const store = await openSqliteStore({ path });
  expect(workers.map(({ threadId }) => threadId > 0)).toEqual([true]);
  await store[Symbol.asyncDispose]();
  expect(workers.map(({ threadId }) => threadId)).toEqual([-1]);
});

test("a snapshot that cannot be written is no snapshot", async () => {
  await using store = await openSqliteStore({ path });
  await exchange(store);
  await expect(store.snapshot(join(directory, "no folder", "copy.db"))).rejects.toThrow();
  await store.snapshot(join(directory, "copy.db"));
  const before = readFileSync(join(directory, "copy.db"));
  await exchange(store);
  await expect(store.snapshot(join(directory, "copy.db"))).rejects.toThrow();
  expect(readFileSync(join(directory, "copy.db")).equals(before)).toBe(true);
});

test("a query is prepared once, however often it is asked", async () => {
  await using store = await openSqliteStore({ path });
  const { conversationId } = await exchange(store);
  const prepare = vi.spyOn(store.database, "prepare");
  const ask = async () => {
    prepare.mockClear();
    await store.conversations.get(conversationId, "alice");
    await exchange(store, { conversationId });
    await store.conversations.list("alice", { limit: 10 });
    return prepare.mock.calls.length;
  };
  await ask();
  expect([await ask(), await ask()]).toEqual([0, 0]);
});
