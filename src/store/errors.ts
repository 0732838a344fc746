/**
 * Which of an engine's failures mean that it cannot serve now: those become STORE_UNAVAILABLE. All
 * others are bugs and pass as they are.
 */
import { LangwireError } from "../protocol/errors.ts";

const sqliteBusy = 5;

/** SQLite's primary result codes for "not now": the low byte of what node:sqlite reports. */
const sqliteUnavailable: ReadonlySet<number> = new Set([
  sqliteBusy,
  6, // locked
  7, // out of memory
  8, // read-only
  9, // interrupted
  10, // input/output error
  11, // corrupt
  13, // disk full
  14, // cannot open
  15, // locking protocol
  26, // not a database
]);

const lockNotAvailable = "55P03";

/** SQLSTATE classes that mean so, and single codes of classes whose others are bugs. */
const postgresUnavailable: readonly string[] = [
  "08", // connection
  "25006", // read-only transaction: a standby
  "25P03", // idle in transaction for too long
  "28", // refused to let us in
  "3D", // no such database
  "40", // deadlock, serialization: rolled back, may be tried again
  "53", // out of disk, memory or connections
  lockNotAvailable,
  "57", // shutting down, starting up, cancelled by an operator
  "58", // the system beneath it
  "F0", // configuration file
  "XX", // internal, corrupted
];

/** The client's own failures, which have no code. */
const lostConnection =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Query read timeout|Cannot use a pool after|driver has already been destroyed|Postgres connection has been discarded|Client was closed)/;

/** Whether the store could not serve because somebody else held the row: nothing is wrong with the store. */
export function isRowHeld(failure: unknown): boolean {
  const cause = failure instanceof Error ? failure.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === lockNotAvailable;
}

/** Another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
}

export function sqliteFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errcode, syscall } = error as Error & Record<string, unknown>;
  const unavailable =
    (typeof errcode === "number" && sqliteUnavailable.has(errcode & 0xff)) ||
    // The connection is closed: the call came after the end.
    code === "ERR_INVALID_STATE" ||
    // The folder cannot be made.
    syscall !== undefined;
  return unavailable ? new LangwireError("STORE_UNAVAILABLE", { cause: error }) : error;
}

export function postgresFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, syscall } = error as Error & Record<string, unknown>;
  // Sockets and name lookups fail with a system call's name; several at once, as an aggregate.
  const unavailable =
    syscall !== undefined ||
    error instanceof AggregateError ||
    lostConnection.test(error.message) ||
    (typeof code === "string" && postgresUnavailable.some((start) => code.startsWith(start)));
  return unavailable ? new LangwireError("STORE_UNAVAILABLE", { cause: error }) : error;
}
