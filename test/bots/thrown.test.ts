/** What a bot's code threw, as a text: found where it was thrown, with its causes, whatever it is. */
import { ToolInvocationError } from "langchain";
import { describe, expect, test } from "vitest";
import { describeThrown, describeUnquoted } from "../../src/bots/failures/thrown.ts";
import { ToolNotRun } from "../../src/bots/failures/tool-not-run.ts";
import { LangwireError } from "../../src/protocol/errors.ts";

function lookUp(): never {
  throw new TypeError("no such city");
}

function thrownBy(code: () => unknown): unknown {
  try {
    code();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe("an error", () => {
  test("is its name, its message and the first line that is the developer's own", () => {
    const [head, place] = describeThrown(thrownBy(lookUp)).split("\n");
    expect(head).toBe("TypeError: no such city");
    expect(place).toMatch(/^ {4}at lookUp \(test\/bots\/thrown\.test\.ts:\d+:\d+\)$/);
  });

  test.each([
    ["a package's", "    at parse (/app/node_modules/zod/index.js:1:1)"],
    ["Node's", "    at node:internal/process/task_queues:95:5"],
    ["Langwire's", `    at make (${new URL("../../src/bots/bot.ts", import.meta.url)}:200:1)`],
    ["nobody's", "    at <anonymous>:1:1"],
    ["an engine's own", "    at Array.map (<anonymous>)"],
  ])("is not found in a line of %s", (_whose, line) => {
    const error = new Error("x");
    error.stack = `Error: x\n${line}\n    at async ask (file:///app/my%20bots.ts?v=3:12:9)`;
    expect(describeThrown(error)).toBe("Error: x\n    at ask (/app/my bots.ts:12:9)");
  });

  test("whose message looks like a stack is found by its stack", () => {
    const error = new Error("said:\n    at forged (/app/forged.ts:1:1)");
    error.stack = `Error: ${error.message}\n    at /app/real.ts:2:2`;
    expect(describeThrown(error).split("\n").at(-1)).toBe("    at /app/real.ts:2:2");
  });

  test("comes with what caused it, and with all of several", () => {
    const refused = Object.assign(new Error("connect refused"), { code: "ECONNREFUSED" });
    const several = new AggregateError([refused, new Error("and another")], "");
    for (const error of [refused, several, ...several.errors]) error.stack = "";
    const outer = new Error("fetch failed", { cause: several });
    outer.stack = "";
    expect(describeThrown(outer).split("\n")).toEqual([
      "Error: fetch failed",
      "caused by AggregateError",
      "  - Error (ECONNREFUSED): connect refused",
      "  - Error: and another",
    ]);
  });

  test("of ours that says no more than its code is left out for its cause", () => {
    const cause = new Error("inner");
    cause.stack = "";
    expect(describeThrown(new LangwireError("BOT_FAILED", { cause }))).toBe("Error: inner");
    const said = new LangwireError("BAD_INPUT", { message: "no city", cause });
    said.stack = "";
    expect(describeThrown(said)).toBe("LangwireError (BAD_INPUT): no city\ncaused by Error: inner");
  });
});

test("for a log without prompts, what quotes a call of a model's is named alone, with what the tool threw", async () => {
  const toolError = new RangeError("no such city");
  const call = { name: "weather", args: { city: "canary" }, id: "1" };
  const error = new ToolInvocationError(toolError, call);
  for (const one of [error, toolError]) one.stack = "";
  expect(describeThrown(error)).toContain("canary");
  expect(describeUnquoted(error, "TOOL_FAILED")).toBe("Error\ncaused by RangeError: no such city");
  expect(describeUnquoted(new ToolNotRun("canary"), "TOOL_FAILED")).toMatch(/^ToolNotRun(\n|$)/);
  const values = [{ error: { text: "canary" } }, "canary", new Error("x", { cause: "canary" })];
  for (const value of [...values, new Error("x", { cause: { body: "canary" } })]) {
    expect(describeUnquoted(value, "PROVIDER_ERROR")).not.toContain("canary");
  }
});

test("what is no error is shown as it is", () => {
  expect(describeThrown("a text")).toBe("'a text' was thrown");
  expect(describeThrown(undefined)).toBe("undefined was thrown");
  expect(describeThrown({ city: "Rome" })).toBe("{ city: 'Rome' } was thrown");
});

test("what goes in circles, or is long, ends", () => {
  const round: Error & { cause?: unknown } = new Error("x".repeat(100_000));
  round.cause = round;
  expect(describeThrown(round)).toMatch(/^Error: x{1000}…/);
  expect(describeThrown(round).length).toBeLessThan(5_000);
  let deep = new Error("0");
  for (let level = 1; level < 10_000; level++) deep = new Error(`${level}`, { cause: deep });
  expect(describeThrown(deep)).toMatch(/^Error: 9999\n.*\ncaused by Error: 9998\n/);
  expect(describeThrown(deep).length).toBeLessThan(5_000);
});

test("what cannot be read is said to be that", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(describeThrown(new Error("around", { cause: proxy }))).toContain("cannot be read");
  const hostile = new Error("x");
  for (const key of ["name", "message", "stack", "cause"]) {
    Object.defineProperty(hostile, key, {
      get: () => {
        throw new Error("not to be read");
      },
    });
  }
  expect(typeof describeThrown(hostile)).toBe("string");
});

describe("a secret that a program has from anywhere", () => {
  const key = "sk-proj-Canary0123456789abcdef";
  const opaque = "c4n4ryc4n4ryc4n4ryc4n4ryc4n4ry00";
  test.each<[string, string]>([
    [`401 Incorrect API key provided: ${key}.`, "401 Incorrect API key provided: [secret]."],
    [`Authorization: Bearer ${opaque}`, "Authorization: [secret]"],
    [`headers { 'x-api-key': '${opaque}' }`, "headers { 'x-api-key': '[secret]' }"],
    [`{"apiKey":"${opaque}","model":"m"}`, '{"apiKey":"[secret]","model":"m"}'],
    [`api_key=${opaque}, model=m`, "api_key=[secret], model=m"],
    [`sent bearer ${opaque} to it`, "sent bearer [secret] to it"],
    [
      `GET https://host/v1/models?alt=sse&key=${opaque}&pretty=1`,
      "GET https://host/v1/models?alt=sse&key=[secret]&pretty=1",
    ],
    [`GET https://host/v1?session=${opaque}`, "GET https://host/v1?session=[secret]"],
    [
      "GET https://host/v1?X-Amz-Signature=0a1b2c3d4e",
      "GET https://host/v1?X-Amz-Signature=[secret]",
    ],
    ["connect https://anna:hunter22@host/v1", "connect https://[secret]@host/v1"],
    ["{ password: 'hunter22' }", "{ password: '[secret]' }"],
    [`token ${key}`, "token [secret]"],
    ["AIzaSyCanary0123456789abcdefghijklmnopq", "[secret]"],
    ["gsk_canary0123456789 and hf_canarycanary", "[secret] and [secret]"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl", "[secret]"],
  ])("is hidden by its shape: %s", (message, told) => {
    for (const described of [
      describeThrown,
      (error: Error) => describeUnquoted(error, undefined),
    ]) {
      const error = new Error(message);
      error.stack = "";
      expect(described(error)).toBe(`Error: ${told}`);
    }
  });

  test("is hidden in values that are no errors, in causes, and where a message is cut", () => {
    const all = [
      { request: { headers: { authorization: `Bearer ${key}` } } },
      key,
      new Error("outer", { cause: new Error(key) }),
      new Error(`${"a ".repeat(490)}${key}`),
      Object.assign(new Error("x"), { code: key }),
      Object.assign(new Error("x"), { name: key }),
    ];
    for (const thrown of all) expect(describeThrown(thrown)).not.toContain("Canary");
    for (let length = 950; length <= 1_000; length++) {
      const cut = describeThrown(new Error(`${"x".repeat(length)} ${key}`));
      expect(cut).not.toMatch(/sk-|Can/);
    }
  });

  test.each([
    "Unexpected token: expected a value",
    "basic authentication is required by the proxy",
    "the skill was skipped-because-of its keyboard-shortcut-settings",
    "password: Required",
    "GET https://host/v1/runs?runId=6f1c0f6e-9d3f-4d7e-8f34-3e8f3c1b7a55&limit=20",
    "connect ECONNREFUSED 127.0.0.1:11434",
    "tokens: 4096, key: name",
  ])("is not what only sounds like one: %s", (message) => {
    const error = new Error(message);
    error.stack = "";
    expect(describeThrown(error)).toBe(`Error: ${message}`);
  });
});
