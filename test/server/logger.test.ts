/** The log: one line for each thing said, and nothing in it that has to stay unsaid. */
import { describe, expect, test } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { createLogger } from "../../src/server/logging/logger.ts";

function setUp(options: { level?: string; secrets?: string[] } = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { lines, logger: createLogger({ level: "info", ...options, destination }) };
}

const canary = 'canary "quoted" \\ 0123456789';

describe("control characters", () => {
  test("cannot begin a line of their own, nor move a terminal's cursor", () => {
    const { lines, logger } = setUp();
    const nasty =
      '\r\n{"level":30}\u0000\u001b[2J\u007f\u0085\u009b2J\u2028\u2029\u0008\u202egpj\u2066\u200b\ufeff\u{e0041}';
    logger.info({ userId: nasty }, nasty);
    logger.info({ [nasty]: 1, err: Object.assign(new Error(nasty), { code: nasty }) });
    for (const line of lines) {
      expect(line.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(line.endsWith("\n")).toBe(true);
    }
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ userId: nasty, msg: nasty });
  });
});

describe("secrets", () => {
  test("are replaced wherever they are", () => {
    const { lines, logger } = setUp({ level: "trace", secrets: [canary] });
    const error = new Error(canary, { cause: new Error(`in ${canary} in`) });
    logger.info({ err: error, field: { deep: [canary] }, [canary]: 1 }, `with ${canary} in it`);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("canary");
    expect(() => JSON.parse(lines[0] ?? "")).not.toThrow();
  });

  test("in what others say of a failure are left out with it", () => {
    const { lines, logger } = setUp();
    const cause = Object.assign(new Error(`your prompt was:\n    at ${canary}`), {
      status: 400,
      code: "invalid_prompt",
      headers: { authorization: canary },
      request: { body: canary },
      stack: `Error: your prompt was:\n    at ${canary}\n    at ask (model.ts:1:1)`,
    });
    logger.error({ err: new LangwireError("PROVIDER_ERROR", { cause }) }, "run failed");
    expect(lines[0]).not.toContain("canary");
    expect(JSON.parse(lines[0] ?? "").err).toMatchObject({
      type: "LangwireError",
      code: "PROVIDER_ERROR",
      message: expect.stringContaining("provider"),
      cause: {
        type: "Error",
        code: "invalid_prompt",
        status: 400,
        stack: ["at ask (model.ts:1:1)"],
      },
    });
  });

  test("what others say is there at level debug", () => {
    const { lines, logger } = setUp({ level: "debug" });
    logger.error({ err: new Error("the model is on holiday") });
    expect(lines[0]).toContain("the model is on holiday");
  });

  test("errors that go in circles end", () => {
    const { lines, logger } = setUp();
    const error: Error & { cause?: unknown } = new Error("round");
    error.cause = error;
    logger.error({ err: error });
    expect(lines).toHaveLength(1);
  });
});

test("requests are logged without their query and their headers", () => {
  const { lines, logger } = setUp();
  const req = {
    method: "GET",
    url: `/trpc/chat.send?connectionParams=${encodeURIComponent('{"token":"canary"}')}`,
    ip: "127.0.0.1",
    headers: { authorization: "Bearer canary" },
  };
  logger.info({ req }, "incoming request");
  expect(lines[0]).not.toContain("canary");
  expect(JSON.parse(lines[0] ?? "").req).toEqual({
    method: "GET",
    path: "/trpc/chat.send",
    remoteAddress: "127.0.0.1",
  });
});
