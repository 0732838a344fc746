/** Why a server's storage cannot be opened, and what its operator can do: in one line each. */
import { LangwireError } from "../protocol/errors.ts";
import { UnknownWal } from "../store/sqlite/foreign-wal.ts";

/** A file that SQLite keeps. */
export interface StorageFile {
  readonly path: string;
  /** What is gone with it. */
  readonly loss: string;
}

/** SQLite's primary result codes. */
const sqlite = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};
const lostConnection = /^(Connection terminated|timeout exceeded)/;
const laterVersion = /^corrupted migrations: previously executed migration .* is missing/;

/** @returns the error to throw instead; whatever has no better words is as it was */
export function fileFailure(error: unknown, file: StorageFile): unknown {
  const why = reasonOf(error, file);
  return why === undefined ? error : storageFailure(why, error);
}

/** A database that a later version has changed, and this one does not know. */
export function laterVersionFailure(error: unknown, name: string): unknown {
  const isLater = error instanceof Error && laterVersion.test(error.message);
  return isLater ? storageFailure(laterVersionReason(name), error) : error;
}

/**
 * @param silent which server it was that did not answer in time, where nothing else was said
 * @returns the error to throw instead of what opening Redis, or taking a place in it, threw
 */
export function redisFailure(error: unknown, silent: "Redis" | "Postgres"): unknown {
  const cause = innermost(error);
  if (cause instanceof LangwireError)
    return storageFailure(`${silent} does not answer in time`, error);
  return cause instanceof Error ? storageFailure(redisReason(cause.message), error) : error;
}

/** @returns the error to throw instead of what opening Postgres threw */
export function databaseFailure(error: unknown): unknown {
  const cause = innermost(error);
  if (!(error instanceof LangwireError) || !(cause instanceof Error)) return error;
  // What it says itself, or the system; a lock that another process holds has words of its own.
  const code = "code" in cause ? String(cause.code) : "";
  if (code === "" && !lostConnection.test(cause.message)) return error;
  // Several addresses that all fail have a code and no message.
  return storageFailure(`Postgres cannot be used (${cause.message || code})`, error);
}

/** @param message for whoever opens Langwire in a program of their own: no caller is told it */
export function storageFailure(why: string, cause: unknown, message = why): LangwireError {
  return new LangwireError("STORE_UNAVAILABLE", { message, cause: new Error(why, { cause }) });
}

/** What a server says begins with a word of its own. */
function redisReason(said: string): string {
  switch (said.split(" ")[0]) {
    case "OOM":
      return `Redis is full (${said}): make room in it, or raise its maxmemory`;
    case "NOAUTH":
    case "WRONGPASS":
    case "NOPERM":
      return `Redis refuses its user or password (${said})`;
    case "READONLY":
      return `Redis is a replica, which takes no writes (${said}): name the primary`;
    default:
      return `Redis cannot be used (${said})`;
  }
}

function innermost(error: unknown): unknown {
  let cause = error;
  while (cause instanceof LangwireError && cause.cause !== undefined) cause = cause.cause;
  return cause;
}

function laterVersionReason(name: string): string {
  return `${name} was written by a later version of Langwire: start that version, or put back a backup from before it`;
}

function reasonOf(error: unknown, { path, loss }: StorageFile): string | undefined {
  const cause = error instanceof LangwireError ? error.cause : error;
  if (!(cause instanceof Error)) return undefined;
  if (cause instanceof UnknownWal) return cause.message;
  if (laterVersion.test(cause.message)) return laterVersionReason(path);
  const said = `(${cause.message})`;
  switch (codeOf(cause)) {
    case sqlite.corrupt:
    case sqlite.notADatabase:
      return `${path} is damaged ${said}: put a backup in its place, or move it away with its -wal and -shm, which loses ${loss}`;
    case sqlite.busy:
    case sqlite.locked:
      return `another process uses ${path} ${said}: stop it`;
    case sqlite.full:
      return `the disk of ${path} is full ${said}: make room`;
    case sqlite.readOnly:
    case sqlite.cannotOpen:
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "EEXIST":
    case "ENOENT":
    case "ENOTDIR":
      return `${path} cannot be written to ${said}: it, and the folder that it is in, have to be this user's to write`;
    default:
      return undefined;
  }
}

/** An error of SQLite's by the low byte of its code; of the system's by name. */
function codeOf(error: Error): unknown {
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  return "code" in error ? error.code : undefined;
}
