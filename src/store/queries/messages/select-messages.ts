/**
 * The messages of a conversation: two of each run. A message's position is the number of the event that
 * brought it, so positions ascend and no counter is needed.
 *
 * A message has a row in `run_messages` where that says more than the run's own: without one it follows the
 * message before it, and an answer is its text alone.
 */
import { type Kysely, sql } from "kysely";
import type { Schema } from "../../schema.ts";
import { isKept } from "../conversation-queries.ts";
import { bytesOf } from "../fitting.ts";

interface Before {
  readonly conversationId: string;
  readonly before: number;
  readonly count: number;
}

/**
 * The newest messages before a position. Of each: its position, that of its run, and how large it is on the
 * wire, where a text is in the parts once more. In two halves, each of which an index has in order.
 */
export function measuredMessages(db: Kysely<Schema>, { conversationId, before, count }: Before) {
  const questions = db
    .selectFrom("runs as r")
    .select([
      "r.first_seq as position",
      "r.first_seq as run_position",
      bytesOf("r.message", "r.message", "r.input").as("bytes"),
    ])
    .where("r.conversation_id", "=", conversationId)
    .where(isKept(conversationId))
    .where("r.first_seq", "<", before);
  const answers = db
    .selectFrom("runs as r")
    .leftJoin("run_messages as a", (join) =>
      join.onRef("a.run_id", "=", "r.run_id").on("a.role", "=", sql.lit("ai" as const)),
    )
    .select(({ ref }) => [
      ref("r.end_seq").$notNull().as("position"),
      "r.first_seq as run_position",
      bytesOf("r.text", "r.text", "r.output", "a.parts").as("bytes"),
    ])
    .where("r.conversation_id", "=", conversationId)
    .where(isKept(conversationId))
    .where("r.end_seq", "<", before);
  return questions.unionAll(answers).orderBy("position", "desc").limit(count);
}

interface Range {
  readonly conversationId: string;
  readonly firstRun: number;
  readonly lastRun: number;
  /** The position up to which answers are read. */
  readonly to: number;
}

/** The runs of the messages, the oldest first. */
export function selectExchanges(
  db: Kysely<Schema>,
  { conversationId, firstRun, lastRun, to }: Range,
) {
  return db
    .selectFrom("runs as r")
    .leftJoin("run_messages as q", (join) =>
      join.onRef("q.run_id", "=", "r.run_id").on("q.role", "=", sql.lit("human" as const)),
    )
    .leftJoin("run_messages as a", (join) =>
      join
        .onRef("a.run_id", "=", "r.run_id")
        .on("a.role", "=", sql.lit("ai" as const))
        .on("r.end_seq", "<=", to),
    )
    .where("r.conversation_id", "=", conversationId)
    .where("r.first_seq", ">=", firstRun)
    .where("r.first_seq", "<=", lastRun)
    .orderBy("r.first_seq")
    .select(["r.run_id", "r.user_id", "r.first_seq", "r.message", "r.input", "r.started_at"])
    .select(["r.status", "r.end_seq", "r.ended_at", "r.usage", "r.error", "a.parts"])
    .select(({ case: when, fn, selectFrom, ref }) => [
      when().when("r.end_seq", "<=", to).then(ref("r.text")).end().as("text"),
      when().when("r.end_seq", "<=", to).then(ref("r.output")).end().as("output"),
      fn
        .coalesce(
          "q.parent_id",
          selectFrom("runs as p")
            .select(sql<string>`p.run_id || '/ai'`.as("message_id"))
            .whereRef("p.conversation_id", "=", "r.conversation_id")
            .whereRef("p.end_seq", "<", "r.first_seq")
            .orderBy("p.end_seq", "desc")
            .limit(1),
        )
        .as("question_parent_id"),
      "a.parent_id as answer_parent_id",
    ]);
}
