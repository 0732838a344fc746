/** The rows of a run's two messages: each is written with what makes it, the claim and the ending. */
import { type Kysely, sql } from "kysely";
import type { Schema } from "../../schema.ts";

/** What a person wrote follows what was answered last. */
export function insertQuestion(
  db: Kysely<Schema>,
  { runId, conversationId }: { readonly runId: string; readonly conversationId: string },
) {
  return db.insertInto("run_messages").values(({ selectFrom }) => ({
    run_id: runId,
    role: sql.lit("human" as const),
    parent_id: selectFrom("runs")
      .select(sql<string>`run_id || '/ai'`.as("message_id"))
      .where("conversation_id", "=", conversationId)
      .where("end_seq", "is not", null)
      .orderBy("end_seq", "desc")
      .limit(1),
  }));
}

export interface AnswerValues {
  readonly runId: string;
  readonly parentId: string;
  readonly parts: string | null;
  readonly modelMessages: string | null;
}

export function insertAnswer(
  db: Kysely<Schema>,
  { runId, parentId, parts, modelMessages }: AnswerValues,
) {
  return db.insertInto("run_messages").values({
    run_id: runId,
    role: sql.lit("ai" as const),
    parent_id: parentId,
    parts,
    model_messages: modelMessages,
  });
}
