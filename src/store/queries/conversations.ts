/** Conversations and who is in them. */
import type { Kysely } from "kysely";
import type { Conversation, Message } from "../../protocol/conversations.ts";
import type { Engine } from "../engine.ts";
import { toConversation } from "../rows.ts";
import type { Schema } from "../schema.ts";
import type {
  Conversations,
  Deleted,
  HistoryBounds,
  HistoryEntry,
  Membership,
  NewConversation,
  Page,
  PageRequest,
  Unshared,
} from "../store.ts";
import {
  conversationsOf,
  detachContents,
  findConversation,
  preparedInsert,
  tombstone,
  updateOwn,
} from "./conversation-queries.ts";
import { decodeConversationCursor, encodeConversationCursor } from "./cursor.ts";
import { Messages } from "./messages/messages.ts";
import { storable } from "./text.ts";

export class StoredConversations implements Conversations {
  readonly #engine: Engine;
  readonly #numbersAfter: number;
  readonly #messages: Messages;
  readonly #insert;
  readonly #selectMember;
  readonly #selectLastSeq;

  /** @param numbersAfter no event has this number or a lower one from now on */
  constructor(engine: Engine, numbersAfter: number) {
    this.#engine = engine;
    this.#numbersAfter = numbersAfter;
    this.#messages = new Messages(engine);
    this.#insert = preparedInsert(engine);
    this.#selectMember = engine.prepare(selectMember);
    this.#selectLastSeq = engine.prepare(selectLastSeq);
  }

  async create(input: NewConversation): Promise<Conversation | undefined> {
    const { conversationId, botId, userId } = input;
    const created = await this.#engine.transaction(async (db) => {
      const row = await this.#insert(db, { ...input, at: new Date().toISOString() });
      return row && toConversation(row, userId);
    });
    if (created !== undefined) return created;
    const existing = await this.get(conversationId, userId);
    return existing?.owned && existing.botId === botId ? existing : undefined;
  }

  async get(conversationId: string, userId: string): Promise<Conversation | undefined> {
    return await this.#engine.run((db) => findConversation(db, conversationId, userId));
  }

  async list(userId: string, { cursor, limit }: PageRequest): Promise<Page<Conversation>> {
    const after = cursor === undefined ? undefined : decodeConversationCursor(cursor);
    const rows = await this.#engine.run((db) => {
      let query = conversationsOf(db, userId)
        .orderBy("c.updated_at", "desc")
        .orderBy("c.conversation_id", "desc")
        .limit(limit + 1);
      if (after !== undefined) {
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(
            refTuple("c.updated_at", "c.conversation_id"),
            "<",
            tuple(after.updatedAt, after.conversationId),
          ),
        );
      }
      return query.execute();
    });
    const items = rows.slice(0, limit).map((row) => toConversation(row, userId));
    const last = items.at(-1);
    return rows.length > limit && last !== undefined
      ? { items, nextCursor: encodeConversationCursor(last) }
      : { items };
  }

  async rename(
    conversationId: string,
    userId: string,
    title: string,
  ): Promise<Conversation | undefined> {
    return await this.#updateOwn(conversationId, userId, { title: storable(title) });
  }

  async share(conversationId: string, userId: string): Promise<Conversation | undefined> {
    return await this.#updateOwn(conversationId, userId, { shared: 1 });
  }

  async unshare(conversationId: string, userId: string): Promise<Unshared | undefined> {
    return await this.#engine.transaction(async (db) => {
      if (!(await updateOwn(db, conversationId, userId, { shared: 0 }))) return undefined;
      const removed = await db
        .deleteFrom("members")
        .where("conversation_id", "=", conversationId)
        .where("user_id", "<>", userId)
        .returning("user_id")
        .execute();
      const conversation = await findConversation(db, conversationId, userId);
      return conversation && { conversation, removed: removed.map((row) => row.user_id) };
    });
  }

  async join(conversationId: string, userId: string): Promise<Conversation | undefined> {
    const joined = await this.#engine.transaction(async (db) => {
      // Writes what is there already, to hold the row: an `unshare` or `delete` at the same time
      // waits until the new member can be seen.
      const shared = await db
        .updateTable("conversations")
        .set({ shared: 1 })
        .where("conversation_id", "=", conversationId)
        .where("shared", "=", 1)
        .where("deleted_at", "is", null)
        .returning("conversation_id")
        .executeTakeFirst();
      if (shared === undefined) return undefined;
      await db
        .insertInto("members")
        .values({ conversation_id: conversationId, user_id: userId })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return await findConversation(db, conversationId, userId);
    });
    return joined ?? (await this.get(conversationId, userId));
  }

  async leave(conversationId: string, userId: string): Promise<boolean> {
    const left = await this.#engine.run((db) =>
      db
        .deleteFrom("members")
        .where("conversation_id", "=", conversationId)
        .where("user_id", "=", userId)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("conversations as c")
                .select("c.conversation_id")
                .whereRef("c.conversation_id", "=", "members.conversation_id")
                .whereRef("c.owner_id", "=", "members.user_id"),
            ),
          ),
        )
        .returning("user_id")
        .executeTakeFirst(),
    );
    return left !== undefined;
  }

  async delete(conversationId: string, userId: string): Promise<Deleted | undefined> {
    return await this.#engine.transaction(async (db) => {
      const owned = await updateOwn(db, conversationId, userId, tombstone());
      return owned ? await detachContents(db, conversationId) : undefined;
    });
  }

  async isMember(conversationId: string, userId: string): Promise<boolean> {
    const member = { conversationId, userId };
    return (await this.#engine.run((db) => this.#selectMember(db, member))).length > 0;
  }

  async stillMembers(memberships: readonly Membership[]): Promise<Membership[]> {
    if (memberships.length === 0) return [];
    return await this.#engine.run((db) =>
      db
        .selectFrom("members")
        .select(["conversation_id as conversationId", "user_id as userId"])
        .where(({ eb, refTuple, tuple }) =>
          eb(
            refTuple("conversation_id", "user_id"),
            "in",
            memberships.map(({ conversationId, userId }) => tuple(conversationId, userId)),
          ),
        )
        .execute(),
    );
  }

  async lastSeq(conversationId: string): Promise<number> {
    const [last] = await this.#engine.run((db) => this.#selectLastSeq(db, { conversationId }));
    return Math.max(last?.seq ?? 0, this.#numbersAfter);
  }

  async messages(conversationId: string, page: PageRequest): Promise<Page<Message>> {
    return await this.#messages.page(conversationId, page);
  }

  async history(conversationId: string, bounds: HistoryBounds): Promise<HistoryEntry[]> {
    return await this.#messages.history(conversationId, bounds);
  }

  async #updateOwn(
    conversationId: string,
    userId: string,
    change: { title: string } | { shared: number },
  ): Promise<Conversation | undefined> {
    return await this.#engine.transaction(async (db) =>
      (await updateOwn(db, conversationId, userId, change))
        ? await findConversation(db, conversationId, userId)
        : undefined,
    );
  }
}

function selectMember(db: Kysely<Schema>, { conversationId, userId }: Membership) {
  return db
    .selectFrom("members")
    .select("user_id")
    .where("conversation_id", "=", conversationId)
    .where("user_id", "=", userId);
}

function selectLastSeq(db: Kysely<Schema>, { conversationId }: Pick<Membership, "conversationId">) {
  return db
    .selectFrom("runs")
    .select(({ fn }) => fn.max("end_seq").as("seq"))
    .where("conversation_id", "=", conversationId);
}
