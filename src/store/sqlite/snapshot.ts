/**
 * Copies a database that is in use: as it was at one moment, with nothing of what was deleted before.
 * In a thread of its own, which reads beside the one that serves and keeps it from nothing.
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";

export interface SnapshotPaths {
  readonly from: string;
  /** A file that is not there yet. */
  readonly to: string;
}

/** @throws what SQLite throws, and then there may be a part of the file */
export async function writeSnapshot(paths: SnapshotPaths): Promise<void> {
  const file = new URL(`./snapshot-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: paths, name: "snapshot" });
  await new Promise<void>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
}
