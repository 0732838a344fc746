/** The log for people: what happened on a line, what was thrown below it, and nothing that commands a terminal. */
import { describe, expect, test } from "vitest";
import { createLogger } from "../../src/server/logging/logger.ts";

function setUp(options: { level?: string; secrets?: string[] } = {}) {
  const written: string[] = [];
  const destination = { write: (text: string) => void written.push(text) };
  const logger = createLogger({ level: "info", format: "pretty", ...options, destination });
  return { logger, lines: () => written.join("").trimEnd().split("\n") };
}

test("a line has the time, the level, what happened and its facts", () => {
  const { logger, lines } = setUp();
  logger.info({ runId: "r1", usage: { inputTokens: 3 }, nothing: undefined }, "run ended");
  expect(lines()[0]).toMatch(
    /^\d\d:\d\d:\d\d info {2}run ended runId=r1 usage=\{"inputTokens":3\}$/,
  );
});

describe("what was thrown", () => {
  test("stands below, indented", () => {
    const { logger, lines } = setUp();
    const detail = "TypeError: no city\n    at weather (bots.ts:1:2)";
    logger.warn({ code: "BOT_FAILED", detail, err: new Error("no city") }, "run failed");
    const [head, ...below] = lines();
    expect(head).toMatch(/warn {2}run failed code=BOT_FAILED$/);
    expect(below).toEqual([
      "               TypeError: no city",
      "                   at weather (bots.ts:1:2)",
    ]);
  });

  test("without a description is its type, its code, the first of its stack, and its cause", () => {
    const { logger, lines } = setUp();
    const err = Object.assign(new Error("x", { cause: new RangeError("y") }), { code: "EPIPE" });
    logger.error({ err }, "request failed");
    expect(lines()[1]).toBe(`${" ".repeat(15)}Error (EPIPE)`);
    expect(lines()[2]).toMatch(/^ {19}at .*readable-lines\.test\.ts/);
    expect(lines().some((line) => line.trim() === "RangeError")).toBe(true);
  });
});

test("nothing that is logged begins a line of its own or moves the cursor", () => {
  const { logger, lines } = setUp();
  const nasty =
    "\r\n12:00:00 info  all is well\u0000\u001b[2J\u007f\u0085\u009b2J\u2028\u2029\u0008\u202egpj.exe\u2066\u200b\ufeff\u{e0041}";
  logger.info({ userId: nasty, [nasty]: nasty }, nasty);
  logger.info({ detail: `one\ntwo${nasty}`, err: new Error(nasty) }, "run failed");
  for (const line of lines()) {
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(line).toMatch(/^(?:\d\d:\d\d:\d\d | {15})/);
    if (!line.startsWith(" ")) expect(line).not.toMatch(/^12:00:00 info {2}all is well/);
  }
});

test("secrets are replaced", () => {
  const { logger, lines } = setUp({ secrets: ["canary-0123456789"] });
  logger.info({ detail: "key canary-0123456789 is wrong" }, "run failed");
  expect(lines().join("\n")).toContain("key [secret] is wrong");
});

describe("requests", () => {
  const request = (level: string, statusCode: number) => {
    const { logger, lines } = setUp({ level });
    const req = { method: "GET", url: "/trpc/bots.list?x", ip: "127.0.0.1" };
    logger.info({ reqId: "1", req }, "incoming request");
    logger.info({ reqId: "1", res: { statusCode }, responseTime: 2.6 }, "request completed");
    return lines().join("\n");
  };

  test("that went well are left out, but at level debug", () => {
    expect(request("info", 200)).toBe("");
    expect(request("debug", 200)).toMatch(/info {2}GET \/trpc\/bots\.list 200 in 3 ms$/);
  });

  test("that failed are one line", () => {
    expect(request("info", 500)).toMatch(/^\S+ info {2}GET \/trpc\/bots\.list 500 in 3 ms$/);
  });
});

test("what a bot's code writes to the console is shown as it was written", () => {
  const { logger, lines } = setUp({ level: "debug" });
  logger.debug({ console: "log", said: "one\ntwo" }, "a library wrote to the console");
  expect(lines()).toEqual([expect.stringMatching(/debug one$/), `${" ".repeat(15)}two`]);
});

test("of requests in progress a thousand are known by name, and of those that have ended none", () => {
  const { logger, lines } = setUp({ level: "debug" });
  const begins = (reqId: string) =>
    logger.info({ reqId, req: { method: "GET", url: `/${reqId}` } }, "incoming request");
  const ends = (reqId: string) => {
    logger.info({ reqId, res: { statusCode: 200 }, responseTime: 1 }, "request completed");
    return lines()
      .at(-1)
      ?.replace(/^\S+ \S+ +/, "");
  };
  for (let count = 1; count <= 1_001; count++) begins(`r${count}`);
  expect(ends("r1")).toMatch(/^GET \S+ 200 in 1 ms/);
  expect(ends("r1")).toMatch(/^request 200 in 1 ms/);
  expect(ends("r1001")).toMatch(/^request 200 in 1 ms/);
  begins("later");
  expect(ends("later")).toMatch(/^GET \S+ 200 in 1 ms/);
});
