/**
 * Notices a write-ahead log that lies beside another database than its own. A process that was killed
 * leaves its log, and SQLite plays whatever log it finds into the file beside it, also into a backup that
 * somebody has copied there meanwhile: which is then what was to be left behind, or damaged.
 *
 * So each start marks the database with a random schema version, and writes it down in a file beside
 * (`-mark`). Every way to copy a database that is in use changes the schema version (SQLite's backup sets a
 * small one), or the journal mode (`vacuum into`); a copy made between two starts has an earlier mark.
 *
 * What a killed process left must never be taken for another's. Order therefore: the new mark is written
 * down beside the old one, then given, then, when it has reached the file, it stands alone. Where it cannot
 * be said whose a log is, the start is refused.
 */
import { randomInt } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import {
  type DatabaseHeader,
  readDatabaseHeader,
  readWalHeader,
  schemaVersionsIn,
} from "./file-headers.ts";

/** Of the database that the last process had. */
const noteSchema = z.object({
  /** The schema versions that its file may have been given: one, unless a start was cut short. */
  marks: z.array(z.number()),
  /** Of its write-ahead logs. */
  lineage: z.number().optional(),
});
type Note = z.infer<typeof noteSchema>;

/** How far migrations, or an operator's `create index` and `vacuum`, may have counted a mark up. */
const schemaChanges = 10_000;
/** Far from what a database counts up to, and from the end of what SQLite takes. */
const [lowestMark, highestMark] = [2 ** 20, 2 ** 31 - 2 ** 20];

/** It cannot be said whose the log is. */
export class UnknownWal extends Error {
  override readonly name = "UnknownWal";
}

/**
 * To be called before the database is opened, by who has it alone.
 * @returns where a log of another database was moved to, if there was one
 * @throws UnknownWal
 */
export function setAsideForeignWal(path: string): string | undefined {
  const wal = `${path}-wal`;
  const database = readDatabaseHeader(path);
  switch (database === undefined ? "own" : ownerOf(wal, database, readNote(path))) {
    case "own":
      return undefined;
    case "unknown":
      throw new UnknownWal(
        `${path} is not the database that was here, and whether ${wal} belongs to it cannot be told: if it is a backup, move ${wal} away; if both were put here together, move ${noteOf(path)} away`,
      );
    case "foreign": {
      const aside = `${wal}-of-another-database-${new Date().toISOString().replaceAll(":", "")}`;
      renameSync(wal, aside);
      return aside;
    }
  }
}

/** Whether another database was put in the place of the last process's. To be called as the above. */
export function isReplaced(path: string): boolean {
  const [database, note] = [readDatabaseHeader(path), readNote(path)];
  if (database === undefined || note === undefined) return false;
  return !database.isInWalMode || !isCountedUp(note.marks, database.schemaVersion);
}

/** To be called by the connection that writes the database, before any other is open. */
export function markDatabase(database: DatabaseSync, path: string): void {
  const before = schemaVersionOf(database);
  const marks = new Set([...(readNote(path)?.marks ?? []), before]);
  const mark = randomInt(lowestMark, highestMark);
  try {
    writeNote(path, { marks: [...marks, mark] });
  } catch {
    // The mark stays that the note knows. A disk that takes nothing shows at the next write.
    return;
  }
  // It keeps whoever writes SQL from doing this; absent in older versions of Node.
  database.enableDefensive?.(false);
  database.exec(`pragma schema_version = ${mark}`);
  database.enableDefensive?.(true);
  const lineage = readWalHeader(`${path}-wal`)?.lineage;
  const { busy } = database.prepare("pragma wal_checkpoint(truncate)").get() ?? {};
  // Somebody reads an earlier state, which the file still has: the note names both.
  if (busy !== 0) return;
  try {
    writeNote(path, { marks: [mark], lineage });
  } catch {
    // Both are named.
  }
}

/** The file in which the mark is noted. */
export function noteOf(path: string): string {
  return `${path}-mark`;
}

function ownerOf(
  walPath: string,
  database: DatabaseHeader,
  note: Note | undefined,
): "own" | "foreign" | "unknown" {
  const wal = readWalHeader(walPath);
  if (wal === undefined) return "own";
  // A database is put into this mode before it has its first log, and out of it after its last one is gone.
  if (!database.isInWalMode) return "foreign";
  if (note === undefined || isCountedUp(note.marks, database.schemaVersion)) return "own";
  let isOfNote = wal.lineage === note.lineage;
  for (const version of schemaVersionsIn(walPath, wal)) {
    if (isCountedUp([database.schemaVersion], version)) return "own";
    isOfNote ||= isCountedUp(note.marks, version);
  }
  return isOfNote ? "foreign" : "unknown";
}

function isCountedUp(from: readonly number[], version: number): boolean {
  return from.some((mark) => version >= mark && version < mark + schemaChanges);
}

function schemaVersionOf(database: DatabaseSync): number {
  return Number(database.prepare("pragma schema_version").get()?.schema_version);
}

function readNote(path: string): Note | undefined {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(noteOf(path), "utf8")));
  } catch {
    // A folder of an earlier version; or somebody moved it away, as told.
    return undefined;
  }
}

/** Whole or not at all, and on the disk when this returns. */
function writeNote(path: string, note: Note): void {
  const temporary = `${noteOf(path)}-new`;
  writeFileSync(temporary, JSON.stringify(note), { flush: true });
  renameSync(temporary, noteOf(path));
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
