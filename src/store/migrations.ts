/** The database's shape, step by step, in types that SQLite and Postgres share. */
import { type Kysely, sql } from "kysely";
import { type Migration, Migrator, type MigratorProps } from "kysely/migration";
import { messagesAndArchives } from "./messages-migration.ts";
import type { Schema } from "./schema.ts";

/** The first one's name: a table of migrations that has it is Langwire's. */
export const firstMigration = "0001-conversations-members-runs";

/** By name, in order. A released migration is never changed; another one follows it. */
const migrations: Record<string, Migration> = {
  [firstMigration]: {
    async up(db: Kysely<Schema>): Promise<void> {
      await db.schema
        .createTable("conversations")
        .addColumn("conversation_id", "text", (column) => column.primaryKey().notNull())
        .addColumn("bot_id", "text", (column) => column.notNull())
        .addColumn("owner_id", "text", (column) => column.notNull())
        .addColumn("title", "text", (column) => column.notNull())
        .addColumn("shared", "integer", (column) => column.notNull().defaultTo(0))
        .addColumn("created_at", "text", (column) => column.notNull())
        .addColumn("updated_at", "text", (column) => column.notNull())
        .addColumn("deleted_at", "text")
        .execute();

      await db.schema
        .createTable("members")
        .addColumn("conversation_id", "text", (column) =>
          column.notNull().references("conversations.conversation_id"),
        )
        .addColumn("user_id", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("members_pkey", ["conversation_id", "user_id"])
        .execute();
      await db.schema.createIndex("members_user").on("members").column("user_id").execute();

      await db.schema
        .createTable("runs")
        .addColumn("run_id", "text", (column) => column.primaryKey().notNull())
        .addColumn("conversation_id", "text", (column) =>
          column.notNull().references("conversations.conversation_id"),
        )
        .addColumn("bot_id", "text", (column) => column.notNull())
        .addColumn("user_id", "text", (column) => column.notNull())
        .addColumn("message", "text", (column) => column.notNull())
        .addColumn("status", "text", (column) => column.notNull())
        .addColumn("first_seq", "bigint", (column) => column.notNull())
        .addColumn("started_at", "text", (column) => column.notNull())
        .addColumn("end_seq", "bigint")
        .addColumn("ended_at", "text")
        .addColumn("text", "text")
        .addColumn("usage", "text")
        .addColumn("error", "text")
        .addColumn("provider_calls", "integer")
        .addCheckConstraint(
          "runs_status",
          sql`status in ('running', 'completed', 'cancelled', 'failed')`,
        )
        .addCheckConstraint(
          "runs_ended",
          // A check that comes to null passes, so each half says what it knows of nulls.
          sql`(status = 'running') = (end_seq is null)
              and (end_seq is null or end_seq > first_seq)
              and (end_seq is null) = (ended_at is null)
              and (end_seq is null) = (text is null)`,
        )
        .execute();
      await db.schema
        .createIndex("runs_one_running")
        .unique()
        .on("runs")
        .column("conversation_id")
        .where(sql.ref("status"), "=", sql.lit("running"))
        .execute();
      for (const column of ["first_seq", "end_seq"]) {
        await db.schema
          .createIndex(`runs_${column}`)
          .unique()
          .on("runs")
          .columns(["conversation_id", column])
          .execute();
      }

      // The casts give both halves the same types, without which SQLite would sort the whole
      // conversation instead of merging two indexes.
      await sql`
        create view messages as
        select conversation_id, first_seq as position, run_id, cast('human' as text) as role,
          message as text, user_id, started_at as at, cast(null as text) as status,
          cast(null as text) as usage, cast(null as text) as error
        from runs
        union all
        select conversation_id, end_seq, run_id, cast('ai' as text), text, cast(null as text),
          ended_at, status, usage, error
        from runs where status <> 'running'
      `.execute(db);
    },
  },
  "0002-run-owner": {
    async up(db: Kysely<Schema>): Promise<void> {
      await db.schema.alterTable("runs").addColumn("owner", "text").execute();
      await db.schema
        .createIndex("runs_running_owner")
        .on("runs")
        .column("owner")
        .where(sql.ref("status"), "=", sql.lit("running"))
        .execute();
    },
  },
  "0003-messages-archives": messagesAndArchives,
};

/** The tables that say which migrations have been run. */
export type MigrationTables = Pick<
  MigratorProps,
  "migrationTableName" | "migrationLockTableName" | "migrationTableSchema"
>;

/**
 * Brings the database up to date. Safe to be called by several processes at once.
 * @param tables default: Kysely's own, where nobody else's can be
 */
export async function migrate(db: Kysely<Schema>, tables: MigrationTables = {}): Promise<void> {
  const provider = { getMigrations: async () => migrations };
  const migrator = new Migrator({ db, provider, ...tables });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
