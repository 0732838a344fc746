/** The operator's queries, over everybody's conversations. */
import { type Selectable, sql } from "kysely";
import type { Part } from "../../../protocol/parts.ts";
import type { Administration, StoredConversation } from "../../administration.ts";
import type { Engine } from "../../engine.ts";
import { toRun } from "../../rows.ts";
import { type ConversationTable, running } from "../../schema.ts";
import type { Deleted, Run } from "../../store.ts";
import { detachContents, isKept, tombstone } from "../conversation-queries.ts";
import { decodeParts } from "../messages/stored-parts.ts";
import { allSenders, paged, pageSize } from "./paged.ts";
import { redactLeftovers, redactRun } from "./redaction.ts";

export class StoredAdministration implements Administration {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async conversation(conversationId: string): Promise<StoredConversation | undefined> {
    const row = await this.#engine.run((db) =>
      db
        .selectFrom("conversations")
        .select(columns)
        .where("conversation_id", "=", conversationId)
        .where("deleted_at", "is", null)
        .executeTakeFirst(),
    );
    return row && toStoredConversation(row);
  }

  async *members(conversationId: string): AsyncGenerator<string, void> {
    const rows = paged(pageSize, (last: { user_id: string } | undefined) =>
      this.#engine.run((db) =>
        db
          .selectFrom("members")
          .select("user_id")
          .where("conversation_id", "=", conversationId)
          .where("user_id", ">", last?.user_id ?? "")
          .orderBy("user_id")
          .limit(pageSize)
          .execute(),
      ),
    );
    for await (const { user_id } of rows) yield user_id;
  }

  /** One at a time: each may hold an answer of some MiB. */
  async *runs(conversationId: string): AsyncGenerator<Run, void> {
    yield* paged(1, async (last: Run | undefined) => {
      const rows = await this.#engine.run((db) =>
        db
          .selectFrom("runs")
          .selectAll()
          .where("conversation_id", "=", conversationId)
          .where(isKept(conversationId))
          .where("first_seq", ">", last?.firstSeq ?? 0)
          .orderBy("first_seq")
          .limit(1)
          .execute(),
      );
      return rows.map(toRun);
    });
  }

  async parts(runId: string): Promise<Part[] | undefined> {
    const row = await this.#engine.run((db) =>
      db
        .selectFrom("runs as r")
        .leftJoin("run_messages as a", (join) =>
          join.onRef("a.run_id", "=", "r.run_id").on("a.role", "=", "ai"),
        )
        .select(["r.text", "a.parts"])
        .where("r.run_id", "=", runId)
        .where(isKept(sql.ref("r.conversation_id")))
        .executeTakeFirst(),
    );
    return row === undefined || row.text === null ? undefined : decodeParts(row.parts, row.text);
  }

  /** By the primary key, so that no page costs more for how many there are, or how few match. */
  async *inactive(before: string): AsyncGenerator<StoredConversation, void> {
    const rows = paged(pageSize, (last: { conversation_id: string } | undefined) =>
      this.#engine.run((db) =>
        db
          .selectFrom("conversations as c")
          .leftJoin("runs as r", (join) =>
            join.onRef("r.conversation_id", "=", "c.conversation_id").on("r.status", "=", running),
          )
          .select(columns.map((column) => `c.${column}` as const))
          .select(["c.deleted_at", "r.run_id as running_run_id"])
          .where("c.conversation_id", ">", last?.conversation_id ?? "")
          .orderBy("c.conversation_id")
          .limit(pageSize)
          .execute(),
      ),
    );
    for await (const row of rows) {
      const idle = row.deleted_at === null && row.running_run_id === null;
      if (idle && row.updated_at < before) yield toStoredConversation(row);
    }
  }

  async deleteInactive(conversationId: string, before: string): Promise<boolean> {
    const deleted = await this.#engine.transaction(async (db) => {
      // Locks the row first, as a claim does: a claim at the same time waits, or has updated the row.
      const held = await db
        .updateTable("conversations")
        .set(tombstone())
        .where("conversation_id", "=", conversationId)
        .where("updated_at", "<", before)
        .where("deleted_at", "is", null)
        .returning("conversation_id")
        .executeTakeFirst();
      if (held === undefined) return undefined;
      const { runningRunId } = await detachContents(db, conversationId);
      return runningRunId === undefined ? true : undefined;
    });
    return deleted ?? false;
  }

  async delete(conversationId: string): Promise<Deleted | undefined> {
    return await this.#engine.transaction(async (db) => {
      const held = await db
        .updateTable("conversations")
        .set(tombstone())
        .where("conversation_id", "=", conversationId)
        .where("deleted_at", "is", null)
        .returning("conversation_id")
        .executeTakeFirst();
      return held && (await detachContents(db, conversationId));
    });
  }

  async *conversationsOf(userId: string): AsyncGenerator<StoredConversation, void> {
    const rows = paged(pageSize, (last: { conversation_id: string } | undefined) =>
      this.#engine.run((db) =>
        db
          .selectFrom("members as m")
          .innerJoin("conversations as c", "c.conversation_id", "m.conversation_id")
          .select(columns.map((column) => `c.${column}` as const))
          .where("m.user_id", "=", userId)
          .where("m.conversation_id", ">", last?.conversation_id ?? "")
          .orderBy("m.conversation_id")
          .limit(pageSize)
          .execute(),
      ),
    );
    for await (const row of rows) yield toStoredConversation(row);
  }

  async *runsOf(userId: string): AsyncGenerator<Run, void> {
    for await (const { run_id, user_id } of allSenders(this.#engine)) {
      if (user_id !== userId) continue;
      const row = await this.#engine.run((db) =>
        db
          .selectFrom("runs")
          .selectAll()
          .where("run_id", "=", run_id)
          .where(isKept(sql.ref("runs.conversation_id")))
          .executeTakeFirst(),
      );
      if (row !== undefined) yield toRun(row);
    }
  }

  async redact(runId: string): Promise<readonly string[]> {
    return await redactRun(this.#engine, runId);
  }

  async redactLeftovers(userId: string): Promise<void> {
    await redactLeftovers(this.#engine, userId);
  }
}

const columns = [
  "conversation_id",
  "bot_id",
  "owner_id",
  "title",
  "shared",
  "created_at",
  "updated_at",
] as const;

type Row = Pick<Selectable<ConversationTable>, (typeof columns)[number]>;

function toStoredConversation(row: Row): StoredConversation {
  return {
    conversationId: row.conversation_id,
    botId: row.bot_id,
    ownerId: row.owner_id,
    title: row.title,
    shared: row.shared === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
