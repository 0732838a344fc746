/**
 * What was deleted leaves a SQLite file with `pragma secure_delete`, which writes zeros over it. It is
 * still in the write-ahead log, whose old part stays in its file until it happens to be written over.
 */
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { backoffMs } from "../../time/backoff.ts";

/**
 * Another thread's checkpoint is under way, or a backup is being read, which takes longer. Each try holds
 * this thread for the connection's busy timeout, so there must not be many.
 */
const backoff = { firstMs: 20, maxMs: 1_000 };
const retryForMs = 60_000;

/**
 * Moves the write-ahead log into the database's file and cuts it off. Waits for the disk, once.
 * @returns settles when nothing that was deleted before is in its file
 * @throws Error when others kept it from that for too long; what SQLite throws
 */
export async function eraseWal(database: DatabaseSync): Promise<void> {
  const giveUpAtMs = performance.now() + retryForMs;
  for (let failures = 0; database.isOpen; failures++) {
    if (!database.isTransaction && isCutOff(database)) return;
    if (performance.now() > giveUpAtMs)
      throw new Error("The write-ahead log could not be cut off.");
    await delay(backoffMs(failures, backoff), undefined, { ref: false });
  }
}

function isCutOff(database: DatabaseSync): boolean {
  return database.prepare("pragma wal_checkpoint(truncate)").get()?.busy === 0;
}
