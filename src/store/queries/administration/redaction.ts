/** Emptying what a user has sent: its place in the conversation stays. */
import type { Kysely } from "kysely";
import type { Engine } from "../../engine.ts";
import { noArchiveBytes, running, type Schema } from "../../schema.ts";
import { bytesOf, fitting } from "../fitting.ts";
import { deleteInPieces, pieceSize } from "../pieces.ts";
import { titleOf } from "../text.ts";
import { allSenders } from "./paged.ts";

/** @returns the runs whose archived events went with it */
export async function redactRun(engine: Engine, runId: string): Promise<readonly string[]> {
  // They may be of any size; the transaction finds what has come since, and none is left behind a run
  // that is emptied already, which nobody would look for again.
  const before: string[] = [];
  await deleteInPieces(async () => {
    const piece = await engine.run((db) => laterArchives(db, runId));
    if (piece.length > 0) {
      await engine.run((db) =>
        db.deleteFrom("run_archives").where("run_id", "in", piece).execute(),
      );
    }
    before.push(...piece);
    return piece.length;
  });
  const since = await engine.transaction(async (db) => {
    const run = await db
      .selectFrom("runs")
      .select(["conversation_id", "message", "first_seq"])
      .where("run_id", "=", runId)
      .where("status", "<>", running)
      .executeTakeFirst();
    if (run === undefined) return undefined;
    await empty(db, runId);
    await db
      .updateTable("conversations")
      .set({ title: "" })
      .where("conversation_id", "=", run.conversation_id)
      .where("title", "=", titleOf(run.message))
      .execute();
    const later = await unarchiveLater(db, run);
    await refuseArchiveOfRunning(db, run.conversation_id);
    return later;
  });
  return since === undefined ? before : [runId, ...before, ...since];
}

/** The next piece of them. What `refuseArchiveOfRunning` has put there stays. */
async function laterArchives(db: Kysely<Schema>, runId: string): Promise<string[]> {
  const found = await db
    .selectFrom("runs as given")
    .innerJoin("runs as r", "r.conversation_id", "given.conversation_id")
    .innerJoin("run_archives as a", "a.run_id", "r.run_id")
    .select(["r.run_id", bytesOf("a.events").as("bytes")])
    .where("given.run_id", "=", runId)
    .where("given.status", "<>", running)
    .whereRef("r.first_seq", ">", "given.first_seq")
    .where("a.raw_bytes", "<>", noArchiveBytes)
    .orderBy("r.first_seq")
    .limit(pieceSize.rows)
    .execute();
  return fitting(found, pieceSize.maxBytes).map(({ run_id }) => run_id);
}

/** What came after it in the conversation was made with it: the events have it in what models were given. */
async function unarchiveLater(
  db: Kysely<Schema>,
  { conversation_id, first_seq }: { conversation_id: string; first_seq: number },
): Promise<string[]> {
  const later = await db
    .selectFrom("runs")
    .innerJoin("run_archives", "run_archives.run_id", "runs.run_id")
    .select("runs.run_id")
    .where("runs.conversation_id", "=", conversation_id)
    .where("runs.first_seq", ">", first_seq)
    .execute();
  const ids = later.map(({ run_id }) => run_id);
  if (ids.length > 0) await db.deleteFrom("run_archives").where("run_id", "in", ids).execute();
  return ids;
}

/**
 * Keeps from being stored what the ending of a run in progress brings, which was given what was said before
 * as well: `insertArchive` leaves alone what is there.
 */
async function refuseArchiveOfRunning(db: Kysely<Schema>, conversationId: string): Promise<void> {
  const live = await db
    .selectFrom("runs")
    .select(["run_id", "first_seq"])
    .where("conversation_id", "=", conversationId)
    .where("status", "=", running)
    .executeTakeFirst();
  if (live === undefined) return;
  await db
    .insertInto("run_archives")
    .values({
      ...{ run_id: live.run_id, segment: 0, raw_bytes: noArchiveBytes },
      ...{ first_seq: live.first_seq, last_seq: live.first_seq },
      ended_at: new Date().toISOString(),
      events: new Uint8Array(),
    })
    .execute();
}

/** By the primary key, so that no page costs more for how many there are, or how few match. */
export async function redactLeftovers(engine: Engine, userId: string): Promise<void> {
  await engine.run((db) =>
    db
      .updateTable("conversations")
      .set({ owner_id: "" })
      .where("owner_id", "=", userId)
      .where("deleted_at", "is not", null)
      .execute(),
  );
  for await (const { run_id, user_id } of allSenders(engine)) {
    if (user_id === "") await engine.transaction(async (db) => empty(db, run_id));
  }
}

async function empty(db: Kysely<Schema>, runId: string): Promise<true> {
  await db
    .updateTable("runs")
    .set({ user_id: "", message: "", text: "", input: null, output: null })
    .where("run_id", "=", runId)
    .execute();
  await db
    .updateTable("run_messages")
    .set({ parts: null, model_messages: null })
    .where("run_id", "=", runId)
    .execute();
  await db.deleteFrom("run_archives").where("run_id", "=", runId).execute();
  return true;
}
