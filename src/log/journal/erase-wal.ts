/**
 * What was deleted leaves a SQLite file with `pragma secure_delete`, which writes zeros over it. It is
 * still in the write-ahead log, whose old part stays in its file until it happens to be written over.
 */
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

/** Another thread's checkpoint is under way, or somebody's transaction. */
const retryMs = 20;
const retryForMs = 10_000;

/**
 * Moves the write-ahead log into the database's file and cuts it off. Waits for the disk, once.
 * @returns settles when nothing that was deleted before is in its file
 * @throws Error when others kept it from that for too long; what SQLite throws
 */
export async function eraseWal(database: DatabaseSync): Promise<void> {
  const giveUpAtMs = performance.now() + retryForMs;
  while (database.isOpen) {
    if (!database.isTransaction && isCutOff(database)) return;
    if (performance.now() > giveUpAtMs)
      throw new Error("The write-ahead log could not be cut off.");
    await delay(retryMs);
  }
}

function isCutOff(database: DatabaseSync): boolean {
  return database.prepare("pragma wal_checkpoint(truncate)").get()?.busy === 0;
}
