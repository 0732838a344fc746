/** What was said in a conversation: pages for people, and the memory of a bot. */
import { type Kysely, sql } from "kysely";
import type { Message } from "../../protocol/conversations.ts";
import type { Engine } from "../engine.ts";
import { toMessage } from "../rows.ts";
import { running, type Schema } from "../schema.ts";
import type { HistoryBounds, HistoryEntry, Page, PageRequest } from "../store.ts";
import { decodeMessageCursor, encodeMessageCursor } from "./cursor.ts";
import { fitting } from "./fitting.ts";

/** Limit of a page's texts together. The first message comes whatever its size. */
const pageMaxBytes = 1024 * 1024;

export class Messages {
  readonly #engine: Engine;
  readonly #exchanges;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#exchanges = engine.prepare(selectExchanges);
  }

  async page(conversationId: string, { cursor, limit }: PageRequest): Promise<Page<Message>> {
    const before = cursor === undefined ? undefined : decodeMessageCursor(cursor);
    const found = await this.#engine.run((db) => {
      let query = db
        .selectFrom("messages")
        .select(({ fn }) => ["position", fn<number>("octet_length", ["text"]).as("bytes")])
        .where("conversation_id", "=", conversationId)
        .orderBy("position", "desc")
        .limit(limit + 1);
      if (before !== undefined) query = query.where("position", "<", before);
      return query.execute();
    });
    const taken = fitting(found.slice(0, limit), pageMaxBytes);
    const newest = taken[0];
    const oldest = taken.at(-1);
    if (newest === undefined || oldest === undefined) return { items: [] };
    // What was said in between stands after the newest, so these are the ones that were measured.
    const rows = await this.#engine.run((db) =>
      db
        .selectFrom("messages")
        .selectAll()
        .where("conversation_id", "=", conversationId)
        .where("position", ">=", oldest.position)
        .where("position", "<=", newest.position)
        .orderBy("position")
        .execute(),
    );
    const items = rows.map(toMessage);
    return found.length > taken.length
      ? { items, nextCursor: encodeMessageCursor(oldest.position) }
      : { items };
  }

  async history(conversationId: string, bounds: HistoryBounds): Promise<HistoryEntry[]> {
    const { exchanges: limit, maxBytes } = bounds;
    const runs = await this.#engine.run((db) =>
      this.#exchanges(db, { conversationId, limit, maxBytes }),
    );
    return runs.reverse().flatMap(({ message, text }): HistoryEntry[] => [
      { role: "human", text: message },
      { role: "ai", text: text ?? "" },
    ]);
  }
}

interface ExchangesValues {
  readonly conversationId: string;
  readonly limit: number;
  readonly maxBytes: number;
}

/** The newest first, as far as their texts come to no more than `maxBytes` together. */
function selectExchanges(db: Kysely<Schema>, { conversationId, limit, maxBytes }: ExchangesValues) {
  const newest = db
    .selectFrom("runs")
    .select(["message", "text", "end_seq"])
    .where("conversation_id", "=", conversationId)
    .where("status", "<>", running)
    .where("text", "<>", "")
    .orderBy("end_seq", "desc")
    .limit(limit);
  const summed = db
    .selectFrom(newest.as("newest"))
    .select(["message", "text", "end_seq"])
    .select(
      sql<number>`sum(octet_length(message) + octet_length(text)) over (order by end_seq desc)`.as(
        "bytes",
      ),
    );
  return db
    .selectFrom(summed.as("summed"))
    .select(["message", "text"])
    .where("bytes", "<=", maxBytes)
    .orderBy("end_seq", "desc");
}
