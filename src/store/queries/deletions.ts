/**
 * Deleting what deleted conversations had. Their runs go some at a time; messages and archives end with
 * their run, by the database's own cascade. Nothing is added meanwhile: no run begins without a member.
 */
import { type ExpressionBuilder, sql } from "kysely";
import type { Deletions } from "../deletions.ts";
import type { Engine } from "../engine.ts";
import type { Schema } from "../schema.ts";
import { bytesOf, fitting } from "./fitting.ts";
import { deleteInPieces, pieceSize } from "./pieces.ts";

export class StoredDeletions implements Deletions {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async unfinished(): Promise<string[]> {
    const rows = await this.#engine.run((db) =>
      db.selectFrom("pending_deletions").select("conversation_id").execute(),
    );
    return rows.map(({ conversation_id }) => conversation_id);
  }

  async finish(conversationId: string, signal?: AbortSignal): Promise<void> {
    await deleteInPieces(() => this.#deleteSome(conversationId), signal);
    signal?.throwIfAborted();
    await this.#engine.run((db) =>
      db.deleteFrom("pending_deletions").where("conversation_id", "=", conversationId).execute(),
    );
  }

  async #deleteSome(conversationId: string): Promise<number> {
    const found = await this.#engine.run((db) =>
      db
        .selectFrom("runs as r")
        // One that is not listed is not deleted, whoever asks.
        .innerJoin("pending_deletions as d", "d.conversation_id", "r.conversation_id")
        .select((eb) => ["r.run_id", bytesOfRun(eb).as("bytes")])
        .where("r.conversation_id", "=", conversationId)
        .orderBy("r.first_seq")
        .limit(pieceSize.rows)
        .execute(),
    );
    const runIds = fitting(found, pieceSize.maxBytes).map(({ run_id }) => run_id);
    if (runIds.length === 0) return 0;
    await this.#engine.run((db) => db.deleteFrom("runs").where("run_id", "in", runIds).execute());
    return runIds.length;
  }
}

/** With its messages and its archive. */
function bytesOfRun({ selectFrom }: ExpressionBuilder<Schema & { r: Schema["runs"] }, "r">) {
  const messages = selectFrom("run_messages as m")
    .select(sql<number>`sum(${bytesOf("m.parts", "m.model_messages")})`.as("bytes"))
    .whereRef("m.run_id", "=", "r.run_id");
  const archives = selectFrom("run_archives as a")
    .select(sql<number>`sum(${bytesOf("a.events")})`.as("bytes"))
    .whereRef("a.run_id", "=", "r.run_id");
  const own = bytesOf("r.message", "r.input", "r.text", "r.output", "r.usage", "r.error");
  return sql<number>`${own} + coalesce(${messages}, 0) + coalesce(${archives}, 0)`;
}
