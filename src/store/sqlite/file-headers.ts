/**
 * What the first bytes of SQLite's files say, read past SQLite: opening them would play the write-ahead
 * log into the database. Formats: https://sqlite.org/fileformat2.html.
 */
import { closeSync, openSync, readSync } from "node:fs";

export interface DatabaseHeader {
  /** The schema cookie, which grows by one with each change of the schema. */
  readonly schemaVersion: number;
  readonly isInWalMode: boolean;
}

export interface WalHeader {
  /**
   * The same for each log that one connection begins after another: it counts both the checkpoint's number
   * and the first salt up by one, and only the first of them begins at random.
   */
  readonly lineage: number;
  readonly pageBytes: number;
  readonly salts: Buffer;
}

const magic = "SQLite format 3\0";
const databaseHeaderBytes = 100;
const walMagics = [0x377f0682, 0x377f0683];
const walHeaderBytes = 32;
const frameHeaderBytes = 24;
const schemaVersionAt = 40;

/**
 * To be read before any connection of this process is open: closing a file ends all locks that the process
 * has on it.
 * @returns undefined for no file, and for one that is no database
 */
export function readDatabaseHeader(path: string): DatabaseHeader | undefined {
  const header = readStart(path, databaseHeaderBytes);
  if (header?.toString("latin1", 0, magic.length) !== magic) return undefined;
  return { schemaVersion: header.readUInt32BE(schemaVersionAt), isInWalMode: header[19] === 2 };
}

/** @returns undefined for no file, and for one that holds nothing that SQLite would read */
export function readWalHeader(path: string): WalHeader | undefined {
  const header = readStart(path, walHeaderBytes);
  if (header === undefined || !walMagics.includes(header.readUInt32BE(0))) return undefined;
  return {
    lineage: (header.readUInt32BE(16) - header.readUInt32BE(12)) >>> 0,
    pageBytes: header.readUInt32BE(8),
    salts: header.subarray(16, 24),
  };
}

/** The schema versions in the log: of each of its copies of the database's first page. */
export function* schemaVersionsIn(walPath: string, header: WalHeader): Generator<number> {
  const file = openSync(walPath, "r");
  try {
    const frame = Buffer.alloc(frameHeaderBytes + schemaVersionAt + 4);
    for (let at = walHeaderBytes; ; at += frameHeaderBytes + header.pageBytes) {
      if (readSync(file, frame, 0, frame.length, at) < frame.length) return;
      // Behind the newest frame lie those of an earlier log.
      if (!frame.subarray(8, 16).equals(header.salts)) return;
      if (frame.readUInt32BE(0) === 1) yield frame.readUInt32BE(frameHeaderBytes + schemaVersionAt);
    }
  } finally {
    closeSync(file);
  }
}

function readStart(path: string, bytes: number): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    // Not there; or not to be read, which SQLite has words for.
    return undefined;
  }
  try {
    const start = Buffer.alloc(bytes);
    return readSync(file, start, 0, bytes, 0) === bytes ? start : undefined;
  } finally {
    closeSync(file);
  }
}
