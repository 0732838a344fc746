/** What was said in a conversation: pages for people, and the memory of a bot. */
import { type Kysely, sql } from "kysely";
import type { Message } from "../../../protocol/conversations.ts";
import type { Engine } from "../../engine.ts";
import { toMessages } from "../../rows.ts";
import { running, type Schema } from "../../schema.ts";
import type { HistoryBounds, HistoryEntry, Page, PageRequest } from "../../store.ts";
import { isKept } from "../conversation-queries.ts";
import { decodeMessageCursor, encodeMessageCursor } from "../cursor.ts";
import { bytesOf, fitting } from "../fitting.ts";
import { measuredMessages, selectExchanges } from "./select-messages.ts";

/** Limit of a page's texts, parts and outputs together. The first message comes whatever its size. */
const pageMaxBytes = 1024 * 1024;
/** Higher than any message's. */
const noPosition = Number.MAX_SAFE_INTEGER;

export class Messages {
  readonly #engine: Engine;
  readonly #measured;
  readonly #exchanges;
  readonly #remembered;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#measured = engine.prepare(measuredMessages);
    this.#exchanges = engine.prepare(selectExchanges);
    this.#remembered = engine.prepare(selectRemembered);
  }

  async page(conversationId: string, { cursor, limit }: PageRequest): Promise<Page<Message>> {
    const before = cursor === undefined ? noPosition : decodeMessageCursor(cursor);
    const found = await this.#engine.run((db) =>
      this.#measured(db, { conversationId, before, count: limit + 1 }),
    );
    const taken = fitting(found.slice(0, limit), pageMaxBytes);
    const newest = taken[0];
    const oldest = taken.at(-1);
    if (newest === undefined || oldest === undefined) return { items: [] };
    const runs = await this.#engine.run((db) =>
      this.#exchanges(db, {
        conversationId,
        firstRun: oldest.run_position,
        lastRun: newest.run_position,
        to: newest.position,
      }),
    );
    // What was said in between stands after the newest, so these are the ones that were measured.
    const items = runs
      .flatMap(toMessages)
      .filter(({ position }) => position >= oldest.position && position <= newest.position);
    return found.length > taken.length
      ? { items, nextCursor: encodeMessageCursor(oldest.position) }
      : { items };
  }

  async history(conversationId: string, bounds: HistoryBounds): Promise<HistoryEntry[]> {
    const { exchanges: limit, maxBytes, maxModelBytes = maxBytes } = bounds;
    const runs = await this.#engine.run((db) =>
      this.#remembered(db, { conversationId, limit, maxBytes, maxModelBytes }),
    );
    return runs.reverse().flatMap(({ message, text, model_messages }): HistoryEntry[] => [
      { role: "human", text: message },
      {
        role: "ai",
        text: text ?? "",
        ...(model_messages !== null && { modelMessages: model_messages }),
      },
    ]);
  }
}

interface RememberedValues {
  readonly conversationId: string;
  readonly limit: number;
  readonly maxBytes: number;
  readonly maxModelBytes: number;
}

/** The newest first, as far as their texts come to no more than `maxBytes` together. */
function selectRemembered(db: Kysely<Schema>, values: RememberedValues) {
  const { conversationId, limit, maxBytes, maxModelBytes } = values;
  const newest = db
    .selectFrom("runs as r")
    .leftJoin("run_messages as a", (join) =>
      join.onRef("a.run_id", "=", "r.run_id").on("a.role", "=", sql.lit("ai" as const)),
    )
    .select(["r.message", "r.text", "r.end_seq", "a.model_messages"])
    .where("r.conversation_id", "=", conversationId)
    .where(isKept(conversationId))
    .where("r.status", "<>", running)
    .where(({ or, eb }) => or([eb("r.text", "<>", ""), eb("a.model_messages", "is not", null)]))
    .orderBy("r.end_seq", "desc")
    .limit(limit);
  const summed = db
    .selectFrom(newest.as("newest"))
    .select(["message", "text", "end_seq", "model_messages"])
    .select([
      sql<number>`sum(${bytesOf("message", "text")}) over (order by end_seq desc)`.as("bytes"),
      sql<number>`sum(${bytesOf("model_messages")}) over (order by end_seq desc)`.as("model_bytes"),
    ]);
  return db
    .selectFrom(summed.as("summed"))
    .select(["message", "text"])
    .select(({ case: when, ref }) =>
      when()
        .when("model_bytes", "<=", maxModelBytes)
        .then(ref("model_messages"))
        .end()
        .as("model_messages"),
    )
    .where("bytes", "<=", maxBytes)
    .orderBy("end_seq", "desc");
}
