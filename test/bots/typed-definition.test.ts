import { RunnableLambda } from "@langchain/core/runnables";
import { Annotation, StateGraph } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Bot, type BotDefinition, defineBot } from "../../src/bots/bot.ts";
import { Catalogue } from "../../src/bots/catalogue.ts";
import {
  check,
  checkNow,
  isStandardSchema,
  type StandardSchema,
} from "../../src/bots/definition/standard-schema.ts";
import { botInfo } from "../../src/protocol/conversations.ts";
import { transcriptOf } from "./transcript.ts";

const runnable = RunnableLambda.from((value) => value);
const bot = (definition: Partial<BotDefinition> = {}): Bot =>
  defineBot({ id: "typed", title: "Typed", description: "", runnable, ...definition });

const invoice = z.object({ file: z.string(), currency: z.enum(["EUR", "JPY"]).default("EUR") });

/** As arktype's schemas are: a function with the mark. */
function markedFunction(standard: object): StandardSchema {
  const schema = (value: unknown) => value;
  const validate = (value: unknown) => ({ value });
  return Object.assign(schema, {
    "~standard": { version: 1, vendor: "marked", validate, ...standard },
  } as const);
}

const jsonSchema = {
  input: () => ({ type: "number" }),
  output: () => ({ type: "boolean" }),
};

describe("a typed bot", () => {
  test("shows the JSON Schemas of what it takes, answers and reports", () => {
    const [info] = new Catalogue([
      bot({ input: invoice, output: invoice, state: { page: z.number() } }),
    ]).list(100);
    expect(botInfo.parse(info)).toEqual(info);
    expect(info?.accepts).toEqual({ message: false, input: true });
    // What has a default may be left out of what is sent, and is always in what is answered.
    expect(info?.schemas.input.required).toEqual(["file"]);
    expect(info?.schemas.output.required).toEqual(["file", "currency"]);
    expect(info?.schemas.state).toMatchObject({ page: { type: "number" } });
  });

  test("is told from one with functions by the mark of Standard Schema", () => {
    const schema = markedFunction({ jsonSchema });
    expect(bot({ input: schema, output: schema })).toMatchObject({
      inputSchema: schema,
      outputSchema: schema,
      schemas: { input: { type: "number" }, output: { type: "boolean" } },
    });
    const input = () => "input";
    const untyped = bot({ input });
    expect(untyped.input).toBe(input);
    expect(untyped.inputSchema).toBeUndefined();
  });

  test.each<[string, Partial<BotDefinition>, RegExp]>([
    [
      "a schema that gives no JSON Schema",
      { input: markedFunction({}) },
      /Bot "typed"[\s\S]*input has no JSON Schema \(marked gives/,
    ],
    ["an answer that is no JSON", { output: z.date() }, /output has no JSON Schema \(.*Date/],
    [
      "a channel that is transformed",
      { state: { page: z.string().transform(Number) } },
      /state\.page has no JSON Schema/,
    ],
    [
      "a channel without a schema",
      { state: { page: {} } } as unknown as Partial<BotDefinition>,
      /Standard Schema[\s\S]*at state\.page/,
    ],
  ])("refuses %s, by name", (_what, definition, message) => {
    expect(() => bot(definition)).toThrow(message);
  });

  test("shows a JSON Schema that it is given in place of its schema's", () => {
    const schemas = { input: { type: "integer" }, state: { page: { type: "integer" } } };
    const typed = bot({ input: markedFunction({}), state: { page: markedFunction({}) }, schemas });
    expect(typed.schemas).toEqual({ ...schemas, output: { type: "string" } });
  });

  test.each<[StandardSchema, boolean]>([
    [z.string(), true],
    [z.union([z.number(), z.string()]), true],
    [z.enum(["yes", "no"]), true],
    [z.json(), true],
    [z.literal(1), false],
    [z.union([z.number(), z.boolean()]), false],
    [z.object({}), false],
  ])("takes a message where its input may be a text (%#)", (input, message) => {
    const [info] = new Catalogue([bot({ input })]).list(100);
    expect(info?.accepts).toEqual({ message, input: true });
  });
});

test("a bot without schemas takes a message and no input", () => {
  const [info] = new Catalogue([bot()]).list(100);
  expect(info?.accepts).toEqual({ message: true, input: false });
});

test("zod's schemas are Standard Schemas, and nothing else is one", () => {
  expect(isStandardSchema(invoice)).toBe(true);
  for (const other of [undefined, null, {}, () => "", { "~standard": {} }, "text"]) {
    expect(isStandardSchema(other)).toBe(false);
  }
});

test("a check names what does not fit, by its path", async () => {
  const schema = z.object({ lines: z.array(z.object({ total: z.number() })), name: z.string() });
  const fits = { lines: [{ total: 1 }], name: "bill", more: true };
  expect(await check(schema, fits, "input")).toEqual({
    ok: true,
    value: { lines: [{ total: 1 }], name: "bill" },
  });
  expect(await check(schema, { lines: [{ total: "1" }], name: 2 }, "input")).toEqual({
    ok: false,
    issues: [
      "input.lines.0.total: Invalid input: expected number, received string",
      "input.name: Invalid input: expected string, received number",
    ],
    paths: ["input.lines.0.total", "input.name"],
  });
  const many = Array.from({ length: 9 }, () => ({ total: "1" }));
  const checked = await check(schema, { lines: many, name: "" }, "output");
  expect(!checked.ok && checked.issues.at(-1)).toBe("and 4 more");
});

describe("a graph without a channel `messages`", () => {
  const graph = () => {
    const state = Annotation.Root({ topic: Annotation<string>, joke: Annotation<string> });
    return new StateGraph(state)
      .addNode("tell", () => ({ joke: "Knock, knock." }))
      .addEdge("__start__", "tell")
      .compile();
  };
  const problem = /no channel `messages` \(but topic, joke\)/;

  test("is refused by name where its bot does not say what it takes and answers", () => {
    expect(() => bot({ runnable: graph() })).toThrow(problem);
    expect(() => bot({ runnable: graph().withConfig({ tags: ["bound"] }) })).toThrow(problem);
  });

  test("fails the run where a factory made it", async () => {
    const { outcome } = await transcriptOf({ runnable: graph });
    expect(outcome).toMatchObject({ status: "failed", error: { code: "BOT_FAILED" } });
    expect(String(Reflect.get(outcome, "error")?.cause)).toMatch(problem);
  });

  test("is taken where its bot says either, or where the message has a channel", () => {
    bot({ runnable: graph(), input: z.object({ topic: z.string() }) });
    bot({ runnable: graph(), output: () => "a joke" });
    const state = Annotation.Root({ human_input: Annotation<string>, answer: Annotation<string> });
    const answer = () => ({ answer: "Knock, knock." });
    const told = new StateGraph(state).addNode("tell", answer).addEdge("__start__", "tell");
    bot({ runnable: told.compile() });
  });
});

describe("an answer that no reader could take", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const deep = JSON.parse(`${"[".repeat(101)}${"]".repeat(101)}`) as unknown;

  let doubled: unknown = 1;
  for (let level = 0; level < 60; level++) doubled = [doubled, doubled];

  test.each<[string, unknown, RegExp]>([
    ["parts that are held twice, again and again", doubled, /or too large/],
    ["a cycle", cyclic, /deeper than 100 levels/],
    ["depth", deep, /deeper than 100 levels/],
    ["a big integer", { total: 1n }, /it is no JSON/],
    ["what JSON makes null of", { total: Number.NaN }, /it is no JSON/],
    ["a function", () => 1, /it is no JSON/],
    ["a function in it, which JSON leaves out", { total: () => 1 }, /it is no JSON/],
    ["a map, which is empty as JSON", { lines: new Map([["a", 1]]) }, /it is no JSON/],
    ["a set", new Set([1]), /it is no JSON/],
    ["a promise", { total: Promise.resolve(1) }, /it is no JSON/],
    ["a date that is none", { at: new Date(Number.NaN) }, /it is no JSON/],
  ])("%s fails the run, whatever the schema takes", async (_what, value, why) => {
    const { outcome } = await transcriptOf({
      output: z.any(),
      runnable: RunnableLambda.from(() => ({ structuredResponse: value })),
    });
    expect(outcome).toMatchObject({ status: "failed", error: { code: "OUTPUT_INVALID" } });
    expect(String(Reflect.get(outcome, "error")?.cause)).toMatch(why);
  });
});

test("a schema that answers later is not waited for, and what it fails with ends nothing", async () => {
  const validate = () => Promise.reject(new Error("later"));
  const schema: StandardSchema = { "~standard": { version: 1, vendor: "own", validate } };
  expect(checkNow(schema, 1, "state")).toBeUndefined();
  // What nobody handles fails the tests.
  await new Promise((resolve) => setImmediate(resolve));
});
