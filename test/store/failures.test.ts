/** What a database says when it cannot serve, by its own tables: not our bug, and told as such to whoever asked. */
import { expect, test } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { isBusy, isRowHeld, postgresFailure, sqliteFailure } from "../../src/store/errors.ts";

const failed = (more: object, message = "failed") => Object.assign(new Error(message), more);
const isUnavailable = (told: unknown) =>
  told instanceof LangwireError && told.code === "STORE_UNAVAILABLE";

/** https://sqlite.org/rescode.html: the primary codes. */
const sqliteCodes = {
  1: "bug", // SQLITE_ERROR: no such table, a slip in the SQL
  2: "bug", // internal
  3: "bug", // SQLITE_PERM: of a file that was made anew
  4: "bug", // aborted by a callback
  5: "unavailable", // busy
  6: "unavailable", // locked
  7: "unavailable", // out of memory
  8: "unavailable", // read-only
  9: "unavailable", // interrupted
  10: "unavailable", // I/O
  11: "unavailable", // corrupt
  12: "bug", // not found
  13: "unavailable", // disk full
  14: "unavailable", // cannot open
  15: "unavailable", // locking protocol
  17: "bug", // schema changed
  18: "bug", // too big
  19: "bug", // constraint
  20: "bug", // type
  21: "bug", // misuse
  22: "bug", // no large files
  23: "bug", // authorization
  25: "bug", // range
  26: "unavailable", // not a database
} as const;

test.each(Object.entries(sqliteCodes))("SQLite's %s, with any extension: %s", (primary, which) => {
  for (const extension of [0, 1, 3, 12]) {
    const error = failed({ code: "ERR_SQLITE_ERROR", errcode: Number(primary) + extension * 256 });
    const told = sqliteFailure(error);
    expect([extension, isUnavailable(told)]).toEqual([extension, which === "unavailable"]);
    if (which === "bug") expect(told).toBe(error);
    // Somebody else's lock alone may be waited for, and not a snapshot's that is too old.
    expect([extension, isBusy(error)]).toEqual([extension, primary === "5" && extension === 0]);
  }
});

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const postgresCodes = {
  "08006": "unavailable", // connection failure
  22001: "bug", // a text that is too long
  22021: "bug", // not in the encoding
  23505: "bug", // unique violation
  25001: "bug", // active transaction
  25006: "unavailable", // read-only: a standby
  "25P02": "bug", // failed transaction
  "25P03": "unavailable", // idle in a transaction for too long
  28000: "unavailable", // who we are
  "28P01": "unavailable", // password
  "3D000": "unavailable", // no such database
  "3F000": "bug", // no such schema
  40001: "unavailable", // serialization
  "40P01": "unavailable", // deadlock
  42501: "bug", // privilege
  42601: "bug", // syntax
  "42P01": "bug", // no such table
  53100: "unavailable", // disk full
  53200: "unavailable", // out of memory
  53300: "unavailable", // too many connections
  54000: "bug", // too complex
  55000: "bug", // not in the state for it
  "55P03": "unavailable", // lock not available
  57014: "unavailable", // cancelled
  "57P01": "unavailable", // shutting down
  "57P03": "unavailable", // starting up
  58030: "unavailable", // I/O
  F0001: "unavailable", // configuration's lock file
  P0001: "bug", // raised
  XX000: "unavailable", // internal
  XX001: "unavailable", // corrupted
} as const;

test.each(Object.entries(postgresCodes))("Postgres's %s: %s", (code, which) => {
  const error = failed({ code });
  const told = postgresFailure(error);
  expect(isUnavailable(told)).toBe(which === "unavailable");
  if (which === "bug") expect(told).toBe(error);
  expect(isRowHeld(told)).toBe(code === "55P03");
});

test.each([
  ["a socket", failed({ code: "ECONNREFUSED", syscall: "connect" }), true],
  ["several addresses", new AggregateError([failed({ code: "ECONNREFUSED" })]), true],
  ["pg's", failed({}, "Connection terminated unexpectedly"), true],
  ["pg's", failed({}, "timeout exceeded when trying to connect"), true],
  ["pg's", failed({}, "Cannot use a pool after calling end on the pool"), true],
  ["ours", failed({}, "x is not a function"), false],
  ["ours that quotes pg's", failed({}, "not: Connection terminated"), false],
])("an error without a code of Postgres's, %s", (_of, error, should) => {
  expect(isUnavailable(postgresFailure(error))).toBe(should);
});

test.each([
  ["a folder", failed({ code: "ENOSPC", syscall: "mkdir" }), true],
  ["closed", failed({ code: "ERR_INVALID_STATE" }), true],
  ["ours", failed({ code: "ERR_INVALID_ARG_TYPE" }), false],
])("an error without a code of SQLite's, %s", (_of, error, should) => {
  expect(isUnavailable(sqliteFailure(error))).toBe(should);
});

test("what is no error passes", () => {
  expect([sqliteFailure("x"), postgresFailure(undefined)]).toEqual(["x", undefined]);
});
