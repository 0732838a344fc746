/**
 * What is text, what is reasoning and why it ended, in the shapes in which LangChain's packages tell
 * it: Anthropic's blocks, Gemini's callbacks without a chunk, Mistral's arrays, Ollama's thinking as
 * the callback's string, OpenAI's responses, the fields of servers that are compatible with OpenAI.
 */
import { BaseCache } from "@langchain/core/caches";
import { AIMessage } from "@langchain/core/messages";
import type { Generation } from "@langchain/core/outputs";
import { describe, expect, test } from "vitest";
import type { SpanEvent } from "../../src/bots/run/run-bot.ts";
import { type Piece, ShapedModel } from "../support/shaped-model.ts";
import { transcriptOf } from "./transcript.ts";

interface Row {
  readonly of: string;
  readonly provider: string;
  readonly pieces: readonly Piece[];
  readonly tokens: string;
  readonly reasoning?: string;
  readonly finishReason?: string;
}

const block = (fields: Record<string, unknown>): Piece["message"] => ({
  content: [fields] as never,
});
const ended = (finishReason: string): Piece => ({ info: { finish_reason: finishReason } });
const summary = (text: string) => ({
  additional_kwargs: { reasoning: { summary: [{ type: "summary_text", text, index: 0 }] } },
});

const rows: readonly Row[] = [
  {
    of: "Anthropic: text, then a tool's arguments as the callback's string",
    provider: "anthropic",
    pieces: [
      { token: "Hel", message: block({ index: 0, type: "text", text: "Hel" }) },
      { token: "lo.", message: block({ index: 0, type: "text", text: "lo." }) },
      {
        token: '{"path":',
        message: block({ index: 1, type: "input_json_delta", input: '{"path":' }),
      },
      { message: { content: [], additional_kwargs: { stop_reason: "end_turn" } } },
    ],
    tokens: "Hello.",
    finishReason: "end_turn",
  },
  {
    of: "Anthropic: thinking, its signature, text with a citation",
    provider: "anthropic",
    pieces: [
      { message: block({ index: 0, type: "thinking", thinking: "Well." }) },
      { message: block({ index: 0, type: "thinking", signature: "c2ln" }) },
      { token: "Yes.", message: block({ index: 1, type: "text", text: "Yes." }) },
      { message: block({ index: 1, type: "text", citations: [{ cited_text: "no text" }] }) },
      { message: { content: [], additional_kwargs: { stop_reason: "end_turn" } } },
    ],
    tokens: "Yes.",
    reasoning: "Well.",
    finishReason: "end_turn",
  },
  {
    of: "Ollama: thinking as the callback's string",
    provider: "ollama",
    pieces: [
      { token: "Well.", message: { additional_kwargs: { reasoning_content: "Well." } } },
      { message: { content: "Yes." } },
      { message: { response_metadata: { done_reason: "stop" } } },
    ],
    tokens: "Yes.",
    reasoning: "Well.",
    finishReason: "stop",
  },
  {
    of: "Gemini: callbacks without a chunk, thoughts in the message alone",
    provider: "google_genai",
    pieces: [
      { withoutChunk: true, message: block({ type: "thinking", thinking: "Well." }) },
      { withoutChunk: true, token: "Ye", message: { content: "Ye" } },
      {
        withoutChunk: true,
        token: "s.",
        message: { content: "s." },
        info: { finishReason: "STOP" },
      },
    ],
    tokens: "Yes.",
    reasoning: "Well.",
    finishReason: "STOP",
  },
  {
    of: "Gemini: of a chunk with several texts the callback gets the first",
    provider: "google_genai",
    pieces: [
      {
        withoutChunk: true,
        token: "One. ",
        message: {
          content: [
            { type: "text", text: "One. " },
            { type: "text", text: "Two." },
          ],
        },
        info: { finishReason: "STOP" },
      },
    ],
    tokens: "One. Two.",
    finishReason: "STOP",
  },
  {
    of: "Mistral: thinking as an array of texts",
    provider: "mistral",
    pieces: [
      { message: block({ type: "thinking", thinking: [{ type: "text", text: "Well." }] }) },
      { message: { content: "Yes." } },
      { info: { finishReason: "stop" } },
    ],
    tokens: "Yes.",
    reasoning: "Well.",
    finishReason: "stop",
  },
  {
    of: "OpenAI's responses: reasoning twice in a chunk, all of it again in the last one",
    provider: "openai",
    pieces: [
      {
        message: {
          ...block({ type: "reasoning", reasoning: "Well.", index: 0 }),
          ...summary("Well."),
        },
      },
      { token: "Yes.", message: block({ type: "text", text: "Yes.", index: 0 }) },
      {
        message: {
          content: [],
          response_metadata: {
            model_provider: "openai",
            status: "completed",
            output: [
              { type: "reasoning", summary: [{ type: "summary_text", text: "Well." }] },
              {
                type: "message",
                content: [{ type: "output_text", text: "Yes.", annotations: [] }],
              },
            ],
          },
        },
      },
    ],
    tokens: "Yes.",
    reasoning: "Well.",
    finishReason: "completed",
  },
  {
    of: "OpenAI's responses: what was incomplete says why",
    provider: "openai",
    pieces: [
      { token: "Half", message: block({ type: "text", text: "Half", index: 0 }) },
      {
        message: {
          content: [],
          response_metadata: {
            status: "incomplete",
            incomplete_details: { reason: "max_output_tokens" },
          },
        },
      },
    ],
    tokens: "Half",
    finishReason: "max_output_tokens",
  },
  {
    of: "OpenAI's responses: a refusal",
    provider: "openai",
    pieces: [
      { message: { content: [], additional_kwargs: { refusal: "I will not." } } },
      { message: { content: [], response_metadata: { status: "completed" } } },
    ],
    tokens: "I will not.",
    finishReason: "refusal",
  },
  {
    of: "a compatible server: `reasoning_content` with text in the same chunk",
    provider: "openai",
    pieces: [
      { message: { content: "Y", additional_kwargs: { reasoning_content: "Well." } } },
      { message: { content: "es." } },
      ended("stop"),
    ],
    tokens: "Yes.",
    reasoning: "Well.",
    finishReason: "stop",
  },
  {
    of: "a compatible server: `reasoning`, and the same again as `reasoning_details`",
    provider: "openrouter",
    pieces: [
      {
        message: {
          additional_kwargs: {
            reasoning: "Well.",
            reasoning_details: [{ type: "reasoning.text", text: "Well." }],
          },
        },
      },
      {
        message: {
          additional_kwargs: {
            reasoning_details: [{ type: "reasoning.summary", summary: " Yes." }],
          },
        },
      },
      { message: { content: "Yes." } },
      ended("stop"),
    ],
    tokens: "Yes.",
    reasoning: "Well. Yes.",
    finishReason: "stop",
  },
  {
    of: "a model that speaks aloud: the transcript",
    provider: "openai",
    pieces: [
      { message: { additional_kwargs: { audio: { id: "a", transcript: "Hel" } } } },
      { message: { additional_kwargs: { audio: { data: "UklGRg==", transcript: "lo." } } } },
      ended("stop"),
    ],
    tokens: "Hello.",
    finishReason: "stop",
  },
];

const joined = (events: readonly SpanEvent[], type: "token" | "reasoning"): string =>
  events.map((event) => (event.type === type ? event.text : "")).join("");
const reasonsOf = (events: readonly SpanEvent[]) =>
  events.flatMap((event) => (event.type === "llmEnd" ? [event.finishReason] : []));

describe.each([{ whole: false }, { whole: true }])("at once: $whole", ({ whole }) => {
  test.each(rows)("$of", async ({ provider, pieces, tokens, reasoning = "", finishReason }) => {
    const runnable = new ShapedModel({ provider, calls: [pieces], whole });
    const { events, outcome } = await transcriptOf({ runnable });
    expect(joined(events, "token")).toBe(tokens);
    expect(joined(events, "reasoning")).toBe(reasoning);
    expect(reasonsOf(events)).toEqual([finishReason]);
    expect(outcome.status).toBe("completed");
  });
});

test("what the callbacks said is taken back where the message says otherwise", async () => {
  const pieces = [{ withoutChunk: true, token: '{"a":1}', message: { content: "Yes." } }];
  const runnable = new ShapedModel({ provider: "custom", calls: [pieces] });
  const { events } = await transcriptOf({ runnable });
  expect(events.map((event) => ("text" in event ? event.text : event.type))).toEqual([
    "llmStart",
    '{"a":1}',
    "reset",
    "Yes.",
    "llmEnd",
  ]);
});

describe("an answer that did not end", () => {
  const half: Piece = { message: { content: "Half an answer" } };
  const outcomeOf = async (provider: string, ...pieces: readonly Piece[]) => {
    const runnable = new ShapedModel({ provider, calls: [pieces] });
    return (await transcriptOf({ runnable })).outcome;
  };

  test.each(["openai", "anthropic", "google_genai", "mistral", "groq", "ollama"])(
    "fails the run where the provider's protocol always says why: %s",
    async (provider) => {
      const outcome = await outcomeOf(provider, half);
      expect(outcome).toMatchObject({ status: "failed", error: { code: "PROVIDER_ERROR" } });
    },
  );

  test("is an answer where nobody can be sure", async () => {
    expect(await outcomeOf("someone-else", half)).toMatchObject({ status: "completed" });
  });

  test.each(["error", "network_error", "OTHER", "MALFORMED_FUNCTION_CALL"])(
    "fails the run where its finish reason says so: %s",
    async (reason) => {
      const outcome = await outcomeOf("someone-else", half, ended(reason));
      expect(outcome).toMatchObject({ status: "failed", error: { code: "PROVIDER_ERROR" } });
    },
  );

  test.each(["stop", "length", "content_filter", "SAFETY", "other"])(
    "and not where it ended for another reason: %s",
    async (reason) => {
      const outcome = await outcomeOf("openai", half, ended(reason));
      expect(outcome).toMatchObject({ status: "completed", text: "Half an answer" });
    },
  );

  test("is no matter where it came out of LangChain's cache", async () => {
    const runnable = new ShapedModel({ provider: "openai", calls: [[half]] });
    runnable.cache = new MessageCache();
    const { outcome, tokens } = await transcriptOf({ runnable });
    expect(outcome).toMatchObject({ status: "completed", text: "Cached." });
    expect(tokens).toBe("Cached.");
  });
});

/** Keeps messages alone, as caches in databases do: a finish reason beside the message is lost. */
class MessageCache extends BaseCache {
  override async lookup(): Promise<Generation[]> {
    const cached = { text: "", message: new AIMessage([{ type: "text", text: "Cached." }]) };
    return [cached];
  }

  override async update(): Promise<void> {}
}
