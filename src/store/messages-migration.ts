/**
 * The migration that gives messages a table for what they have besides their texts, runs an archive, and
 * deletions a list. On Postgres, processes of the version before are at work meanwhile, and they go on: they
 * are locked out for a moment.
 *
 * Rows end with their run, by the database's own cascade: such a process knows nothing of them. It reads
 * the view `messages`, which stays.
 */
import { type CreateTableBuilder, type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import type { Schema } from "./schema.ts";

export const messagesAndArchives: Migration = {
  async up(db: Kysely<Schema>): Promise<void> {
    await db.schema.alterTable("runs").addColumn("input", "text").execute();
    await db.schema.alterTable("runs").addColumn("output", "text").execute();

    const messages = db.schema
      .createTable("run_messages")
      .addColumn("run_id", "text", (column) => column.notNull())
      .addColumn("role", "text", (column) => column.notNull())
      .addColumn("parent_id", "text")
      .addColumn("parts", "text")
      .addColumn("model_messages", "text")
      .addPrimaryKeyConstraint("run_messages_pkey", ["run_id", "role"])
      .addCheckConstraint("run_messages_role", sql`role in ('human', 'ai')`);
    await endingWithRuns(messages, "run_messages_run").execute();

    const archives = db.schema
      .createTable("run_archives")
      .addColumn("run_id", "text", (column) => column.notNull())
      .addColumn("segment", "integer", (column) => column.notNull())
      .addColumn("first_seq", "bigint", (column) => column.notNull())
      .addColumn("last_seq", "bigint", (column) => column.notNull())
      .addColumn("raw_bytes", "bigint", (column) => column.notNull())
      .addColumn("ended_at", "text", (column) => column.notNull())
      // SQLite keeps bytes as they are under any type.
      .addColumn("events", "bytea", (column) => column.notNull())
      .addPrimaryKeyConstraint("run_archives_pkey", ["run_id", "segment"]);
    await endingWithRuns(archives, "run_archives_run").execute();
    await db.schema
      .createIndex("run_archives_ended_at")
      .on("run_archives")
      .column("ended_at")
      .execute();

    await db.schema
      .createTable("pending_deletions")
      .addColumn("conversation_id", "text", (column) => column.primaryKey().notNull())
      .execute();
  },
};

function endingWithRuns<Table extends string, Columns extends string>(
  table: CreateTableBuilder<Table, Columns | "run_id">,
  name: string,
) {
  return table.addForeignKeyConstraint(name, ["run_id"], "runs", ["run_id"], (key) =>
    key.onDelete("cascade"),
  );
}
