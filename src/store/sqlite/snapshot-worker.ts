/** The thread of `writeSnapshot`. It ends when the copy is written, or throws. */
import { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import type { SnapshotPaths } from "./snapshot.ts";

const { from, to } = workerData as SnapshotPaths;
using database = new DatabaseSync(from, { readOnly: true });
database.prepare("vacuum into ?").run(to);
