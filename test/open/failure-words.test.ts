/** What an operator is told of storage that cannot be opened: by the codes of SQLite, the system, Postgres and Redis. */
import { expect, test } from "vitest";
import { databaseFailure, fileFailure, redisFailure } from "../../src/open/storage-failure.ts";
import { LangwireError } from "../../src/protocol/errors.ts";

const file = { path: "/data/langwire.sqlite", loss: "all conversations" };
const bySqlite = (errcode: number) => Object.assign(new Error("said by SQLite"), { errcode });
const bySystem = (code: string) => Object.assign(new Error("said by the system"), { code });
const unavailable = (cause: unknown) => new LangwireError("STORE_UNAVAILABLE", { cause });

const reasonOf = (failure: unknown) =>
  failure instanceof LangwireError && failure.cause instanceof Error
    ? failure.cause.message
    : undefined;

const damaged = /is damaged .*which loses all conversations$/;
const inUse = /^another process uses .*: stop it$/;
const full = /is full .*: make room$/;
const unwritable = /cannot be written to/;

/** https://sqlite.org/rescode.html */
test.each<[string, number, RegExp | undefined]>([
  ["busy", 5, inUse],
  ["locked", 6, inUse],
  ["read-only", 8, unwritable],
  ["corrupt", 11, damaged],
  ["full", 13, full],
  ["cannot open", 14, unwritable],
  ["not a database", 26, damaged],
  ["an input or output error, which is told as it is", 10, undefined],
  ["a constraint, which is a bug", 19, undefined],
])("SQLite's %s, with whatever its extended code adds", (_what, primary, words) => {
  for (const extension of [0, 1, 2, 8]) {
    const error = bySqlite(primary | (extension << 8));
    for (const thrown of [error, unavailable(error)]) {
      const told = fileFailure(thrown, file);
      if (words === undefined) expect(told).toBe(thrown);
      else expect([extension, reasonOf(told)]).toEqual([extension, expect.stringMatching(words)]);
    }
  }
});

test.each([
  ...["EACCES", "EPERM", "EROFS", "EEXIST", "ENOENT", "ENOTDIR"].map(
    (code) => [code, true] as const,
  ),
  ["EMFILE", false] as const,
])("the system's %s is told as a file that cannot be written: %s", (code, isWorded) => {
  const told = fileFailure(bySystem(code), file);
  expect(reasonOf(told)).toEqual(isWorded ? expect.stringMatching(unwritable) : undefined);
});

test.each<[string, unknown, RegExp | undefined]>([
  ["what the server says", unavailable(bySystem("28P01")), /^Postgres cannot be used \(said by/],
  [
    "several addresses, which say nothing",
    unavailable(Object.assign(new Error(""), { code: "ECONNREFUSED" })),
    /^Postgres cannot be used \(ECONNREFUSED\)$/,
  ],
  [
    "a connection that is lost",
    unavailable(new Error("Connection terminated unexpectedly")),
    /\(Connection terminated unexpectedly\)$/,
  ],
  ["a lock, which has words of its own", unavailable(new Error("another process")), undefined],
  ["what is no outage", new TypeError("no"), undefined],
])("of Postgres: %s", (_what, thrown, words) => {
  const told = databaseFailure(thrown);
  if (words === undefined) expect(told).toBe(thrown);
  else expect(reasonOf(told)).toMatch(words);
});

test.each([
  ["OOM command not allowed", /^Redis is full \(OOM .*maxmemory$/],
  ["NOAUTH Authentication required", /^Redis refuses its user or password/],
  ["WRONGPASS invalid", /^Redis refuses its user or password/],
  ["NOPERM this user has no", /^Redis refuses its user or password/],
  ["READONLY You can't write", /^Redis is a replica/],
  ["connect ECONNREFUSED", /^Redis cannot be used \(connect ECONNREFUSED\)$/],
])("of Redis: %s", (said, words) => {
  expect(reasonOf(redisFailure(new Error(said), "Redis"))).toMatch(words);
  expect(reasonOf(redisFailure(unavailable(new Error(said)), "Redis"))).toMatch(words);
});

test("which server did not answer is told by its name", () => {
  for (const silent of ["Redis", "Postgres"] as const) {
    const late = new LangwireError("STORE_UNAVAILABLE");
    expect(reasonOf(redisFailure(late, silent))).toBe(`${silent} does not answer in time`);
  }
});
