/** What a bot or a provider decides is bounded in every event, and of the type that the schema promises. */
import type { AgentAction, AgentFinish } from "@langchain/core/agents";
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import { Document } from "@langchain/core/documents";
import { BaseRetriever } from "@langchain/core/retrievers";
import { type RunnableConfig, RunnableLambda, RunnableSequence } from "@langchain/core/runnables";
import { MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { BotDefinition } from "../../src/bots/bot.ts";
import { bounded } from "../../src/bots/run/event-bounds.ts";
import { payloadLimits } from "../../src/bots/run/payload.ts";
import type { SpanEvent } from "../../src/bots/run/run-bot.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { chatEvent } from "../../src/protocol/events.ts";
import { ShapedModel } from "../support/shaped-model.ts";
import { transcriptOf } from "./transcript.ts";

const long = (what: string): string => `${what} ${"x".repeat(1_000_000)}`;

/** With the mark of the cut. */
const charactersAtMost = payloadLimits.characters + 50;
const nameAtMost = payloadLimits.nameCharacters + 50;

const longestIn = (value: unknown): number => {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Math.max(0, ...Object.values(value).map(longestIn));
};

/** A model that asks for a tool whose id, and all that can be long, is long; then it speaks. */
const talker = () =>
  new ShapedModel({
    provider: "openai",
    parameters: { model: long("model") },
    calls: [
      [
        {
          message: {
            id: long("message"),
            content: "",
            tool_call_chunks: [
              { index: 0, id: long("call"), name: "look", args: "{}", type: "tool_call_chunk" },
              { index: 1, id: "c2", name: long("unknown"), args: "{}", type: "tool_call_chunk" },
            ],
          },
          info: { finish_reason: long("tool_calls") },
        },
      ],
      [
        {
          message: {
            content: "Done.",
            additional_kwargs: {
              annotations: [{ url_citation: { url: long("https://"), title: long("title") } }],
              images: [{ type: "image", mimeType: long("image/"), url: long("https://") }],
            },
          },
          info: { finish_reason: "stop" },
        },
      ],
    ],
  });

const look = tool(() => "seen", { name: "look", description: "", schema: z.object({}) });

class Documents extends BaseRetriever {
  lc_namespace = ["test"];
  override async _getRelevantDocuments(): Promise<Document[]> {
    return [
      new Document({ id: long("id"), pageContent: long("text"), metadata: { a: long("b") } }),
    ];
  }
}

const reporting = RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
  await dispatchCustomEvent(long("custom"), { data: long("data") }, config);
  const manager = config.callbacks;
  if (manager === undefined || Array.isArray(manager)) throw new TypeError("no manager");
  const [handler] = manager.handlers;
  const id = manager.getParentRunId() ?? "";
  await handler?.handleText?.(long("text"), id);
  const action: AgentAction = { tool: long("tool"), toolInput: long("input"), log: long("log") };
  await handler?.handleAgentAction?.(Object.assign(action, { toolCallId: long("call") }), id);
  const finish: AgentFinish = { returnValues: { output: long("output") }, log: long("log") };
  await handler?.handleAgentEnd?.(finish, id);
  return "reported";
});

const saying = RunnableLambda.from((): string => {
  throw new LangwireError("BAD_INPUT", { message: long("message") });
}).withFallbacks([RunnableLambda.from(() => "well")]);

const inGraph = () =>
  new StateGraph(MessagesAnnotation)
    .addNode(long("node"), async () => ({ messages: [{ role: "ai", content: "Done." }] }))
    .addEdge(START, long("node"))
    .compile({ name: long("graph") });

const bots: readonly [string, BotDefinition["runnable"]][] = [
  ["an agent's tool calls", createAgent({ model: talker(), tools: [look] })],
  ["a retriever's documents", RunnableSequence.from([() => long("query"), new Documents()])],
  ["what a chain reports", reporting],
  ["an error's message", saying],
  ["a graph's names", inGraph()],
  ["a run's name", RunnableLambda.from(() => "x").withConfig({ runName: long("run") })],
];

describe("strings of a megabyte", () => {
  test.each(bots)("are cut: %s", async (_of, runnable) => {
    const { events, outcome } = await transcriptOf({
      runnable,
      expose: "all",
      output: () => "Done.",
    });
    expect(outcome).toMatchObject({ status: "completed" });
    for (const event of events) {
      const { type } = event;
      expect({ type, longest: longestIn(event) <= charactersAtMost }).toEqual({
        type,
        longest: true,
      });
    }
  });

  test("an id is the same wherever it stands", async () => {
    const { events } = await transcriptOf({
      runnable: createAgent({ model: talker(), tools: [look] }),
      expose: "tools",
    });
    const ids = events.flatMap((event) => {
      if (event.type === "llmEnd") return event.toolCalls?.slice(0, 1).map(({ id }) => id) ?? [];
      const isCall = event.type === "agentAction" || event.type === "toolStart";
      return isCall && event.toolCallId !== "c2" ? [event.toolCallId] : [];
    });
    expect(ids.length).toBe(3);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]?.length).toBeLessThan(nameAtMost);
  });
});

/** Fields that the server makes or that `toPayload` bounds. */
const boundedElsewhere = new Set(
  "type runId spanId parentSpanId at code source status kind input output data args documents value artifact".split(
    " ",
  ),
);

/** An event with a long text in each of its fields, whatever its schema says that they are. */
function swollen(schema: z.ZodType, key = ""): unknown {
  if (schema instanceof z.ZodOptional) return swollen(schema.unwrap() as z.ZodType, key);
  if (schema instanceof z.ZodArray) return [swollen(schema.element as z.ZodType, key)];
  if (schema instanceof z.ZodDiscriminatedUnion) {
    return Object.assign({}, ...schema.options.map((one) => swollen(one as z.ZodType)));
  }
  if (!(schema instanceof z.ZodObject))
    return schema instanceof z.ZodLiteral ? schema.value : long("x");
  return Object.fromEntries(
    Object.entries(schema.shape)
      .filter(([name]) => name === "type" || !boundedElsewhere.has(name))
      .filter(([, field]) => !isNumeric(field as z.ZodType))
      .map(([name, field]) => [name, swollen(field as z.ZodType, name)]),
  );
}

function isNumeric(schema: z.ZodType): boolean {
  if (schema instanceof z.ZodOptional) return isNumeric(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodObject)
    return Object.values(schema.shape).every((one) => isNumeric(one as z.ZodType));
  return schema instanceof z.ZodNumber || schema instanceof z.ZodBoolean;
}

/** Pieces of a text are bounded with their run; its start and its end are none of a bot's events. */
const pieces = new Set(["token", "reasoning", "toolProgress", "toolUpdate", "runStart", "runEnd"]);

test.each(
  chatEvent.options
    .filter((schema) => !pieces.has(schema.shape.type.value))
    .map((schema) => [schema.shape.type.value, schema] as const),
)("every string of %s has a bound", (_type, schema) => {
  expect(longestIn(bounded(swollen(schema) as SpanEvent))).toBeLessThan(charactersAtMost);
});

test("half a character in a name", () => {
  const event = { type: "custom", runId: "r", spanId: "s", name: "a\uD83D" } as const;
  expect(bounded(event)).toEqual({ ...event, name: "a\uFFFD" });
});

test("tool calls without number", async () => {
  const calls = Array.from({ length: 250 }, (_, index) => ({
    index,
    id: `c${index}`,
    name: "unknown",
    args: JSON.stringify({ long: "x".repeat(20_000) }),
    type: "tool_call_chunk" as const,
  }));
  const message = { content: "", tool_call_chunks: calls };
  const model = new ShapedModel({
    provider: "openai",
    calls: [[{ message, info: { finish_reason: "tool_calls" } }]],
  });
  const { events } = await transcriptOf({ runnable: model, expose: "all" });
  const end = events.find((event) => event.type === "llmEnd");
  expect(end?.toolCalls?.length).toBe(101);
  expect(end?.toolCalls?.at(-1)).toEqual({ name: "…[cut: 150 items]" });
  expect(JSON.stringify(end).length).toBeLessThan(300_000);
});

describe("what is not of the type that LangChain promises", () => {
  test("goes out as text, and no event is lost", async () => {
    const odd = RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
      const manager = config.callbacks;
      if (manager === undefined || Array.isArray(manager)) throw new TypeError("no manager");
      const [handler] = manager.handlers;
      const id = manager.getParentRunId() ?? "";
      const odd = (value: unknown) => value as string;
      await handler?.handleCustomEvent?.(odd(5), "data", id);
      await handler?.handleText?.(odd({ a: 1 }), id);
      const action = { tool: odd(7), toolInput: "input" } as unknown as AgentAction;
      await handler?.handleAgentAction?.(action, id);
      await handler?.handleAgentEnd?.(
        { returnValues: { output: 8 } } as unknown as AgentFinish,
        id,
      );
      return "reported";
    }).withConfig({ runName: 9 as unknown as string });
    const { events } = await transcriptOf({
      runnable: RunnableSequence.from([() => 1, odd]),
      expose: "all",
    });
    expect(events.map(({ type }) => type)).toEqual(
      "chainStart chainStart chainEnd chainStart custom text agentAction agentFinish chainEnd chainEnd".split(
        " ",
      ),
    );
    expect(events).toMatchObject([
      {},
      {},
      {},
      { name: "9" },
      { name: "5" },
      { text: '{"a":1}' },
      { tool: "7" },
      {},
      {},
      {},
    ]);
  });

  test("a tool call without a name", async () => {
    const calls = [
      { index: 0, id: 5 as unknown as string, args: "{}", type: "tool_call_chunk" as const },
    ];
    const model = new ShapedModel({
      provider: "openai",
      calls: [
        [{ message: { content: "Hm.", tool_call_chunks: calls }, info: { finish_reason: "stop" } }],
      ],
    });
    const { outcome } = await transcriptOf({ runnable: model });
    expect(outcome).toMatchObject({ status: "completed" });
  });

  test.each([
    ["a run id that is used twice", "a6d3a9a0-0000-4000-8000-000000000000"],
    ["a run id of a megabyte", long("id")],
  ])("%s", async (_of, runId) => {
    const inner = RunnableLambda.from(() => "inner");
    const { events, outcome } = await transcriptOf({
      runnable: RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
        await inner.invoke("", { ...config, runId });
        await inner.invoke("", { ...config, runId });
        return "done";
      }),
    });
    expect(outcome).toMatchObject({ status: "completed", text: "done" });
    expect(events.map(({ type }) => type)).toEqual(
      "chainStart chainStart chainEnd chainStart chainEnd chainEnd".split(" "),
    );
    for (const { spanId } of events) expect(spanId.length).toBeLessThan(50);
  });

  test("a run id that is used twice at once: both spans end", async () => {
    const inner = RunnableLambda.from(() => "inner");
    const runId = crypto.randomUUID();
    const { events, outcome } = await transcriptOf({
      runnable: RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
        const again = { ...config, runId };
        await Promise.all([inner.invoke("", again), inner.invoke("", again)]);
        return "done";
      }),
    });
    expect(outcome).toMatchObject({ status: "completed", text: "done" });
    expect(events.filter(({ type }) => type === "chainEnd").length).toBe(3);
  });
});

describe("numbers that a provider decides", () => {
  const usages: readonly [string, object, object | undefined][] = [
    ["whole", { input_tokens: 3, output_tokens: 4, total_tokens: 7 }, { totalTokens: 7 }],
    [
      "a total past all numbers",
      { input_tokens: 3, output_tokens: 4, total_tokens: 1e300 },
      { totalTokens: 7 },
    ],
    [
      "a total that no integer is exact at",
      { input_tokens: 3, output_tokens: 4, total_tokens: 2 ** 60 },
      { totalTokens: 7 },
    ],
    [
      "none",
      { input_tokens: Number.NaN, output_tokens: Number.NaN, total_tokens: Number.NaN },
      undefined,
    ],
    [
      "negative",
      { input_tokens: -3, output_tokens: 4, total_tokens: 1 },
      { inputTokens: 0, outputTokens: 4, totalTokens: 1 },
    ],
    [
      "fractions",
      { input_tokens: 2.6, output_tokens: 4.2, total_tokens: 6.8 },
      { inputTokens: 3, outputTokens: 4, totalTokens: 7 },
    ],
    [
      "texts",
      { input_tokens: "3", output_tokens: "4", total_tokens: "7" },
      { inputTokens: 3, outputTokens: 4, totalTokens: 7 },
    ],
    [
      "details past all numbers",
      {
        input_tokens: 3,
        output_tokens: 4,
        total_tokens: 7,
        input_token_details: { cache_read: 1e300 },
        output_token_details: { reasoning: 1.5 },
      },
      { totalTokens: 7, reasoningTokens: 2 },
    ],
  ];
  test.each(usages)("%s: usage", async (_of, usage_metadata, expected) => {
    const message = { content: "Hello", usage_metadata } as object;
    const model = new ShapedModel({
      provider: "openai",
      calls: [[{ message, info: { finish_reason: "stop" } }]],
    });
    const { events, run } = await transcriptOf({ runnable: model });
    const ends = events.flatMap((event) => (event.type === "llmEnd" ? [event.usage] : []));
    expect(ends.length).toBe(1);
    if (expected === undefined) expect(ends).toEqual([undefined]);
    else expect(ends).toMatchObject([expected]);
    expect(run.usage).toEqual(ends[0]);
  });

  const waits: readonly [number, number | undefined][] = [
    [1500.2, 1501],
    [1e300, 2 ** 31 - 1],
    [Number.POSITIVE_INFINITY, undefined],
    [Number.NaN, undefined],
    [-1, undefined],
  ];
  test.each(waits)("a wait of %s ms", async (retryAfterMs, expected) => {
    const failing = RunnableLambda.from((): string => {
      throw new LangwireError("MODEL_RATE_LIMIT", { retryAfterMs });
    });
    const { events, outcome } = await transcriptOf({ runnable: failing });
    const error = events.find((event) => event.type === "error");
    expect(error?.retryAfterMs).toBe(expected);
    expect(outcome).toMatchObject({ status: "failed", error: { retryAfterMs: expected } });
  });

  test("a wait that the provider's header asks for", async () => {
    const failing = RunnableLambda.from((): string => {
      const headers = new Headers({ "retry-after-ms": "1e300" });
      throw Object.assign(new Error("429"), { lc_error_code: "MODEL_RATE_LIMIT", headers });
    });
    const { outcome } = await transcriptOf({ runnable: failing });
    expect(outcome).toMatchObject({ status: "failed", error: { retryAfterMs: 2 ** 31 - 1 } });
  });
});
