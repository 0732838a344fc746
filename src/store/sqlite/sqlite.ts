/** The store in one SQLite file. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Kysely } from "kysely";
import { Engine } from "../engine.ts";
import { isBusy, sqliteFailure } from "../errors.ts";
import { migrate } from "../migrations.ts";
import type { Schema } from "../schema.ts";
import type { Store } from "../store.ts";
import { storeOn } from "../store-on.ts";
import { BusyTimeout } from "./busy-timeout.ts";
import { Checkpoints } from "./checkpoints.ts";
import { isReplaced, markDatabase, setAsideForeignWal } from "./foreign-wal.ts";
import { GroupCommit } from "./group-commit.ts";
import { DatabaseSync } from "./node-sqlite.ts";
import { goOnFarAhead, highestNumber, skippedNumbers } from "./skipped-numbers.ts";
import { writeSnapshot } from "./snapshot.ts";
import { NodeSqliteDialect } from "./sqlite-dialect.ts";

export interface SqliteStore extends Store {
  /**
   * The one connection. Others may run single statements on it, at any time when
   * `database.isTransaction` is false; the store is never inside a transaction for longer than the
   * microtasks of one turn of the event loop. It closes with the store.
   */
  readonly database: DatabaseSync;
  /** Writes the database, as it is at one moment, into a file that is not there yet. */
  snapshot(to: string): Promise<void>;
}

export interface SqliteStoreOptions {
  /** A file, made with its folder when missing, or `:memory:`. */
  readonly path: string;
  /** Set by who has locked the file's folder: nobody else has the file open, in this process either. */
  readonly sole?: {
    /** A write-ahead log of another database lay beside the file, and was moved. */
    readonly onForeignWal: (movedTo: string) => void;
  };
}

/** Another process may be opening the same file, and migrating it. */
const openTimeoutMs = 5_000;
const openRetryMs = 20;
const checkpointIntervalMs = 250;
/**
 * The write-ahead log starts over when a checkpoint has caught up with it, which the other thread
 * never does while there is always something being written. Past this size (64 MiB in pages of
 * 4 KiB) the serving thread does the rest itself, and waits for the disk once.
 */
const maxLogPages = 16_384;

/** @throws LangwireError STORE_UNAVAILABLE */
export async function openSqliteStore({ path, sole }: SqliteStoreOptions): Promise<SqliteStore> {
  let database: DatabaseSync | undefined;
  try {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
    const foreignWal = sole && setAsideForeignWal(path);
    if (foreignWal !== undefined) sole?.onForeignWal(foreignWal);
    const isBackup = sole !== undefined && isReplaced(path);
    database = new DatabaseSync(path, { timeout: openTimeoutMs });
    const mode = await configure(database);
    let lock: BusyTimeout | undefined;
    const onFailure = (error: unknown) => lock?.failed(error);
    const kysely = new Kysely<Schema>({ dialect: new NodeSqliteDialect(database, onFailure) });
    await migrate(kysely);
    lock = new BusyTimeout(database);
    // What was given out since it was made, readers hold as their positions.
    if (isBackup) goOnFarAhead(database, highestNumber(database));
    cutOffWal(database);
    if (sole && mode === "wal") markDatabase(database, path);
    return storeIn(database, {
      path,
      engine: new Engine({
        db: kysely,
        failure: sqliteFailure,
        runner: new GroupCommit(kysely),
      }),
      checkpoints:
        mode === "wal" ? new Checkpoints({ path, intervalMs: checkpointIntervalMs }) : undefined,
    });
  } catch (error) {
    database?.close();
    throw sqliteFailure(error);
  }
}

function storeIn(
  database: DatabaseSync,
  options: { path: string; engine: Engine; checkpoints: Checkpoints | undefined },
): SqliteStore {
  const { path, engine, checkpoints } = options;
  return {
    ...storeOn(engine, skippedNumbers(database)),
    database,
    snapshot: (to) => writeSnapshot({ from: path, to }),
    async [Symbol.asyncDispose]() {
      await checkpoints?.[Symbol.asyncDispose]();
      if (database.isOpen) database.close();
    },
  };
}

/** A process that was killed leaves its write-ahead log, with what was deleted since. */
function cutOffWal(database: DatabaseSync): void {
  try {
    database.exec("pragma wal_checkpoint(truncate)");
  } catch {
    // A disk that takes nothing shows at the next write.
  }
}

/** @returns the journal mode: `wal`, unless the file system or `:memory:` cannot have it */
async function configure(database: DatabaseSync): Promise<unknown> {
  const mode = await switchToWal(database);
  // Commits don't wait for the disk; a power cut may take the newest, but leaves the file whole.
  database.exec("pragma synchronous = normal");
  database.exec("pragma foreign_keys = on");
  // What is deleted is written over, not only unlinked.
  database.exec("pragma secure_delete = on");
  database.exec(`pragma wal_autocheckpoint = ${maxLogPages}`);
  return mode;
}

/** Two processes that switch a new file at once lock each other out, which SQLite ends at once. */
async function switchToWal(database: DatabaseSync): Promise<unknown> {
  const giveUpAt = performance.now() + openTimeoutMs;
  for (;;) {
    try {
      return database.prepare("pragma journal_mode = wal").get()?.journal_mode;
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
      await delay(openRetryMs);
    }
  }
}
