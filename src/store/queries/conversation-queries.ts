/** The statements about conversations that more than one call is made of. */
import { type Expression, type Kysely, type RawBuilder, type SqlBool, sql } from "kysely";
import type { Conversation } from "../../protocol/conversations.ts";
import type { Engine } from "../engine.ts";
import { type ConversationRow, toConversation } from "../rows.ts";
import { running, type Schema } from "../schema.ts";
import type { Deleted, NewConversation } from "../store.ts";
import { storable } from "./text.ts";

type AtTime = { readonly at: string };
type InsertValues = NewConversation & AtTime & { readonly title: string };

/** What makes a new conversation with its owner, or answers undefined when its id is taken. */
export function preparedInsert(engine: Engine) {
  const insertRow = engine.prepare(insertConversation);
  const insertOwner = engine.prepare(insertMember);
  return async (
    db: Kysely<Schema>,
    input: NewConversation & AtTime,
  ): Promise<ConversationRow | undefined> => {
    const [row] = await insertRow(db, { ...input, title: storable(input.title ?? "") });
    if (row === undefined) return undefined;
    await insertOwner(db, input);
    return { ...row, running_run_id: null };
  };
}

function insertConversation(
  db: Kysely<Schema>,
  { conversationId, botId, userId, title, at }: InsertValues,
) {
  return db
    .insertInto("conversations")
    .values({
      conversation_id: conversationId,
      bot_id: botId,
      owner_id: userId,
      title,
      shared: 0,
      created_at: at,
      updated_at: at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll();
}

function insertMember(
  db: Kysely<Schema>,
  { conversationId, userId }: Pick<NewConversation, "conversationId" | "userId">,
) {
  return db.insertInto("members").values({ conversation_id: conversationId, user_id: userId });
}

/** The conversations that the user may see. Deleted ones have no members, so they are not among them. */
export function conversationsOf(db: Kysely<Schema>, userId: string) {
  return db
    .selectFrom("members as m")
    .innerJoin("conversations as c", "c.conversation_id", "m.conversation_id")
    .leftJoin("runs as r", (join) =>
      join.onRef("r.conversation_id", "=", "c.conversation_id").on("r.status", "=", running),
    )
    .where("m.user_id", "=", userId)
    .selectAll("c")
    .select("r.run_id as running_run_id");
}

/** The conversation, if the user may see it. */
export async function findConversation(
  db: Kysely<Schema>,
  conversationId: string,
  userId: string,
): Promise<Conversation | undefined> {
  const row = await conversationsOf(db, userId)
    .where("m.conversation_id", "=", conversationId)
    .executeTakeFirst();
  return row && toConversation(row, userId);
}

/** False when the user does not own it. */
export async function updateOwn(
  db: Kysely<Schema>,
  conversationId: string,
  userId: string,
  change: { title?: string; shared?: number; deleted_at?: string; owner_id?: string },
): Promise<boolean> {
  const updated = await db
    .updateTable("conversations")
    .set(change)
    .where("conversation_id", "=", conversationId)
    .where("owner_id", "=", userId)
    .where("deleted_at", "is", null)
    .returning("conversation_id")
    .executeTakeFirst();
  return updated !== undefined;
}

/** What turns a conversation's row into what is left of a deleted one: its id, and nobody's name. */
export function tombstone() {
  return { deleted_at: new Date().toISOString(), owner_id: "", title: "", shared: 0 };
}

/**
 * Takes a deleted conversation from its members, and its run in progress with it, so that `finish` does
 * not find that. The other runs may be of any size: they are listed to be deleted after the commit, and
 * nobody sees them any more.
 */
export async function detachContents(db: Kysely<Schema>, conversationId: string): Promise<Deleted> {
  await db
    .insertInto("pending_deletions")
    .values({ conversation_id: conversationId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const inProgress = await db
    .deleteFrom("runs")
    .where("conversation_id", "=", conversationId)
    .where("status", "=", running)
    .returning("run_id")
    .executeTakeFirst();
  const members = await db
    .deleteFrom("members")
    .where("conversation_id", "=", conversationId)
    .returning("user_id")
    .execute();
  return {
    members: members.map((row) => row.user_id),
    ...(inProgress !== undefined && { runningRunId: inProgress.run_id }),
  };
}

/**
 * Whether the conversation is not deleted. For whatever reads runs without asking for a membership.
 * @param conversationId a value, or the column that has it
 */
export function isKept(conversationId: string | Expression<unknown>): RawBuilder<SqlBool> {
  return sql<SqlBool>`exists (
    select 1 from conversations as kept
    where kept.conversation_id = ${conversationId} and kept.deleted_at is null)`;
}
