/** The one statement that inserts a run, as it begins and as it is put back. */
import type { AliasableExpression, Expression, Kysely, SqlBool } from "kysely";
import { running, type Schema } from "../../schema.ts";
import type { NewRun } from "../../store.ts";

export interface RunValues extends Omit<NewRun, "owner" | "input"> {
  /** JSON. */
  readonly input: string | null;
  readonly owner: string | null;
  /** When it began. */
  readonly at: string;
}

export interface RunPlace {
  readonly firstSeq: AliasableExpression<number>;
  /** Which of the conversation's runs keep it from being inserted. */
  readonly inTheWay: Expression<SqlBool>;
}

/** Inserts nothing unless the user is a member, the run's place is free, and its id is new. */
export function insertRun(
  db: Kysely<Schema>,
  { runId, conversationId, botId, userId, message, input, at, owner }: RunValues,
  { firstSeq, inTheWay }: RunPlace,
) {
  return db
    .insertInto("runs")
    .columns([
      ...(["run_id", "conversation_id", "bot_id", "user_id", "message", "input"] as const),
      ...(["status", "started_at", "owner", "first_seq"] as const),
    ])
    .expression((eb) =>
      eb
        .selectFrom("members as m")
        .where("m.conversation_id", "=", conversationId)
        .where("m.user_id", "=", userId)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("runs")
                .select("run_id")
                .where("conversation_id", "=", conversationId)
                .where(inTheWay),
            ),
          ),
        )
        .select((eb) => [
          eb.val(runId).as("run_id"),
          "m.conversation_id",
          eb.val(botId).as("bot_id"),
          "m.user_id",
          eb.val(message).as("message"),
          eb.val(input).as("input"),
          running.as("status"),
          eb.val(at).as("started_at"),
          eb.val(owner).as("owner"),
          firstSeq.as("first_seq"),
        ]),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returningAll();
}
