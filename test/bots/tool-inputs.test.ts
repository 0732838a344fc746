/** Tool calls while a model writes them, in the shapes in which LangChain's packages hand them on. */
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { AIMessageChunkFields } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Expose } from "../../src/bots/bot.ts";
import type { SpanEvent } from "../../src/bots/run/run-bot.ts";
import type { EventOf } from "../../src/protocol/events.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { type Piece, ShapedModel } from "../support/shaped-model.ts";
import { transcriptOf } from "./transcript.ts";

const write = tool(({ path }) => `wrote ${path}`, {
  name: "write",
  description: "Writes a file",
  schema: z.object({ path: z.string(), text: z.string().optional() }),
});

type Chunk = NonNullable<AIMessageChunkFields["tool_call_chunks"]>[number];
const piece = (...chunks: Partial<Chunk>[]): Piece => ({
  message: { tool_call_chunks: chunks as Chunk[] },
});
const done: Piece[] = [{ message: { content: "Done." }, info: { finish_reason: "stop" } }];
const asks: Piece = { info: { finish_reason: "tool_calls" } };

const inputsIn = (events: readonly SpanEvent[]): EventOf<"toolInput">[] =>
  events.filter((event) => event.type === "toolInput");

/** Each call that was written: its name and its arguments, joined. */
function written(events: readonly SpanEvent[]): Record<string, string> {
  const calls: Record<string, string> = {};
  for (const { toolCallId, name, text } of inputsIn(events)) {
    if (name !== undefined) calls[toolCallId] = `${name}: `;
    else calls[toolCallId] += text ?? "";
  }
  return calls;
}

const agentOf = (...pieces: Piece[]) =>
  createAgent({
    model: new ShapedModel({ provider: "openai", calls: [[...pieces, asks], done] }),
    tools: [write],
  });

const a = '{"path":"a"}';
const b = '{"path":"b"}';

describe("the pieces of a call are joined", () => {
  const shapes: readonly [string, Piece[], Record<string, string>][] = [
    [
      "numbered, the head first: OpenAI, Groq",
      [
        piece({ index: 0, id: "c1", name: "write", args: "" }),
        piece({ index: 0, args: '{"path"' }),
        piece({ index: 0, args: ':"a"}' }),
      ],
      { c1: `write: ${a}` },
    ],
    [
      "several at once, mixed",
      [
        piece({ index: 0, id: "c1", name: "write", args: "" }),
        piece({ index: 1, id: "c2", name: "write", args: '{"pa' }),
        piece({ index: 0, args: a }, { index: 1, args: 'th":"b"}' }),
      ],
      { c1: `write: ${a}`, c2: `write: ${b}` },
    ],
    [
      "beside text, in one chunk: Anthropic's blocks",
      [
        {
          token: "Well.",
          message: {
            content: [{ type: "text", text: "Well.", index: 0 }],
            tool_call_chunks: [
              { index: 1, id: "c1", name: "write", args: "", type: "tool_call_chunk" },
            ],
          },
        },
        {
          token: a,
          message: {
            content: [{ type: "input_json_delta", input: a, index: 1 }],
            tool_call_chunks: [{ index: 1, args: a, type: "tool_call_chunk" }],
          },
        },
      ],
      { c1: `write: ${a}` },
    ],
    [
      "beside text that is a string",
      [
        {
          token: "Well.",
          message: {
            content: "Well.",
            tool_call_chunks: [
              { index: 0, id: "c1", name: "write", args: a, type: "tool_call_chunk" },
            ],
          },
        },
      ],
      { c1: `write: ${a}` },
    ],
    [
      "whole, and all under one number: Ollama",
      [
        piece({ index: 0, id: "c1", name: "write", args: a }),
        piece({ index: 0, id: "c2", name: "write", args: b }),
      ],
      { c1: `write: ${a}`, c2: `write: ${b}` },
    ],
    [
      "the name last",
      [
        piece({ index: 0, id: "c1", args: '{"path":' }),
        piece({ index: 0, name: "write", args: '"a"}' }),
      ],
      { c1: `write: ${a}` },
    ],
    [
      "an id that comes with the name, behind the number",
      [piece({ index: 0 }), piece({ index: 0, id: "c1", name: "write", args: a })],
      { c1: `write: ${a}` },
    ],
    [
      "a name that each piece repeats",
      [
        piece({ index: 0, id: "c1", name: "write", args: '{"path"' }),
        piece({ index: 0, id: "c1", name: "write", args: ':"a"}' }),
      ],
      { c1: `write: ${a}` },
    ],
    [
      "a character that was cut in two",
      [
        piece({ index: 0, id: "c1", name: "write", args: '{"path":"\ud83d' }),
        piece({ index: 0, args: '\ude00"}' }),
      ],
      { c1: 'write: {"path":"😀"}' },
    ],
  ];
  test.each(shapes)("%s", async (_shape, pieces, expected) => {
    const { events } = await transcriptOf({ runnable: agentOf(...pieces), expose: "tools" });
    expect(written(events)).toEqual(expected);
    for (const { text } of inputsIn(events)) expect(text?.isWellFormed()).not.toBe(false);
    const starts = events.flatMap((e) => (e.type === "toolStart" ? [e.toolCallId] : []));
    expect(starts.sort().slice(0, 1)).toEqual(Object.keys(expected).slice(0, 1));
  });

  test("an id that comes last", async () => {
    const runnable = agentOf(
      piece({ index: 0, name: "write", args: '{"path"' }),
      piece({ index: 0, id: "c1", args: ':"a"}' }),
    );
    const { events } = await transcriptOf({ runnable, expose: "tools" });
    expect(written(events)).toEqual({ c1: `write: ${a}` });
  });

  test("a call without an id is none: LangChain runs no such call", async () => {
    const runnable = agentOf(piece({ index: 0, name: "write", args: a }));
    const { events } = await transcriptOf({ runnable, expose: "tools" });
    expect(inputsIn(events)).toEqual([]);
    expect(events.some(({ type }) => type === "toolStart")).toBe(false);
  });
});

/** Makes LangChain's models call back with its events in place of chunks. */
class WantsEvents extends BaseCallbackHandler {
  readonly name = "wants events";
  readonly lc_prefer_chat_model_stream_events = true;
}

test("LangChain's own events of a call are told as its chunks are", async () => {
  const runnable = agentOf(
    piece({ index: 0, id: "c1", name: "write", args: "" }),
    piece({ index: 0, args: '{"path"' }),
    piece({ index: 0, args: ':"a"}' }),
  );
  const { events } = await transcriptOf({
    runnable,
    expose: "tools",
    callbacks: [new WantsEvents()],
  });
  expect(written(events)).toEqual({ c1: `write: ${a}` });
});

describe("a call that a real model writes", () => {
  const written = {
    steps: [{ toolCall: "write", args: { path: "a", text: "…" }, argsInPieces: 5 }],
  };
  const openai = (baseURL: string) =>
    new ChatOpenAI({ model: "m", apiKey: "k", maxRetries: 0, configuration: { baseURL } });

  const levels: readonly [Expose, number][] = [
    ["none", 1],
    ["root", 1],
    ["tools", 6],
    ["all", 6],
  ];
  test.each(levels)("is seen at once, its arguments where tools are: %s", async (expose, count) => {
    await using provider = await startMockProvider();
    provider.answer(written);
    const model = openai(provider.baseUrl);
    const runnable = createAgent({ model, tools: [write] });
    const { events } = await transcriptOf({ runnable, expose });
    const inputs = inputsIn(events);
    expect(inputs).toHaveLength(count);
    expect(inputs[0]).toMatchObject({ toolCallId: "call_1", name: "write" });
    expect(
      inputs
        .slice(1)
        .map(({ text }) => text)
        .join(""),
    ).toBe(count > 1 ? '{"path":"a","text":"…"}' : "");
    const first = events.findIndex(({ type }) => type === "toolInput");
    expect(first).toBeLessThan(events.findIndex(({ type }) => type === "llmEnd"));
    expect(events.find((event) => event.type === "toolStart")).toMatchObject({
      toolCallId: "call_1",
    });
  });

  test("is none where nobody hears the model", async () => {
    await using provider = await startMockProvider();
    const model = openai(provider.baseUrl);
    const schema = z.object({ path: z.string() });
    const structured = model.withStructuredOutput(schema, {
      name: "write",
      method: "functionCalling",
    });
    const inner = tool(
      async (_input, config) => (await model.bindTools([write]).invoke("go", config)).text,
      { name: "inner", description: "", schema: z.object({}) },
    );
    const bound = model.bindTools([write]);
    const silent = [
      RunnableLambda.from(() => "go").pipe(structured),
      RunnableLambda.from((_input: unknown, config) =>
        bound.invoke("go", { ...config, tags: ["nostream"] }),
      ),
      RunnableLambda.from(() => ({})).pipe(inner),
    ];
    for (const runnable of silent) {
      provider.answer(written);
      const { events } = await transcriptOf({ runnable, expose: "all" });
      expect(events.some(({ type }) => type === "llmEnd")).toBe(true);
      expect(inputsIn(events)).toEqual([]);
    }
    provider.answer(written);
    const runnable = RunnableLambda.from(() => "go").pipe(bound);
    const { events } = await transcriptOf({ runnable, expose: "all", speaks: () => false });
    expect(inputsIn(events)).toEqual([]);
  });

  test("is void where a fallback begins anew", async () => {
    await using provider = await startMockProvider();
    const cut = { steps: [{ toolCall: "write", args: {}, id: "lost" }, "cut"] } as const;
    provider.answer(cut);
    provider.answer({ steps: [{ toolCall: "write", args: {}, id: "kept" }] });
    const bound = openai(provider.baseUrl).bindTools([write]);
    const runnable = RunnableLambda.from(() => "go").pipe(bound.withFallbacks([bound]));
    const { events } = await transcriptOf({ runnable, expose: "tools" });
    const story = events.flatMap((event) =>
      event.type === "toolInput" && event.name
        ? [event.toolCallId]
        : event.type === "reset"
          ? ["reset"]
          : [],
    );
    expect(story).toEqual(["lost", "reset", "kept"]);
  });
});
