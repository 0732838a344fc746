/** What was said in a conversation: pages for people, and the memory of a bot. */
import type { Kysely } from "kysely";
import type { Message } from "../../protocol/conversations.ts";
import type { Engine } from "../engine.ts";
import { toMessage } from "../rows.ts";
import { running, type Schema } from "../schema.ts";
import type { HistoryEntry, Page, PageRequest } from "../store.ts";
import { decodeMessageCursor, encodeMessageCursor } from "./cursor.ts";
import { fitting } from "./fitting.ts";

/** Of a page's texts. The first one comes whatever its size. */
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

  async history(conversationId: string, exchanges: number): Promise<HistoryEntry[]> {
    const runs = await this.#engine.run((db) =>
      this.#exchanges(db, { conversationId, limit: exchanges }),
    );
    return runs.reverse().flatMap(({ message, text }): HistoryEntry[] => [
      { role: "human", text: message },
      { role: "ai", text: text ?? "" },
    ]);
  }
}

function selectExchanges(
  db: Kysely<Schema>,
  { conversationId, limit }: { readonly conversationId: string; readonly limit: number },
) {
  return db
    .selectFrom("runs")
    .select(["message", "text"])
    .where("conversation_id", "=", conversationId)
    .where("status", "<>", running)
    .where("text", "<>", "")
    .orderBy("end_seq", "desc")
    .limit(limit);
}
