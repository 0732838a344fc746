/** What is kept of runs' events: reading it and deleting it. finish.ts writes it. */
import { setImmediate } from "node:timers/promises";
import type { ArchivedEvents, ArchiveSegment, Archives } from "../archives.ts";
import type { Engine } from "../engine.ts";
import { noArchiveBytes } from "../schema.ts";
import { bytesOf, fitting } from "./fitting.ts";

/** How much is deleted in one statement: on SQLite it keeps the thread, and writes over what it deletes. */
const batch = { segments: 50, maxBytes: 1024 * 1024 };

export class StoredArchives implements Archives {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async get(runId: string): Promise<ArchiveSegment[]> {
    return await this.#engine.run((db) =>
      db
        .selectFrom("run_archives")
        .select(["first_seq as firstSeq", "last_seq as lastSeq", "raw_bytes as rawBytes", "events"])
        .where("run_id", "=", runId)
        .where("raw_bytes", "<>", noArchiveBytes)
        .orderBy("segment")
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
        .execute(),
    );
  }

  async prune(before: string, signal?: AbortSignal): Promise<number> {
    for (let pruned = 0; ; ) {
      const deleted = await this.#pruneSome(before);
      pruned += deleted;
      if (deleted === 0 || signal?.aborted) return pruned;
      await setImmediate();
    }
  }

  async #pruneSome(before: string): Promise<number> {
    const found = await this.#engine.run((db) =>
      db
        .selectFrom("run_archives")
        .select(["run_id", bytesOf("events").as("bytes")])
        .where("ended_at", "<", before)
        .orderBy("ended_at")
        .limit(batch.segments)
        .execute(),
    );
    const runIds = new Set(fitting(found, batch.maxBytes).map(({ run_id }) => run_id));
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
