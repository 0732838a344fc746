/** A database of the version before is brought up to date, and processes of that version work on in it. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Ending, NewRun, Store } from "../../src/store/store.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { begin, endingOf, exchange } from "./store-place.ts";
import { migrationsBefore, ProcessBefore, type Query, tablesBefore } from "./version-before.ts";

/** What the version before left, and one exchange more in each: two conversations, a run in progress. */
async function leaveBehind(query: Query, prefix: "kysely" | "langwire") {
  for (const statement of [...tablesBefore, ...migrationsBefore(prefix)])
    await query(statement, []);
  const before = new ProcessBefore(query);
  const conversations = [randomUUID(), randomUUID()];
  const runs: string[][] = [[], []];
  for (const question of ["1", "2", "3"]) {
    for (const [index, conversationId] of conversations.entries()) {
      const runId = await before.claim(conversationId, question);
      await before.finish(runId, `Answer ${question}`);
      runs[index]?.push(runId);
    }
  }
  const conversationId = conversations[0] ?? "";
  const running = await before.claim(conversationId, "4");
  return { before, conversationId, runIds: [...(runs[0] ?? []), running], running };
}

async function messagesOf(store: Store, conversationId: string) {
  return (await store.conversations.messages(conversationId, { limit: 100 })).items;
}

function chainOf(runIds: readonly string[]): string[] {
  return runIds.flatMap((runId) => [`${runId}/human`, `${runId}/ai`]);
}

/** Each message follows the one before it, has its text for its parts, and can be answered. */
async function isUpToDate(store: Store, left: Awaited<ReturnType<typeof leaveBehind>>) {
  const { conversationId, runIds, running } = left;
  const ids = chainOf(runIds).slice(0, -1);
  const items = await messagesOf(store, conversationId);
  expect(items.map(({ messageId }) => messageId)).toEqual(ids);
  expect(items.map(({ parentId }) => parentId)).toEqual([undefined, ...ids.slice(0, -1)]);
  expect(items.map(({ text }) => text)).toEqual([
    ...["1", "Answer 1", "2", "Answer 2", "3", "Answer 3", "4"],
  ]);
  for (const { text, parts } of items) expect(parts).toEqual([{ type: "text", text, final: true }]);
  const history = await store.conversations.history(conversationId, { exchanges: 1, maxBytes: 99 });
  expect(history).toEqual([
    { role: "human", text: "3" },
    { role: "ai", text: "Answer 3" },
  ]);
  const run = await store.runs.get(running, "alice");
  if (run === undefined) throw new Error("It is lost.");
  const parts = [{ type: "data" as const, name: "d", value: 4, origin: "custom" as const }];
  await store.runs.finish(endingOf(run, { text: "Answer 4", parts }));
  const next = await exchange(store, { conversationId });
  const after = await messagesOf(store, conversationId);
  expect(after.map(({ parentId }) => parentId)).toEqual([
    undefined,
    ...chainOf([...runIds, next.runId]).slice(0, -1),
  ]);
  expect(after.at(-3)).toMatchObject({ text: "Answer 4", parts });
}

const canary = "a canary";

/** What an exchange has that the version before knows nothing of. */
function said(text: string): [Partial<NewRun>, Partial<Ending>] {
  return [
    { input: { text } },
    {
      output: { text },
      parts: [{ type: "text", text, final: false }],
      modelMessages: JSON.stringify([text]),
      archive: { events: Buffer.from(text), rawBytes: 1 },
    },
  ];
}

test("SQLite: what the version before left is read, with whom each message follows, and goes on", async () => {
  const directory = await mkdtemp(join(tmpdir(), "langwire-upgrade-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "langwire.sqlite");
  const database = new DatabaseSync(path);
  const query: Query = async (text, values) =>
    database.prepare(text.replaceAll(/\$\d+/g, "?")).all(...values);
  const left = await leaveBehind(query, "kysely");
  database.close();
  for (let start = 0; start < 2; start++) {
    await using store = await openSqliteStore({ path });
    if (start === 1) await isUpToDate(store, left);
  }
});

await describeWithPostgres("Postgres, of the version before", (postgres) => {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    onTestFinished(() => stack.disposeAsync());
    const database = stack.use(await postgres.createDatabase());
    const client = new Client({ connectionString: database.url });
    await client.connect();
    stack.defer(() => client.end());
    const query: Query = async (text, values) => (await client.query(text, [...values])).rows;
    const left = await leaveBehind(query, "langwire");
    const open = async () => stack.use(await openPostgresStore({ url: database.url }));
    return { query, left, before: left.before, open };
  }

  test("what it left is read, with whom each message follows, and goes on", async () => {
    const { left, open } = await setUp();
    const store = await open();
    await isUpToDate(store, left);
  });

  test("its processes work on, and what they and this one write is in the order of both", async () => {
    const { before, left, open } = await setUp();
    const { conversationId, running } = left;
    const store = await open();
    // Begun before the migration and ended after it.
    await before.finish(running, "Answer 4");
    const runIds = [...left.runIds];
    // Begun by one and ended by the other, either way; and by one alone.
    const begun = await begin(store, { conversationId, message: "5" });
    await before.finish(begun.runId, "Answer 5");
    const old = await before.claim(conversationId, "6");
    const run = await store.runs.get(old, "alice");
    if (run === undefined) throw new Error("It is lost.");
    const parts = [{ type: "data" as const, name: "d", value: 6, origin: "custom" as const }];
    const archive = { events: new Uint8Array([1, 2, 3]), rawBytes: 9 };
    await store.runs.finish(endingOf(run, { text: "Answer 6", parts, archive }));
    const alone = await before.claim(conversationId, "7");
    await before.finish(alone, "Answer 7");
    const last = await exchange(store, { conversationId, message: "8" }, { text: "Answer 8" });
    runIds.push(begun.runId, old, alone, last.runId);

    const texts = runIds.flatMap((_, index) => [`${index + 1}`, `Answer ${index + 1}`]);
    expect(await before.messages(conversationId)).toEqual(texts);
    const items = await messagesOf(store, conversationId);
    expect(items.map(({ text }) => text)).toEqual(texts);
    const ids = chainOf(runIds);
    expect(items.map(({ messageId }) => messageId)).toEqual(ids);
    expect(items.map(({ parentId }) => parentId)).toEqual([undefined, ...ids.slice(0, -1)]);
    const told = items.find(({ messageId }) => messageId === `${old}/ai`);
    expect(told?.parts).toEqual(parts);
    const ended = await store.runs.endedBetween(conversationId, 0, 100);
    expect(ended.map((it) => it.archived)).toEqual(runIds.map((runId) => runId === old));
  });

  test("what one of its processes deletes is gone, with what it knows nothing of", async () => {
    const { query, before, left, open } = await setUp();
    const store = await open();
    const { conversationId, runId } = await exchange(store, ...said(canary));
    await before.delete(conversationId);
    expect(await store.archives.get(runId)).toEqual([]);
    for (const table of ["runs", "run_messages", "run_archives"]) {
      const rows = await query(`select * from ${table} where run_id = $1`, [runId]);
      expect(rows).toEqual([]);
    }
    expect(await messagesOf(store, left.conversationId)).not.toEqual([]);
  });

  test("what one of its processes empties of a user is emptied wholly when that is done again", async () => {
    const { query, before, open } = await setUp();
    const store = await open();
    const { runId } = await exchange(store, ...said(canary));
    const kept = await exchange(store, ...said("another"));
    await before.redact(runId);
    await store.administration.redactLeftovers("alice");
    for (const table of ["runs", "run_messages", "run_archives"]) {
      const rows = await query(`select * from ${table}`, []);
      expect(JSON.stringify(rows)).not.toContain(canary);
    }
    expect(await store.archives.get(runId)).toEqual([]);
    expect(await store.archives.get(kept.runId)).toHaveLength(1);
    expect(await store.administration.parts(kept.runId)).toHaveLength(1);
  });

  test("what one of its processes deletes while a node migrates is in nobody's way", async () => {
    const { query, left, open } = await setUp();
    // In the middle of something, it reads the runs: the migration has to wait for it.
    await query("begin", []);
    await query("select count(*) from runs", []);
    const opened = open();
    const waiting = `select count(*)::int as waiting from pg_locks
      where not granted and relation = 'runs'::regclass`;
    await expect.poll(() => query(waiting, [])).toEqual([{ waiting: 1 }]);
    const deleted = left.runIds[0] ?? "";
    await query('delete from "runs" where "run_id" = $1', [deleted]);
    await query("commit", []);
    const store = await opened;
    const items = await messagesOf(store, left.conversationId);
    expect(items.map(({ messageId }) => messageId)).toEqual(
      chainOf(left.runIds.slice(1)).slice(0, -1),
    );
  });

  test("nodes that migrate while its processes are at work are in nobody's way", async () => {
    const { before, left, open } = await setUp();
    const conversationId = randomUUID();
    let working = true;
    const work = async () => {
      const runIds = [];
      while (working) {
        const runId = await before.claim(conversationId, "?");
        await before.finish(runId, "!");
        runIds.push(runId);
      }
      return runIds;
    };
    const worked = work();
    const stores = await Promise.all([open(), open(), open()]);
    working = false;
    const ids = chainOf(await worked);
    for (const store of stores) {
      const items = await messagesOf(store, conversationId);
      expect(items.map(({ messageId }) => messageId)).toEqual(ids.slice(-100));
      expect(items.map(({ parentId }) => parentId).slice(1)).toEqual(ids.slice(-100, -1));
    }
    await isUpToDate(stores[0] as Store, left);
  });
});
