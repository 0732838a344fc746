/**
 * The migration that gives messages rows of their own, runs an archive, and deletions a list. On Postgres, processes of the
 * version before are at work meanwhile, and they go on: what takes long holds none of them up, and they
 * are locked out for a moment at the end. What they write to the runs meanwhile, and from then on, has no
 * rows: it is read without them.
 *
 * Rows end with their run, by the database's own cascade: such a process knows nothing of them. It reads
 * the view `messages`, which stays.
 */
import { type CreateTableBuilder, type Kysely, PostgresAdapter, sql } from "kysely";
import type { Migration } from "kysely/migration";
import type { Schema } from "./schema.ts";

/** How many runs are read at once: a statement's answer may not take longer than a socket may be silent. */
const batch = 20_000;

export const messagesAndArchives: Migration = {
  async up(db: Kysely<Schema>): Promise<void> {
    const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter;
    const messages = db.schema
      .createTable("run_messages")
      .addColumn("run_id", "text", (column) => column.notNull())
      .addColumn("role", "text", (column) => column.notNull())
      .addColumn("parent_id", "text")
      .addColumn("parts", "text")
      .addColumn("model_messages", "text")
      .addPrimaryKeyConstraint("run_messages_pkey", ["run_id", "role"])
      .addCheckConstraint("run_messages_role", sql`role in ('human', 'ai')`);
    // Postgres can add it later, and then checks all rows at once; until then nobody's writes wait.
    await (isPostgres ? messages : endingWithRuns(messages, "run_messages_run")).execute();
    await fill(db);

    // From here on, the runs are locked.
    await db.schema.alterTable("runs").addColumn("input", "text").execute();
    await db.schema.alterTable("runs").addColumn("output", "text").execute();
    if (isPostgres) {
      await db
        .deleteFrom("run_messages as m")
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("runs as r").select("r.run_id").whereRef("r.run_id", "=", "m.run_id"),
            ),
          ),
        )
        .execute();
      await db.schema
        .alterTable("run_messages")
        .addForeignKeyConstraint("run_messages_run", ["run_id"], "runs", ["run_id"])
        .onDelete("cascade")
        .execute();
    }

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

/** A row for each message that there is: a question follows the last answer, an answer its question. */
async function fill(db: Kysely<Schema>): Promise<void> {
  for (let after = ""; ; ) {
    const { rows } = await sql<{ last: string | null }>`
      select max(run_id) as last
      from (select run_id from runs where run_id > ${after} order by run_id limit ${batch}) as next_runs
    `.execute(db);
    const last = rows[0]?.last;
    if (last == null) return;
    await sql`
      insert into run_messages (run_id, role, parent_id)
      select r.run_id, 'human',
        (select p.run_id || '/ai' from runs as p
          where p.conversation_id = r.conversation_id and p.end_seq < r.first_seq
          order by p.end_seq desc limit 1)
      from runs as r where r.run_id > ${after} and r.run_id <= ${last}
      union all
      select run_id, 'ai', run_id || '/human' from runs
      where run_id > ${after} and run_id <= ${last} and status <> 'running'
    `.execute(db);
    after = last;
  }
}
