/**
 * Putting back a run that the database has lost: a standby that lagged behind and was promoted does not
 * have the last claims that were answered. As in claim.ts, the conversation's row is written first.
 */
import type { Kysely } from "kysely";
import type { Engine } from "../engine.ts";
import { running, type Schema } from "../schema.ts";
import type { Restored, Run } from "../store.ts";
import { preparedInsert } from "./conversation-queries.ts";
import { storable, titleOf } from "./text.ts";

export class Restores {
  readonly #engine: Engine;
  readonly #insertConversation;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#insertConversation = preparedInsert(engine);
  }

  async restore(run: Run): Promise<Restored> {
    if (await this.#engine.run((db) => isPresent(db, run))) return "present";
    const done = await this.#engine.transaction((db) => this.#putBack(db, run));
    if (done !== undefined) return done;
    // Several may put it back at once: then it is in its own way.
    return (await this.#engine.run((db) => isPresent(db, run))) ? "present" : "superseded";
  }

  /** Undefined where its place is taken: then nothing of it stays. */
  async #putBack(db: Kysely<Schema>, run: Run): Promise<"restored" | "deleted" | undefined> {
    const { conversationId, botId, userId, startedAt: at, firstSeq } = run;
    const title = titleOf(storable(run.message));
    const conversation = await lockConversation(db, conversationId);
    if (conversation?.deleted_at) return "deleted";
    if (conversation === undefined) {
      // A conversation that began with the run is lost with it; of another's owner nothing is known.
      if (firstSeq !== 1) return undefined;
      const input = { conversationId, botId, userId, at, title };
      if ((await this.#insertConversation(db, input)) === undefined) return undefined;
    }
    const [inserted] = await insertAgain(db, run);
    return inserted === undefined ? undefined : "restored";
  }
}

async function isPresent(db: Kysely<Schema>, { runId }: Run): Promise<boolean> {
  const row = await db
    .selectFrom("runs")
    .select("run_id")
    .where("run_id", "=", runId)
    .executeTakeFirst();
  return row !== undefined;
}

async function lockConversation(db: Kysely<Schema>, conversationId: string) {
  return await db
    .updateTable("conversations")
    .set(({ ref }) => ({ updated_at: ref("updated_at") }))
    .where("conversation_id", "=", conversationId)
    .returning("deleted_at")
    .executeTakeFirst();
}

/** Inserts nothing unless the user is a member, and neither its place nor its numbers are taken. */
async function insertAgain(db: Kysely<Schema>, run: Run) {
  const { runId, conversationId, botId, userId, startedAt, owner = null, firstSeq } = run;
  return await db
    .insertInto("runs")
    .columns([
      ...(["run_id", "conversation_id", "bot_id", "user_id", "message"] as const),
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
                .where(({ or, eb: is }) =>
                  or([is("status", "=", running), is("end_seq", ">=", firstSeq)]),
                ),
            ),
          ),
        )
        .select((eb) => [
          eb.val(runId).as("run_id"),
          "m.conversation_id",
          eb.val(botId).as("bot_id"),
          "m.user_id",
          eb.val(storable(run.message)).as("message"),
          running.as("status"),
          eb.val(startedAt).as("started_at"),
          eb.val(owner).as("owner"),
          eb.val(firstSeq).as("first_seq"),
        ]),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning("run_id")
    .execute();
}
