import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Engine } from "../../src/store/engine.ts";
import type { Schema } from "../../src/store/schema.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { NodeSqliteDialect } from "../../src/store/sqlite/sqlite-dialect.ts";
import { begin, endingOf, exchange, newRun } from "./store-place.ts";

const unavailable = { code: "STORE_UNAVAILABLE", cause: expect.any(Error) };

let directory: string;
let path: string;
let store: SqliteStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "langwire-store-"));
  path = join(directory, "langwire.db");
  store = await openSqliteStore({ path });
});

afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

interface Fault {
  readonly name: string;
  readonly begins: () => void;
  readonly ends: () => void;
}

let other: DatabaseSync | undefined;
const pragma = (text: string) =>
  Number(Object.values(store.database.prepare(`pragma ${text}`).get() ?? {})[0]);

const faults: Fault[] = [
  {
    name: "locked by another process",
    begins() {
      other = new DatabaseSync(path);
      other.exec("begin exclusive");
    },
    ends() {
      other?.exec("rollback");
      other?.close();
    },
  },
  {
    name: "read-only",
    begins: () => store.database.exec("pragma query_only = on"),
    ends: () => store.database.exec("pragma query_only = off"),
  },
  {
    name: "full",
    begins: () => pragma(`max_page_count = ${pragma("page_count")}`),
    ends: () => pragma("max_page_count = 1000000"),
  },
];

describe.each(faults)("the SQLite store on a disk that is $name", ({ begins, ends }) => {
  /** More than the free room in the file's last pages. */
  const long = "x".repeat(100_000);

  test("refuses to write, still reads, and works again afterwards", async () => {
    const run = await begin(store);
    const input = newRun({ message: long });
    const next = newRun({ message: long, conversationId: (await exchange(store)).conversationId });
    const before = await store.conversations.get(next.conversationId, "alice");
    begins();
    const start = performance.now();
    await expect(store.runs.claim(input)).rejects.toMatchObject(unavailable);
    await expect(store.runs.claim(next)).rejects.toMatchObject(unavailable);
    await expect(store.runs.finish(endingOf(run, { text: long }))).rejects.toMatchObject(
      unavailable,
    );
    expect(performance.now() - start, "held up the thread").toBeLessThan(1_500);
    expect(await store.runs.unfinished()).toEqual([run]);
    expect(await store.conversations.get(input.conversationId, "alice")).toBeUndefined();
    expect(await store.conversations.get(next.conversationId, "alice")).toEqual(before);
    expect(store.database.isTransaction).toBe(false);
    ends();
    await store.ping();
    expect(await store.runs.claim(input)).toMatchObject({ outcome: "claimed" });
    expect(await store.runs.claim(next)).toMatchObject({ outcome: "claimed" });
    expect((await store.runs.finish(endingOf(run, { text: long }))).finished).toBe(true);
  });
});

test("a locked or read-only database does not answer a ping", async () => {
  for (const fault of faults.slice(0, 2)) {
    fault.begins();
    await expect(store.ping(), fault.name).rejects.toMatchObject(unavailable);
    fault.ends();
    await store.ping();
  }
});

test("what is not a database, or cannot be there, is unavailable", async () => {
  const file = join(directory, "letter.txt");
  writeFileSync(file, "Dear database, ".repeat(1000));
  for (const impossible of [file, directory, join(file, "langwire.db")]) {
    await expect(openSqliteStore({ path: impossible })).rejects.toMatchObject(unavailable);
  }
});

test("what SQLite has rolled back by itself is not rolled back again", async () => {
  const kysely = new Kysely<Schema>({ dialect: new NodeSqliteDialect(store.database) });
  const engine = new Engine({ db: kysely, failure: (error) => error });
  const work = async () => {
    store.database.exec("rollback"); // as SQLite does on some failures of the disk
    throw new Error("disk I/O error");
  };
  await expect(engine.transaction(work)).rejects.toThrow("disk I/O error");
  await store.ping();
});

test("two hundred writes of one turn do not each wait for a lock that another process holds", async () => {
  const { conversationId } = await exchange(store);
  using locker = new DatabaseSync(path);
  locker.exec("begin immediate");
  const beganAtMs = performance.now();
  const asked = Array.from({ length: 100 }, (_, index) => [
    store.runs.claim(newRun()),
    store.conversations.rename(conversationId, "alice", `Title ${index}`),
  ]).flat();
  const outcomes = await Promise.allSettled(asked);
  // Each for itself, they hold the thread for ten seconds.
  expect(performance.now() - beganAtMs).toBeLessThan(2_500);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: "rejected", reason: unavailable });
  }
  expect(await store.conversations.get(conversationId, "alice")).toMatchObject({ conversationId });
  locker.exec("rollback");
  expect(await store.runs.claim(newRun())).toMatchObject({ outcome: "claimed" });
});
