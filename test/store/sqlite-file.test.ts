/** What is SQLite's alone: sharing the connection, the file, the write-ahead log. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { begin, endingOf, exchange, newRun } from "./store-place.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "langwire-store-"));
  path = join(directory, "made", "when", "missing.db");
});

afterEach(() => rm(directory, { recursive: true }));

/** A process that runs `code`, which may `open()` the store and need not close it. */
function storeProcess(code: string) {
  const url = new URL("../../src/store/sqlite/sqlite.ts", import.meta.url).href;
  const script = `
    import { once } from "node:events";
    import { openSqliteStore } from ${JSON.stringify(url)};
    const open = () => openSqliteStore({ path: ${JSON.stringify(path)} });
    ${code}
  `;
  return spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

test("no transaction is open over a turn of the event loop, and calls settle within some", async () => {
  await using store = await openSqliteStore({ path });
  const settled: string[] = [];
  const { conversationId } = await exchange(store);
  const calls = Array.from({ length: 5 }, async () => {
    const claim = await store.runs.claim(newRun({ conversationId }));
    settled.push(claim.outcome);
    if (claim.outcome === "claimed") await store.runs.finish(endingOf(claim.run));
  });
  expect(store.database.isTransaction).toBe(false);
  // Each waits for those before it at the most: a claim, then why not, then again when the run has ended.
  for (let turn = 0; turn < 20; turn++) {
    await setImmediate();
    expect(store.database.isTransaction).toBe(false);
  }
  expect(settled).toHaveLength(5);
  await Promise.all(calls);
});

test("others may write through the same connection between transactions", async () => {
  await using store = await openSqliteStore({ path });
  store.database.exec("create table theirs (id integer primary key)");
  const insert = store.database.prepare("insert into theirs default values");
  const foreign = newRun();
  await begin(store, foreign);
  let written = 0;
  let waited = 0;
  const write = async () => {
    for (let microtask = 0; microtask < 2_000; microtask++) {
      await undefined;
      if (store.database.isTransaction) waited++;
      else {
        insert.run();
        written++;
      }
    }
  };
  let writing: Promise<void> | undefined;
  // All of them refused: what is rolled back takes nothing of anybody else's with it.
  const refused = () => ({ ...newRun(), conversationId: foreign.conversationId, userId: "bob" });
  const claims = Array.from({ length: 40 }, () =>
    store.runs.claim({
      ...refused(),
      // Read within the transaction, whose microtasks are the only ones beside which others have any.
      get message() {
        writing ??= write();
        return "Hi";
      },
    }),
  );
  await Promise.all(claims);
  await writing;
  expect(waited).toBeGreaterThan(0);
  expect(store.database.prepare("select count(*) as n from theirs").get()?.n).toBe(written);
});

test("processes that open a new file at once make it once", async () => {
  const processes = Array.from({ length: 4 }, () =>
    storeProcess(`
      console.log("ready");
      await once(process.stdin, "data");
      process.stdin.destroy();
      await open();
      console.log("open");
    `),
  );
  await Promise.all(processes.map((one) => once(one.stdout, "data")));
  const outputs = processes.map((one) => text(one.stdout));
  for (const one of processes) one.stdin.write("go");
  // They end though they close nothing: an open store keeps no process alive.
  expect(await Promise.all(outputs)).toEqual(Array(4).fill("open\n"));
  await using store = await openSqliteStore({ path });
  expect(store.database.prepare("select name from kysely_migration").all()).toHaveLength(3);
});

test("a process that was killed leaves what it had claimed", async () => {
  const child = storeProcess(`
    const store = await open();
    await store.runs.claim({
      runId: crypto.randomUUID(), conversationId: crypto.randomUUID(),
      botId: "chat", userId: "alice", message: "Was I heard?",
    });
    console.log("claimed");
    setInterval(() => {}, 1000);
  `);
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  await using store = await openSqliteStore({ path });
  expect(await store.runs.unfinished()).toMatchObject([{ message: "Was I heard?" }]);
});

test.each([
  ["and the store has closed", false],
  ["though the process was killed, once another has opened them", true],
])("what was deleted is in none of the files, %s", async (_when, isKilled) => {
  const canary = "a word that nobody else says";
  const child = storeProcess(`
    const store = await open();
    const ids = { runId: crypto.randomUUID(), conversationId: crypto.randomUUID() };
    const userId = ${JSON.stringify(canary)};
    const message = userId.repeat(3_000);
    const { run } = await store.runs.claim({ ...ids, botId: "chat", userId, message });
    await store.runs.finish({
      runId: ids.runId, status: "completed", text: message, endSeq: run.firstSeq + 1,
      endedAt: new Date().toISOString(),
    });
    await store.conversations.delete(ids.conversationId, userId);
    await store.deletions.finish(ids.conversationId);
    ${isKilled ? "" : "await store[Symbol.asyncDispose]();"}
    console.log("deleted");
    setInterval(() => {}, 1000);
  `);
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  const folder = dirname(path);
  const found = () =>
    readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(canary));
  // Its log has all that was ever written.
  expect(found()).toEqual(isKilled ? ["missing.db-wal"] : []);
  await using _store = await openSqliteStore({ path });
  expect(found()).toEqual([]);
});

test("what is written reaches the file while the store is open", async () => {
  await using store = await openSqliteStore({ path });
  await exchange(store, { message: "x".repeat(500_000) });
  await expect.poll(() => statSync(path).size).toBeGreaterThan(500_000);
});

test("closing leaves one whole file", async () => {
  const store = await openSqliteStore({ path });
  await exchange(store, { message: "x".repeat(500_000) });
  await store[Symbol.asyncDispose]();
  expect(existsSync(`${path}-wal`)).toBe(false);
  expect(statSync(path).size).toBeGreaterThan(500_000);
});

test("memory alone will do", async () => {
  await using store = await openSqliteStore({ path: ":memory:" });
  expect((await begin(store)).firstSeq).toBe(1);
});

test("a page of messages is read from indexes, without sorting the conversation", async () => {
  await using store = await openSqliteStore({ path });
  const { database } = store;
  const { conversationId } = await exchange(store);
  const prepare = vi.spyOn(database, "prepare");
  await store.conversations.messages(conversationId, { limit: 10 });
  await store.conversations.history(conversationId, { exchanges: 2, maxBytes: 1_000 });
  const queries = prepare.mock.calls.map(([query]) => query);
  expect(queries).toHaveLength(3);
  const plans = queries.map((query) => {
    const parameters = query.split("?").slice(1);
    const plan = database.prepare(`explain query plan ${query}`).all(...parameters.map(() => 1));
    return plan.map((row) => String(row.detail));
  });
  expect(plans[0]).toContain("MERGE (UNION ALL)");
  // The last one sorts what it has found, which is as many as a bot remembers.
  expect(plans.slice(0, 2).join()).not.toMatch(/B-TREE|SCAN/);
  expect(plans.join()).not.toMatch(/SCAN (r|a|q|p|runs|run_messages)\b/);
});

test("the database itself refuses a second run in progress, and numbers used twice", async () => {
  await using store = await openSqliteStore({ path });
  const run = await begin(store);
  const insert = store.database.prepare(`
    insert into runs (run_id, conversation_id, bot_id, user_id, message, status, first_seq,
      started_at, end_seq, ended_at, text)
    select :run_id, conversation_id, bot_id, user_id, message, :status, :first_seq, started_at,
      :end_seq, :ended_at, :ended_at
    from runs`);
  const running = {
    run_id: "second",
    status: "running",
    first_seq: 2,
    end_seq: null,
    ended_at: null,
  };
  const ended = { ...running, status: "completed", end_seq: 9, ended_at: run.startedAt };
  expect(() => insert.run(running)).toThrow("runs.conversation_id");
  expect(() => insert.run({ ...ended, first_seq: run.firstSeq })).toThrow("runs.first_seq");
  expect(() => insert.run({ ...ended, run_id: run.runId })).toThrow("runs.run_id");
  expect(() => insert.run({ ...ended, end_seq: 2 })).toThrow("runs_ended");
  expect(() => insert.run({ ...ended, end_seq: null })).toThrow("runs_ended");
  expect(() => insert.run({ ...ended, status: "paused" })).toThrow("runs_status");
});

test("a message has a row only where it says more than its run, as most do not", async () => {
  await using store = await openSqliteStore({ path });
  const { database, conversations } = store;
  const rows = () => database.prepare("select run_id, role from run_messages").all();
  const { conversationId, runId } = await exchange(store);
  await exchange(store, { conversationId });
  expect(rows()).toEqual([]);
  const parts = [{ type: "reasoning" as const, text: "Hm." }];
  const said = await exchange(store, { conversationId }, { parts });
  expect(rows()).toEqual([{ run_id: said.runId, role: "ai" }]);
  // What a message follows is told by its row, where it has one.
  database
    .prepare("insert into run_messages (run_id, role, parent_id) values (?, 'human', ?)")
    .run(said.runId, `${runId}/ai`);
  const { items } = await conversations.messages(conversationId, { limit: 10 });
  expect(items.map(({ parentId }) => parentId).slice(-2)).toEqual([
    ...[`${runId}/ai`, `${said.runId}/human`],
  ]);
});

test("a name that versions before left on a deleted conversation can be removed", async () => {
  await using store = await openSqliteStore({ path });
  const { database, administration } = store;
  const { conversationId } = await exchange(store);
  const kept = await exchange(store);
  await administration.delete(conversationId);
  database.exec("update conversations set owner_id = 'alice'");
  await administration.redactLeftovers("alice");
  const owners = database.prepare("select conversation_id, owner_id from conversations").all();
  expect(new Map(owners.map((row) => [row.conversation_id, row.owner_id]))).toEqual(
    new Map([
      [conversationId, ""],
      [kept.conversationId, "alice"],
    ]),
  );
});
