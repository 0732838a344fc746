/**
 * Beginning a run. The order of the steps is what makes it safe between processes: first the
 * conversation's row is written, which holds it against everybody else who begins a run there,
 * deletes it or removes members; what the insert then sees stays true until the commit.
 */
import { expressionBuilder, type Kysely } from "kysely";
import type { Engine } from "../../engine.ts";
import { toConversation, toRun } from "../../rows.ts";
import { running, type Schema } from "../../schema.ts";
import type { Claim, NewRun } from "../../store.ts";
import { preparedInsert } from "../conversation-queries.ts";
import { storable, titleOf } from "../text.ts";
import { insertRun, type RunValues } from "./insert-run.ts";

type Refusal = Exclude<Claim, { outcome: "claimed" }>;
type AtTime = { readonly at: string };

/** A claim is retried when it was refused and the cause is gone by the time that it is looked up. */
const maxAttempts = 5;

export class Claims {
  readonly #engine: Engine;
  readonly #selectRun;
  readonly #touchConversation;
  readonly #insertConversation;
  readonly #insertRun;

  /** @param numbersAfter no event has this number or a lower one from now on */
  constructor(engine: Engine, numbersAfter: number) {
    this.#engine = engine;
    this.#selectRun = engine.prepare(selectRun);
    this.#touchConversation = engine.prepare(touchConversation);
    this.#insertConversation = preparedInsert(engine);
    this.#insertRun = engine.prepare((db, run: RunValues) => insertNext(db, run, numbersAfter));
  }

  async claim(input: NewRun): Promise<Claim> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const claimed = await this.#engine.transaction((db) => this.#begin(db, input));
      if (claimed !== undefined) return claimed;
      const known = await this.#engine.run((db) => this.#known(db, input));
      if (known !== undefined) return known;
      const refusal = await this.#engine.run((db) => refusalOf(db, input));
      if (refusal !== undefined) return refusal;
    }
    throw new Error(`Run ${input.runId} could be neither begun nor refused.`);
  }

  async #known(db: Kysely<Schema>, input: NewRun): Promise<Refusal | undefined> {
    const [row] = await this.#selectRun(db, input);
    if (row === undefined) return undefined;
    return row.member_id === null ? { outcome: "foreign" } : { outcome: "exists", run: toRun(row) };
  }

  /** Undefined when it may not begin; the caller finds out why. */
  async #begin(db: Kysely<Schema>, input: NewRun): Promise<Claim | undefined> {
    const { conversationId, botId, userId } = input;
    const at = new Date().toISOString();
    const message = storable(input.message);
    const [existing] = await this.#touchConversation(db, { conversationId, at });
    const conversation =
      existing ??
      (await this.#insertConversation(db, {
        ...{ conversationId, botId, userId, at },
        title: titleOf(message),
      }));
    if (conversation?.bot_id !== botId) return undefined;
    const owner = input.owner ?? null;
    const given = input.input === undefined ? null : JSON.stringify(input.input);
    const [run] = await this.#insertRun(db, { ...input, message, at, owner, input: given });
    if (run === undefined) return undefined;
    const title = conversation.title || (await giveTitle(db, conversationId, titleOf(message)));
    return {
      outcome: "claimed",
      run: toRun(run),
      conversation: toConversation({ ...conversation, title, running_run_id: run.run_id }, userId),
    };
  }
}

function selectRun(db: Kysely<Schema>, { runId, userId }: NewRun) {
  return db
    .selectFrom("runs as r")
    .leftJoin("members as m", (join) =>
      join.onRef("m.conversation_id", "=", "r.conversation_id").on("m.user_id", "=", userId),
    )
    .where("r.run_id", "=", runId)
    .selectAll("r")
    .select("m.user_id as member_id");
}

function touchConversation(
  db: Kysely<Schema>,
  { conversationId, at }: Pick<NewRun, "conversationId"> & AtTime,
) {
  return db
    .updateTable("conversations")
    .set({ updated_at: at })
    .where("conversation_id", "=", conversationId)
    .where("deleted_at", "is", null)
    .returningAll();
}

/** Takes the conversation's next number, unless a run is in progress there. */
function insertNext(db: Kysely<Schema>, run: RunValues, numbersAfter: number) {
  const eb = expressionBuilder<Schema, "runs">();
  const next = eb
    .selectFrom("runs")
    .where("conversation_id", "=", run.conversationId)
    .where("end_seq", ">", eb.lit(numbersAfter))
    .select(({ fn, eb, lit }) =>
      eb(fn.coalesce(fn.max("end_seq"), lit(numbersAfter)), "+", lit(1)).as("next"),
    );
  return insertRun(db, run, { firstSeq: next.$asScalar(), inTheWay: eb("status", "=", running) });
}

async function giveTitle(
  db: Kysely<Schema>,
  conversationId: string,
  title: string,
): Promise<string> {
  await db
    .updateTable("conversations")
    .set({ title })
    .where("conversation_id", "=", conversationId)
    .execute();
  return title;
}

async function refusalOf(
  db: Kysely<Schema>,
  { runId, conversationId, botId, userId }: NewRun,
): Promise<Refusal | undefined> {
  const row = await db
    .selectFrom("conversations as c")
    .leftJoin("members as m", (join) =>
      join.onRef("m.conversation_id", "=", "c.conversation_id").on("m.user_id", "=", userId),
    )
    .leftJoin("runs as r", (join) =>
      join.onRef("r.conversation_id", "=", "c.conversation_id").on("r.status", "=", running),
    )
    .where("c.conversation_id", "=", conversationId)
    .select(["c.bot_id", "m.user_id as member_id", "r.run_id as running_run_id"])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.member_id === null) return { outcome: "foreign" };
  if (row.bot_id !== botId) return { outcome: "wrongBot" };
  if (row.running_run_id === null || row.running_run_id === runId) return undefined;
  return { outcome: "busy", runId: row.running_run_id };
}
