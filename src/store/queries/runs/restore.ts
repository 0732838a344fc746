/**
 * Putting back a run that the database has lost: a standby that lagged behind and was promoted does not
 * have the last claims that were answered. As in claim.ts, the conversation's row is written first.
 */
import { expressionBuilder, type Kysely, sql } from "kysely";
import type { Conversation } from "../../../protocol/conversations.ts";
import type { Engine } from "../../engine.ts";
import { running, type Schema } from "../../schema.ts";
import type { Restored, Run } from "../../store.ts";
import { isKept, preparedInsert } from "../conversation-queries.ts";
import { storable, titleOf } from "../text.ts";
import { insertRun } from "./insert-run.ts";

export class Restores {
  readonly #engine: Engine;
  readonly #insertConversation;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#insertConversation = preparedInsert(engine);
  }

  async restore(run: Run, conversation: Conversation | undefined): Promise<Restored> {
    if (await this.#engine.run((db) => isPresent(db, run))) return "present";
    const done = await this.#engine.transaction((db) => this.#putBack(db, run, conversation));
    if (done !== undefined) return done;
    // Several may put it back at once: then it is in its own way.
    return (await this.#engine.run((db) => isPresent(db, run))) ? "present" : "superseded";
  }

  /** Undefined where its place is taken: then nothing of it stays. */
  async #putBack(
    db: Kysely<Schema>,
    run: Run,
    known: Conversation | undefined,
  ): Promise<"restored" | "deleted" | undefined> {
    const { conversationId, botId, userId, startedAt: at } = run;
    const conversation = await lockConversation(db, conversationId);
    if (conversation?.deleted_at) return "deleted";
    if (conversation === undefined) {
      // Whose it is is never guessed, and another's is not his to put back.
      if (known?.owned !== true) return undefined;
      const title = known.title || titleOf(storable(run.message));
      const input = { conversationId, botId, userId, at, title };
      if ((await this.#insertConversation(db, input)) === undefined) return undefined;
    }
    const [inserted] = await insertAgain(db, run);
    return inserted && "restored";
  }
}

async function isPresent(db: Kysely<Schema>, { runId }: Run): Promise<boolean> {
  const row = await db
    .selectFrom("runs")
    .select("run_id")
    .where("run_id", "=", runId)
    .where(isKept(sql.ref("runs.conversation_id")))
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

/** Inserts nothing where a run is in progress, or its numbers are taken. */
async function insertAgain(db: Kysely<Schema>, run: Run) {
  const { firstSeq, startedAt: at, owner = null } = run;
  const input = run.input === undefined ? null : JSON.stringify(run.input);
  const eb = expressionBuilder<Schema, "runs">();
  const values = { ...run, message: storable(run.message), input, at, owner };
  const inTheWay = eb.or([eb("status", "=", running), eb("end_seq", ">=", firstSeq)]);
  return await insertRun(db, values, { firstSeq: eb.val(firstSeq), inTheWay }).execute();
}
