/** What is logged of failures: each once, however often it happens, and no more of it than is kept. */
import { TRPCError } from "@trpc/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toTrpcError } from "../../src/api/errors.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { isOutage } from "../../src/server/access/outages.ts";
import { logFailures } from "../../src/server/logging/failure-log.ts";
import { throttled } from "../../src/server/logging/throttled.ts";

describe("what would be said in every request", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  test("is said at once, and then once a minute with how often it was", () => {
    const said: unknown[] = [];
    const say = throttled((seen, what: string) => said.push([seen, what]));
    for (const what of ["first", "second", "third"]) say("a", what);
    say("b", "other");
    expect(said.splice(0)).toEqual([
      [{}, "first"],
      [{}, "other"],
    ]);
    vi.advanceTimersByTime(59_999);
    say("a", "fourth");
    expect(said).toEqual([]);
    vi.advanceTimersByTime(1);
    say("a", "fifth");
    say("b", "again");
    vi.advanceTimersByTime(60_000);
    say("a", "sixth");
    expect(said).toEqual([
      [{ unsaid: 3 }, "fifth"],
      [{}, "again"],
      [{}, "sixth"],
    ]);
  });

  test("is told apart by kind, the newest hundred of them", () => {
    const said: string[] = [];
    const say = throttled((_seen, what: string) => said.push(what));
    for (let kind = 0; kind < 101; kind++) say(`${kind}`, `${kind}`);
    said.length = 0;
    for (const kind of ["100", "50", "1", "0"]) say(kind, kind);
    // Of the oldest nothing is known any more.
    expect(said).toEqual(["0"]);
  });
});

describe("a call that failed", () => {
  function setUp() {
    const lines: [string, Record<string, unknown>, string][] = [];
    const write = (level: string) => (fields: object, message: string) =>
      void lines.push([level, fields as Record<string, unknown>, message]);
    const log = logFailures({ debug: write("debug"), info: write("info"), error: write("error") });
    return { lines, log };
  }

  test.each([
    ["INTERNAL", "error"],
    ["BOT_FAILED", "error"],
    ["STORE_UNAVAILABLE", "error"],
    ["AUTH_UNAVAILABLE", "error"],
    ["UNAUTHORIZED", "info"],
    ["BAD_INPUT", "debug"],
    ["RATE_LIMITED", "debug"],
    ["NOT_FOUND", "debug"],
  ] as const)("with %s is logged once at %s", (code, level) => {
    const { lines, log } = setUp();
    const error = toTrpcError(new LangwireError(code));
    // As all calls of one batch.
    for (let count = 0; count < 3; count++) log({ error, path: "chat.send", type: "mutation" });
    expect(lines).toMatchObject([
      [level, { code, type: "mutation", path: "chat.send" }, expect.any(String)],
    ]);
  });

  test("is no failure of the server's where its connection broke", () => {
    const { lines, log } = setUp();
    const broken = [
      Object.assign(new Error("read"), { syscall: "read", code: "ECONNRESET" }),
      Object.assign(new Error("frame"), { code: "WS_ERR_INVALID_OPCODE" }),
    ];
    for (const cause of broken) {
      log({
        error: new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause }),
        path: undefined,
        type: "unknown",
      });
    }
    expect(lines.map(([level]) => level)).toEqual(["debug", "debug"]);
  });

  test("is logged with as much of its path as anybody could mean", () => {
    const { lines, log } = setUp();
    const error = toTrpcError(new LangwireError("NOT_FOUND"));
    log({ error, path: "x".repeat(10_000), type: "query" });
    expect(String(lines[0]?.[1].path)).toHaveLength(100);
  });
});

describe("an outage", () => {
  const coded = (code: string) => Object.assign(new Error("x"), { code });
  const answered = (status: number, name = "status") =>
    Object.assign(new Error("x"), { [name]: status });
  const named = (name: string) => Object.assign(new Error("x"), { name });
  const because = (cause: unknown, depth: number): Error =>
    depth === 0 ? (cause as Error) : new Error("x", { cause: because(cause, depth - 1) });
  const circle = new Error("x");
  circle.cause = circle;

  test.each<[string, unknown, boolean]>([
    ["a refused connection", coded("ECONNREFUSED"), true],
    ["a name that is not found", coded("ENOTFOUND"), true],
    ["undici's", coded("UND_ERR_CONNECT_TIMEOUT"), true],
    ["Postgres shutting down", coded("57P01"), true],
    ["a connection of Postgres's", coded("08006"), true],
    ["a time limit", named("TimeoutError"), true],
    ["502", answered(502), true],
    ["503 by another name", answered(503, "statusCode"), true],
    ["429", answered(429), true],
    ["500", answered(500), true],
    ["499", answered(499), false],
    ["404", answered(404), false],
    ["a file that is not there", coded("ENOENT"), false],
    ["a constraint of Postgres's", coded("23505"), false],
    ["a bug", new TypeError("x"), false],
    ["no error", "ECONNREFUSED", false],
    ["a cause", because(coded("ETIMEDOUT"), 4), true],
    ["a cause of causes", because(coded("ETIMEDOUT"), 5), false],
    ["a circle", circle, false],
    ["one of several", new AggregateError([coded("ECONNREFUSED")], "all"), true],
  ])("%s: %s", (_what, thrown, is) => {
    expect(isOutage(thrown)).toBe(is);
  });
});
