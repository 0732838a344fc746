/** What was said in a conversation: pages for people, and the memory of a bot. */
import type { Kysely } from "kysely";
import type { Message } from "../protocol/conversations.ts";
import { decodeMessageCursor, encodeMessageCursor } from "./cursor.ts";
import type { Engine } from "./engine.ts";
import { toMessage } from "./rows.ts";
import { running, type Schema } from "./schema.ts";
import type { HistoryEntry, Page, PageRequest } from "./store.ts";

export class Messages {
  readonly #engine: Engine;
  readonly #exchanges;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#exchanges = engine.prepare(selectExchanges);
  }

  async page(conversationId: string, { cursor, limit }: PageRequest): Promise<Page<Message>> {
    const before = cursor === undefined ? undefined : decodeMessageCursor(cursor);
    const rows = await this.#engine.run((db) => {
      let query = db
        .selectFrom("messages")
        .selectAll()
        .where("conversation_id", "=", conversationId)
        .orderBy("position", "desc")
        .limit(limit + 1);
      if (before !== undefined) query = query.where("position", "<", before);
      return query.execute();
    });
    const items = rows.slice(0, limit).map(toMessage).reverse();
    const oldest = items[0];
    return rows.length > limit && oldest !== undefined
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
