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
