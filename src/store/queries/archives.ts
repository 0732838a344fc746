/** What is kept of runs' events: reading it and deleting it. finish.ts writes it. */
import { sql } from "kysely";
import type { ArchivedEvents, ArchiveSegment, Archives } from "../archives.ts";
import type { Engine } from "../engine.ts";
import { noArchiveBytes } from "../schema.ts";
import { isKept } from "./conversation-queries.ts";
import { bytesOf, fitting } from "./fitting.ts";
import { deleteInPieces, pieceSize } from "./pieces.ts";

export class StoredArchives implements Archives {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async get(runId: string): Promise<ArchiveSegment[]> {
    return await this.#engine.run((db) =>
      db
        .selectFrom("run_archives as a")
        .innerJoin("runs as r", "r.run_id", "a.run_id")
        .select(["a.first_seq as firstSeq", "a.last_seq as lastSeq"])
        .select(["a.raw_bytes as rawBytes", "a.events"])
        .where("a.run_id", "=", runId)
        .where("a.raw_bytes", "<>", noArchiveBytes)
        .where(isKept(sql.ref("r.conversation_id")))
        .orderBy("a.segment")
        .execute(),
    );
  }

  async since(endedAt: string): Promise<ArchivedEvents[]> {
    return await this.#engine.run((db) =>
      db
        .selectFrom("run_archives as a")
        .innerJoin("runs as r", "r.run_id", "a.run_id")
        .select([
          "r.conversation_id as conversationId",
          "a.first_seq as firstSeq",
          "a.last_seq as lastSeq",
        ])
        .where("a.ended_at", ">=", endedAt)
        .where("a.raw_bytes", "<>", noArchiveBytes)
        .where(isKept(sql.ref("r.conversation_id")))
        .execute(),
    );
  }

  async prune(before: string, signal?: AbortSignal): Promise<number> {
    return await deleteInPieces(() => this.#pruneSome(before), signal);
  }

  async #pruneSome(before: string): Promise<number> {
    const found = await this.#engine.run((db) =>
      db
        .selectFrom("run_archives")
        .select(["run_id", bytesOf("events").as("bytes")])
        .where("ended_at", "<", before)
        .orderBy("ended_at")
        .limit(pieceSize.rows)
        .execute(),
    );
    const runIds = new Set(fitting(found, pieceSize.maxBytes).map(({ run_id }) => run_id));
    if (runIds.size === 0) return 0;
    await this.#engine.run((db) =>
      db
        .deleteFrom("run_archives")
        .where("run_id", "in", [...runIds])
        .where("ended_at", "<", before)
        .execute(),
    );
    return runIds.size;
  }
}
