/**
 * Which tables say what migrations a Postgres database has had. A database is often shared: another
 * application, in this schema or another one, may keep Kysely's own tables, `kysely_migration` and
 * `kysely_migration_lock`, and those would be taken for ours. So ours have names of their own, and are
 * looked for in the schema of our tables alone.
 */
import { type Kysely, sql } from "kysely";
import type { MigrationTables } from "../migrations.ts";
import type { Schema } from "../schema.ts";

const ownNames = {
  migrationTableName: "langwire_migration",
  migrationLockTableName: "langwire_migration_lock",
};
/** Kysely's name, under which the first versions kept them. */
const formerName = "kysely_migration";
/** One process at a time: `create table if not exists` fails for one of two. */
const lockKey = sql`1818324584, hashtext(current_schema())`;

/** Takes over what an earlier version wrote of them; its own table stays, so it can be put back. */
export async function ownMigrationTables(
  db: Kysely<Schema>,
  firstMigration: string,
): Promise<MigrationTables> {
  return await db.transaction().execute(async (transaction) => {
    const found = await sql<{ schema: string | null; hasOwn: boolean; hasFormer: boolean }>`
      select current_schema() as schema,
        to_regclass(quote_ident(current_schema()) || '.' || ${ownNames.migrationTableName})
          is not null as "hasOwn",
        to_regclass(quote_ident(current_schema()) || '.' || ${formerName})
          is not null as "hasFormer"
      from (select pg_advisory_xact_lock(${lockKey})) as locked
    `.execute(transaction);
    const { schema, hasOwn, hasFormer } = found.rows[0] ?? {};
    // Without a schema to make tables in, Postgres says so at the first of them.
    if (typeof schema !== "string") return ownNames;
    if (hasFormer && !hasOwn) await takeOver(transaction, { schema, firstMigration });
    return { ...ownNames, migrationTableSchema: schema };
  });
}

async function takeOver(
  db: Kysely<Schema>,
  { schema, firstMigration }: { schema: string; firstMigration: string },
): Promise<void> {
  const former = sql.id(schema, formerName);
  const own = sql.id(schema, ownNames.migrationTableName);
  const ours = await sql`select 1 from ${former} where name = ${firstMigration}`.execute(db);
  if (ours.rows.length === 0) return;
  await sql`create table ${own} (like ${former} including all)`.execute(db);
  await sql`insert into ${own} select * from ${former}`.execute(db);
}
