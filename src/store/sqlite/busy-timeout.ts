/**
 * How long a statement waits where another process holds the database's lock. SQLite waits by holding the
 * thread, and with it every run and socket; two hundred writes that each wait in vain hold it for ten seconds.
 * So one waits for all: once it has waited in vain, what comes in the next moment is refused at once.
 */
import type { DatabaseSync } from "node:sqlite";
import { isBusy } from "../errors.ts";

const busyTimeoutMs = 50;
/** The thread is everybody's for two thirds of the time, whatever is asked of the database. */
const refusedForMs = 100;

export class BusyTimeout {
  readonly #database: DatabaseSync;
  #isRefusing = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#set(busyTimeoutMs);
  }

  /** Told what a statement has thrown. */
  readonly failed = (error: unknown): void => {
    if (this.#isRefusing || !isBusy(error)) return;
    this.#isRefusing = true;
    this.#set(0);
    setTimeout(() => {
      this.#isRefusing = false;
      if (this.#database.isOpen) this.#set(busyTimeoutMs);
    }, refusedForMs).unref();
  };

  #set(ms: number): void {
    this.#database.exec(`pragma busy_timeout = ${ms}`);
  }
}
