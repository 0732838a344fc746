/** The thread of `Checkpoints`. Any message ends it, after one last checkpoint. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { CheckpointSettings } from "./checkpoints.ts";

const { path, intervalMs } = workerData as CheckpointSettings;
const database = new DatabaseSync(path, { timeout: 0 });

/**
 * A passive checkpoint waits for nobody, blocks nobody, and does nothing when nothing was written. It
 * fails when the disk does; then writes fail too, on their own connection, and the next
 * turn tries again.
 */
function checkpoint(mode: "passive" | "truncate"): void {
  try {
    database.exec(`pragma wal_checkpoint(${mode})`);
  } catch {}
}

const timer = setInterval(() => checkpoint("passive"), intervalMs);

parentPort?.once("message", () => {
  clearInterval(timer);
  checkpoint("truncate");
  database.close();
});
