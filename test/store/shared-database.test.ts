/** A Postgres that others use as well: their migrations, and the pooler in front of it. */
import { Client } from "pg";
import { expect, test } from "vitest";
import type { DatabaseUse } from "../../src/store/postgres/database-lock.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { needsProgram } from "../support/needs-program.ts";
import { pgbouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { administer, describeWithPostgres } from "../support/postgres.ts";
import { exchange } from "./store-place.ts";

const kyselyTables = (schema: string) => `
  create table ${schema}.kysely_migration
    (name varchar(255) primary key, timestamp varchar(255) not null);
  create table ${schema}.kysely_migration_lock
    (id varchar(255) primary key, is_locked integer not null default 0);
  insert into ${schema}.kysely_migration_lock values ('migration_lock', 0)`;

await describeWithPostgres("a database that others use as well", (postgres) => {
  async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  test.each([
    ["in the same schema", "public"],
    ["in another schema", "other"],
  ])("another application keeps Kysely's migrations %s, and both go on", async (_where, schema) => {
    await using database = await postgres.createDatabase();
    await administer(database.url, `create schema if not exists ${schema}`);
    await administer(
      database.url,
      `${kyselyTables(schema)}; insert into ${schema}.kysely_migration values ('2024-users', 'x')`,
    );
    for (let start = 0; start < 2; start++) {
      await using store = await openPostgresStore({ url: database.url });
      await exchange(store);
    }
    expect(await query(database.url, `select name from ${schema}.kysely_migration`)).toEqual([
      { name: "2024-users" },
    ]);
  });

  test("another Langwire, in a schema of its own, is another one", async () => {
    await using database = await postgres.createDatabase();
    await using first = await openPostgresStore({ url: database.url });
    await exchange(first);
    await administer(database.url, 'create schema "Second one"');
    const url = `${database.url}?options=${encodeURIComponent('-c search_path="Second\\ one"')}`;
    await using second = await openPostgresStore({ url });
    await exchange(second, { userId: "bob" });
    expect((await second.conversations.list("alice", { limit: 10 })).items).toEqual([]);
    expect((await first.conversations.list("bob", { limit: 10 })).items).toEqual([]);
  });

  test("one of an earlier version is taken over, and can be put back", async () => {
    await using database = await postgres.createDatabase();
    {
      await using store = await openPostgresStore({ url: database.url });
      await exchange(store);
    }
    const ours = "select name from langwire_migration order by name";
    const migrations = await query(database.url, ours);
    // As the first versions left it.
    await administer(
      database.url,
      `alter table langwire_migration rename to kysely_migration;
       alter table langwire_migration_lock rename to kysely_migration_lock`,
    );
    const opened = await Promise.all(
      Array.from({ length: 4 }, () => openPostgresStore({ url: database.url })),
    );
    await using stack = new AsyncDisposableStack();
    for (const store of opened) stack.use(store);
    for (const store of opened) {
      expect((await store.conversations.list("alice", { limit: 10 })).items).toHaveLength(1);
    }
    expect(await query(database.url, ours)).toEqual(migrations);
    expect(await query(database.url, "select name from kysely_migration order by name")).toEqual(
      migrations,
    );
  });

  test("what a later version did to one of an earlier version is still noticed", async () => {
    await using database = await postgres.createDatabase();
    await using _store = await openPostgresStore({ url: database.url });
    await administer(
      database.url,
      `alter table langwire_migration rename to kysely_migration;
       insert into kysely_migration values ('9999-of-a-later-version', '2030')`,
    );
    await expect(openPostgresStore({ url: database.url })).rejects.toThrow(/corrupted migrations/);
  });

  needsProgram("behind PgBouncer", pgbouncer, () => {
    const both: readonly DatabaseUse[] = ["alone", "shared"];
    const postgresPort = postgres.port;

    test.each(["transaction", "statement"] as const)(
      "with sessions that are anybody's (pool_mode = %s), no process starts, and none leaves a lock",
      async (poolMode) => {
        await using database = await postgres.createDatabase();
        await using pooler = await startPgBouncer({ postgresPort, poolMode });
        const url = pooler.urlOf(database.url);
        for (const use of both) {
          await expect(openPostgresStore({ url, use })).rejects.toMatchObject({
            code: "STORE_UNAVAILABLE",
            cause: { message: expect.stringContaining("pool_mode=session") },
          });
        }
        await using store = await openPostgresStore({ url: database.url, use: "alone" });
        await exchange(store);
      },
    );

    test("also while others keep its sessions busy", async () => {
      await using database = await postgres.createDatabase();
      await using pooler = await startPgBouncer({ postgresPort, poolMode: "transaction" });
      const url = pooler.urlOf(database.url);
      await using stack = new AsyncDisposableStack();
      const others = await Promise.all(
        Array.from({ length: 6 }, async () => {
          const client = new Client({ connectionString: url });
          await client.connect();
          stack.defer(() => client.end());
          return client;
        }),
      );
      let busy = true;
      const keptBusy = others.map(async (client, index) => {
        while (busy) await client.query(`select pg_sleep(${index / 1_000})`);
      });
      await expect(openPostgresStore({ url, use: "alone" })).rejects.toMatchObject({
        cause: { message: expect.stringContaining("pool_mode=session") },
      });
      busy = false;
      await Promise.all(keptBusy);
    });

    test("with sessions of their own (pool_mode = session), one process is alone", async () => {
      await using database = await postgres.createDatabase();
      await using pooler = await startPgBouncer({ postgresPort, poolMode: "session" });
      const url = pooler.urlOf(database.url);
      {
        await using store = await openPostgresStore({ url, use: "shared" });
        await exchange(store);
        await using other = await openPostgresStore({ url, use: "shared" });
        await exchange(other);
      }
      await using store = await openPostgresStore({ url, use: "alone" });
      await exchange(store);
      // It waits for 15 seconds; that another one is refused is one-database.test.ts's.
      const locks = `select count(*)::int as held from pg_locks
        where locktype = 'advisory' and database = (
          select oid from pg_database where datname = '${database.name}')`;
      expect(await query(database.url, locks)).toEqual([{ held: 1 }]);
    });
  });
});
