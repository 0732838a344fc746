import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { Client } from "pg";
import { expect, test } from "vitest";
import type { DatabaseUse } from "../../src/store/postgres/database-lock.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { administer, describeWithPostgres } from "../support/postgres.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { begin, endingOf, exchange, newRun } from "./store-place.ts";

const unavailable = { code: "STORE_UNAVAILABLE", cause: expect.any(Error) };

await describeWithPostgres("the Postgres store when Postgres fails", (postgres) => {
  async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  test("many nodes that start at once migrate once", async () => {
    await using database = await postgres.createDatabase();
    const opened = await Promise.all(
      Array.from({ length: 6 }, () => openPostgresStore({ url: database.url })),
    );
    await using stack = new AsyncDisposableStack();
    for (const store of opened) stack.use(store);
    expect(await query(database.url, "select * from langwire_migration")).toHaveLength(3);
    for (const store of opened) await exchange(store);
  });

  test("the database itself refuses a second run in progress", async () => {
    await using database = await postgres.createDatabase();
    await using store = await openPostgresStore({ url: database.url });
    await begin(store);
    const second = `insert into runs
      (run_id, conversation_id, bot_id, user_id, message, status, first_seq, started_at)
      select 'second', conversation_id, bot_id, user_id, message, status, 2, started_at from runs`;
    await expect(query(database.url, second)).rejects.toMatchObject({
      constraint: "runs_one_running",
    });
  });

  test("a server that is not there, or lets nobody in, is unavailable", async () => {
    const url = new URL(postgres.url);
    url.password = "wrong";
    await expect(openPostgresStore({ url: url.href })).rejects.toMatchObject(unavailable);
    url.port = "1";
    await expect(openPostgresStore({ url: url.href })).rejects.toMatchObject(unavailable);
    await expect(openPostgresStore({ url: `${postgres.url}-is-missing` })).rejects.toMatchObject(
      unavailable,
    );
  });

  test("connections that an operator ends are replaced", async () => {
    await using database = await postgres.createDatabase();
    await using store = await openPostgresStore({ url: database.url });
    const run = await begin(store);
    await administer(
      postgres.url,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.name}'`,
    );
    // The pool hears of each connection's end before the next call or by it.
    const next = () =>
      store.runs.get(run.runId, "alice").catch((error: unknown) => {
        expect(error).toMatchObject(unavailable);
      });
    await expect.poll(next).toEqual(run);
  });

  test("a row that somebody holds keeps no connection for long", async () => {
    await using database = await postgres.createDatabase();
    await using store = await openPostgresStore({
      ...{ url: database.url, timeoutMs: 300_000, maxConnections: 2 },
    });
    const { conversationId } = await exchange(store);
    const somebody = new Client({ connectionString: database.url });
    await somebody.connect();
    await somebody.query("begin");
    await somebody.query("select from conversations for update");
    const claims = Array.from({ length: 2 }, () => store.runs.claim(newRun({ conversationId })));
    for (const claimed of await Promise.allSettled(claims)) {
      expect(claimed).toMatchObject({ status: "rejected", reason: unavailable });
    }
    await exchange(store);
    await somebody.end();
    await exchange(store, { conversationId });
  });

  test("a claim that is ended in the middle leaves nothing behind", async () => {
    await using database = await postgres.createDatabase();
    await using store = await openPostgresStore({ url: database.url });
    const { conversationId } = await exchange(store);
    const before = await store.conversations.get(conversationId, "alice");
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    await holder.query("begin");
    await holder.query("lock table runs in exclusive mode");
    const input = newRun({ conversationId });
    const claim = store.runs.claim(input);
    const refused = expect(claim).rejects.toMatchObject(unavailable);
    const waiting = `select pg_terminate_backend(pid) as ended from pg_stat_activity
      where datname = '${database.name}' and wait_event_type = 'Lock'`;
    await expect.poll(() => query(postgres.url, waiting)).toEqual([{ ended: true }]);
    await refused;
    await holder.end();
    expect(await store.conversations.get(conversationId, "alice")).toEqual(before);
    expect(await store.runs.claim(input)).toMatchObject({ outcome: "claimed" });
  });

  test("a database that takes no writes is unavailable until it does", async () => {
    await using database = await postgres.createDatabase();
    await using store = await openPostgresStore({ url: database.url });
    const run = await begin(store);
    const { name } = database;
    const readOnly = async (value: "on" | "off") => {
      await administer(
        postgres.url,
        `alter database ${name} set default_transaction_read_only = ${value}`,
      );
      await administer(
        postgres.url,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
      );
      // A connection that was ended shows when it is used: the one that answers is taken next.
      const answers = () => store.runs.running(run.conversationId).then(Boolean, () => false);
      await expect.poll(answers).toBe(true);
    };
    await readOnly("on");
    await expect(store.runs.finish(endingOf(run))).rejects.toMatchObject(unavailable);
    await expect(store.runs.claim(newRun())).rejects.toMatchObject(unavailable);
    expect(await store.runs.get(run.runId, "alice")).toEqual(run);
    await readOnly("off");
    expect((await store.runs.finish(endingOf(run))).finished).toBe(true);
  });

  test("a network that breaks, or swallows everything, is survived", async () => {
    await using database = await postgres.createDatabase();
    await using proxy = await startTcpProxy({ port: postgres.port });
    const url = new URL(database.url);
    url.port = String(proxy.port);
    await using store = await openPostgresStore({ url: url.href, timeoutMs: 500 });
    const ending = endingOf(await begin(store));

    proxy.refuse();
    proxy.cut();
    await expect(store.runs.finish(ending)).rejects.toMatchObject(unavailable);
    await expect(store.ping()).rejects.toMatchObject(unavailable);
    proxy.accept();
    await expect(store.ping()).resolves.toBeUndefined();

    proxy.pause();
    const start = performance.now();
    const calls = [store.runs.finish(ending), store.ping(), store.runs.claim(newRun())];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: "rejected", reason: unavailable });
    }
    expect(performance.now() - start).toBeLessThan(5_000);
    proxy.resume();
    // Whether or not the first call got through after all.
    expect(await store.runs.finish(ending)).toMatchObject({ finished: true, run: ending });
  });

  test("a store closes though its server answers nothing any more", async () => {
    await using database = await postgres.createDatabase();
    await using proxy = await startTcpProxy({ port: postgres.port });
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const store = await openPostgresStore({ url: url.href, timeoutMs: 600_000 });
    await store.ping();
    proxy.pause();
    store.ping().catch(() => {});
    // Its connection is taken from the pool by then.
    await setImmediate();
    await store[Symbol.asyncDispose]();
  });

  test("a store alone keeps all others away, and one that shares keeps away who would be alone", async () => {
    await using database = await postgres.createDatabase();
    await using other = await postgres.createDatabase();
    const open = (use: DatabaseUse, url = database.url) =>
      openPostgresStore({ url, use, lockTimeoutMs: 1_000 });
    const refused = (reason: RegExp) => ({
      code: "STORE_UNAVAILABLE",
      cause: expect.objectContaining({ message: expect.stringMatching(reason) }),
    });
    await using stack = new AsyncDisposableStack();
    stack.use(await open("alone"));
    for (let count = 0; count < 2; count++) stack.use(await open("shared", other.url));
    await Promise.all([
      expect(open("alone")).rejects.toMatchObject(refused(/^another process .* REDIS_URL/)),
      expect(open("shared")).rejects.toMatchObject(refused(/^a process without REDIS_URL/)),
      expect(open("alone", other.url)).rejects.toMatchObject(refused(/^another process/)),
    ]);
    await stack.disposeAsync();
    await using again = await open("alone");
    await exchange(again);
  });

  test("a store alone whose connections were ended is alone again before it goes on", async () => {
    await using database = await postgres.createDatabase();
    await using store = await openPostgresStore({ url: database.url, use: "alone" });
    const run = await begin(store);
    const locks = `select count(*)::int as held from pg_locks
      where locktype = 'advisory' and database = (
        select oid from pg_database where datname = '${database.name}')`;
    await administer(
      postgres.url,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.name}'`,
    );
    const next = () =>
      store.runs.get(run.runId, "alice").catch((error: unknown) => {
        expect(error).toMatchObject(unavailable);
      });
    await expect.poll(next).toEqual(run);
    expect(await query(postgres.url, locks)).toEqual([{ held: 1 }]);
  });

  test("a store alone that lost its place to another reads and writes nothing", async () => {
    await using database = await postgres.createDatabase();
    await using proxy = await startTcpProxy({ port: postgres.port });
    const url = new URL(database.url);
    url.port = String(proxy.port);
    await using store = await openPostgresStore({ url: url.href, use: "alone" });
    const run = await begin(store);
    proxy.refuse();
    proxy.cut();
    const other = await openPostgresStore({ url: database.url, use: "alone" });
    expect((await other.runs.finish(endingOf(run))).finished).toBe(true);
    proxy.accept();
    const begun = store.runs.claim(newRun());
    await expect(begun).rejects.toMatchObject(unavailable);
    await expect(store.ping()).rejects.toMatchObject(unavailable);
    await other[Symbol.asyncDispose]();
    await expect.poll(() => store.ping().catch(() => "away")).toBeUndefined();
    expect(await store.runs.finish(endingOf(run))).toMatchObject({ run: { status: "completed" } });
  });

  test("a store alone notices a network that swallows everything", async () => {
    await using database = await postgres.createDatabase();
    await using proxy = await startTcpProxy({ port: postgres.port });
    const url = new URL(database.url);
    url.port = String(proxy.port);
    await using store = await openPostgresStore({ url: url.href, use: "alone", timeoutMs: 30_000 });
    proxy.pause();
    const reason = () => store.ping().catch(({ cause }: Error) => String(cause));
    // The pool itself would wait for its half minute.
    await expect.poll(() => Promise.race([reason(), delay(50)])).toMatch(/another process/);
    proxy.resume();
    await expect.poll(() => store.ping().catch(() => "away")).toBeUndefined();
  });
});
