/** Puts a backup of a data folder's database into a folder that no server uses. */
import { constants, copyFile, mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { firstMigration } from "../store/migrations.ts";
import { noteOf } from "../store/sqlite/foreign-wal.ts";
import { DatabaseSync } from "../store/sqlite/node-sqlite.ts";
import { highestNumber, skipNumbers } from "../store/sqlite/skipped-numbers.ts";
import { lockFolder } from "./folder-lock.ts";
import { openLangwire } from "./open-langwire.ts";
import { databaseFile } from "./open-storage.ts";
import { fileFailure, storageFailure } from "./storage-failure.ts";

export interface RestoreOptions {
  /** As `backup` wrote it, or another whole copy of `langwire.sqlite`. */
  readonly backup: string;
  readonly dataDir: string;
  /** Whether a database that is there is replaced. */
  readonly overwrite: boolean;
}

const pollMs = 50;

/**
 * Runs that were in progress in the backup end, with what was answered so far. Until all of it is ready
 * beside its place, the folder is as it was.
 * @throws LangwireError STORE_UNAVAILABLE, with the reason as its cause's message: a server uses the
 *   folder, a database is there, the backup is none or damaged
 */
export async function restoreBackup({ backup, dataDir, overwrite }: RestoreOptions): Promise<void> {
  using _lock = await lockFolder(dataDir);
  const path = join(dataDir, databaseFile);
  const isReplaced = await exists(path);
  if (isReplaced && !overwrite) {
    throw storageFailure(`${path} is there: --overwrite replaces it`, undefined);
  }
  const folder = `${path}-restoring`;
  const prepared = join(folder, databaseFile);
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await copyFile(backup, prepared, constants.COPYFILE_FICLONE);
    checkBackup(prepared, backup);
    await endRuns(folder);
    const highest = isReplaced ? closeCleanly(path) : 0;
    goOnBehind(highest, prepared);
    // Of a database that is gone, or could not be closed: it would be played into the backup.
    for (const file of [`${path}-wal`, `${path}-shm`, noteOf(path)])
      await rm(file, { force: true });
    await rename(prepared, path);
  } catch (error) {
    throw fileFailure(error, { path: backup, loss: "all conversations" });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** As a start does. */
async function endRuns(dataDir: string): Promise<void> {
  await using langwire = await openLangwire({ bots: [], dataDir, containStrayErrors: false });
  while ((await langwire.store.runs.unfinished()).length > 0) await delay(pollMs);
}

/** @param highest number that the database before it had */
function goOnBehind(highest: number, path: string): void {
  using database = new DatabaseSync(path);
  // In one file, to be moved.
  database.exec("pragma secure_delete = on; pragma journal_mode = delete");
  skipNumbers(database, Math.max(highest, highestNumber(database)));
  // Their numbers are not the store's any more, which tells how those runs ended.
  database.exec("delete from journal");
}

/** @throws LangwireError STORE_UNAVAILABLE, what SQLite throws */
function checkBackup(prepared: string, backup: string): void {
  using database = new DatabaseSync(prepared);
  const isOurs = database
    .prepare("select 1 from sqlite_master where type = 'table' and name = 'kysely_migration'")
    .get();
  const first = isOurs && database.prepare("select 1 from kysely_migration where name = ?");
  if (first?.get(firstMigration) === undefined) {
    throw storageFailure(`${backup} is no backup of Langwire's database`, undefined);
  }
  const { quick_check: found } = database.prepare("pragma quick_check(1)").get() ?? {};
  if (found !== "ok") throw storageFailure(`${backup} is damaged (${found})`, undefined);
}

/**
 * Leaves the database as one file, without a log beside it.
 * @returns its highest number; 0 where it cannot be read any more
 */
function closeCleanly(path: string): number {
  try {
    using database = new DatabaseSync(path);
    database.exec("pragma journal_mode = delete");
    return highestNumber(database);
  } catch {
    return 0;
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
