/**
 * Moves what is in SQLite's write-ahead log into the database file, from a thread of its own: a
 * checkpoint waits for the disk, and the thread that serves must not. It also bounds what a power
 * cut can take, since commits don't wait for the disk either.
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";

export interface CheckpointSettings {
  /** The database's file. */
  readonly path: string;
  readonly intervalMs: number;
}

/** Does not keep the process alive. Disposing leaves the write-ahead log empty. */
export class Checkpoints implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;

  constructor(settings: CheckpointSettings) {
    // Compiled, this file and the worker's are JavaScript.
    const file = new URL(`./checkpoint-worker${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(file, { workerData: settings, name: "checkpoints" });
    this.#worker.unref();
    this.#ended = new Promise((resolve) => this.#worker.once("exit", () => resolve()));
    // Without the thread, the serving connection's own automatic checkpoints do its work.
    this.#worker.once("error", () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.ref();
    this.#worker.postMessage("close");
    await this.#ended;
  }
}
