import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatOpenAI } from "@langchain/openai";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { visiblePart } from "../../src/bots/exposure/visible-part.ts";
import {
  cutText,
  type PayloadLimits,
  payloadLimits,
  toPayload,
} from "../../src/bots/run/payload.ts";

const circular: Record<string, unknown> = { name: "it" };
circular.self = circular;
const twice = { a: 1 };

class Point {
  readonly x = 1;
  readonly #hidden = 2;
  get sum(): number {
    return this.x + this.#hidden;
  }
}

const throwing = {
  fine: 1,
  get bad(): never {
    throw new Error("secret");
  },
};

const rows: readonly [string, unknown, unknown][] = [
  ["plain JSON", { a: [1, "two", null, true] }, { a: [1, "two", null, true] }],
  ["nothing", undefined, null],
  ["what JSON leaves out", { a: undefined, b: () => 1, c: Symbol("s") }, {}],
  ["what JSON leaves out, in an array", [undefined, () => 1], [null, null]],
  ["numbers that JSON has not", [Number.NaN, Number.POSITIVE_INFINITY], ["NaN", "Infinity"]],
  ["a BigInt", 12345678901234567890n, "12345678901234567890"],
  ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
  ["a date that is none", { at: new Date(Number.NaN) }, { at: "…[unreadable]" }],
  ["a map", new Map<unknown, unknown>([[1, "one"]]), { 1: "one" }],
  ["half a pair of surrogates", ["a\uD83D", { "\uDE00": 1 }], ["a\uFFFD", { "\uFFFD": 1 }]],
  ["a set", new Set([1, 2]), [1, 2]],
  ["bytes", new Uint8Array(5), "…[cut: 5 bytes]"],
  ["an error, without its words", new TypeError("secret"), { error: "TypeError" }],
  ["an instance of a class", new Point(), { x: 1 }],
  ["a cycle", circular, { name: "it", self: "…[cut: circular]" }],
  ["the same object twice, which is no cycle", [twice, { z: twice }], [{ a: 1 }, { z: { a: 1 } }]],
  ["a getter that throws", throwing, { fine: 1, bad: "…[unreadable]" }],
  ["a toJSON", { toJSON: () => ({ a: 1n }) }, { a: "1" }],
  [
    "a toJSON that throws",
    {
      toJSON() {
        throw new Error("secret");
      },
    },
    "…[unreadable]",
  ],
  [
    "a proxy that throws",
    new Proxy(
      {},
      {
        ownKeys() {
          throw new Error("secret");
        },
      },
    ),
    "…[unreadable]",
  ],
  ["a human message", new HumanMessage("hi"), { role: "human", content: "hi" }],
  [
    "an AI message that calls a tool",
    new AIMessage({ content: "", tool_calls: [{ id: "1", name: "add", args: { a: 1 } }] }),
    {
      role: "ai",
      content: "",
      toolCalls: [{ id: "1", name: "add", args: { a: 1 } }],
    },
  ],
  [
    "a tool message",
    new ToolMessage({ content: "3", tool_call_id: "1", name: "add" }),
    { role: "tool", content: "3", name: "add", toolCallId: "1" },
  ],
  [
    "what a failed tool tells the model",
    new ToolMessage({ content: "secret", tool_call_id: "1", status: "error" }),
    { role: "tool", content: "…[the tool's error stays on the server]", toolCallId: "1" },
  ],
  ["a model, which holds a key", new ChatOpenAI({ apiKey: "secret" }), { type: "ChatOpenAI" }],
];

describe("as a payload:", () => {
  test.each(rows)("%s", (_what, value, payload) => {
    expect(toPayload(value)).toEqual(payload);
  });

  test("a prompt", async () => {
    const prompt = await ChatPromptTemplate.fromMessages([["human", "hi"]]).invoke({});
    expect(toPayload(prompt)).toEqual({ messages: [{ role: "human", content: "hi" }] });
  });

  test("a key that is special", () => {
    const payload = toPayload(JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(JSON.stringify(payload)).toBe('{"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
  });
});

describe("a payload is cut, and says so,", () => {
  const small: PayloadLimits = { depth: 2, items: 2, characters: 5, totalCharacters: 1_000 };

  test("where a text is long", () => {
    expect(toPayload("123456789", small)).toBe("12345…[cut: 4 characters]");
  });

  test("never inside of a character", () => {
    expect(cutText("1234𝒳", 5)).toBe("1234…[cut: 2 characters]");
  });

  test("where an array or an object is long", () => {
    expect(toPayload([1, 2, 3, 4], small)).toEqual([1, 2, "…[cut: 2 items]"]);
    expect(toPayload({ a: 1, b: 2, c: 3 }, small)).toEqual({
      a: 1,
      b: 2,
      "…": "…[cut: 1 entries]",
    });
  });

  test("where it is deep", () => {
    expect(toPayload([[[1]]], small)).toEqual([["…[cut: deeper than 2 levels]"]]);
  });

  test("where it is large on the whole", () => {
    const limits = { depth: 8, items: 1_000, characters: 1_000, totalCharacters: 100 };
    const payload = JSON.stringify(toPayload(Array(1_000).fill("x".repeat(30)), limits));
    expect(payload.length).toBeLessThan(400);
    expect(payload).toContain("…[cut: ");
  });
});

const secret = [{ type: "text", text: "SECRET" }];
const stored = new SystemMessage("SECRET");

test.each<[string, "root" | "tools", unknown]>([
  ["a pair of a system message, of blocks", "tools", { messages: [["system", secret]] }],
  ["a pair of a tool's message, of blocks", "root", { messages: [["tool", secret]] }],
  ["a tool's result as a block", "root", { output: [{ type: "tool_result", content: "SECRET" }] }],
  ["a tool's arguments as a block", "root", { query: [{ type: "tool_use", input: "SECRET" }] }],
  ["a message of another role", "root", { output: { role: "planner", content: "SECRET" } }],
  ["a stored message", "tools", { anything: [stored.toDict()] }],
  ["a serialized message", "tools", { anything: [stored.toJSON()] }],
  [
    "a message in an instance",
    "tools",
    {
      anything: new (class {
        prompt = stored;
      })(),
    },
  ],
  ["a message in a map", "tools", { anything: new Map([["prompt", stored]]) }],
])("%s is hidden at %s", (_what, level, value) => {
  const shown = toPayload(visiblePart(value, { level, isGraphState: false }));
  expect(JSON.stringify(shown)).not.toContain("SECRET");
});

test("an object of a million keys is not read whole", () => {
  let read = 0;
  const many = new Proxy(Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [at, at])), {
    get: () => read++,
  });
  expect(toPayload(many)).toMatchObject({ "…": "…[cut: 900 entries]" });
  expect(read).toBeLessThan(200);
});

test.each<[string, unknown]>([
  ["nothing", null],
  ["nothing that JSON knows", undefined],
  ["an empty object", {}],
  ["an empty text", ""],
])("what holds its parts a hundred times, down to %s, is bounded as a whole", (_what, least) => {
  let value: unknown = least;
  for (let level = 0; level < payloadLimits.depth; level++) value = Array(100).fill(value);
  for (const level of ["root", "tools"] as const) {
    const visible = visiblePart({ output: value }, { level, isGraphState: false });
    expect(JSON.stringify(toPayload(visible)).length).toBeLessThan(
      4 * payloadLimits.totalCharacters,
    );
  }
  const payload = JSON.stringify(toPayload(value));
  expect(payload.length).toBeLessThan(4 * payloadLimits.totalCharacters);
});

test("anything at all becomes JSON, and stays within its bounds", () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
    withObjectString: true,
    withSparseArray: true,
    withUnicodeString: true,
  });
  fc.assert(
    fc.property(anything, (value) => {
      const payload = toPayload(value);
      expect(z.json().safeParse(payload).success).toBe(true);
      expect(JSON.parse(JSON.stringify(payload))).toEqual(payload);
    }),
    { numRuns: 500 },
  );
});
