/** What a run says of itself besides its events: who sees what, how it ends, when it is silent. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { AIMessageChunk } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda, RunnableSequence } from "@langchain/core/runnables";
import { FakeRetriever } from "@langchain/core/utils/testing";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineBot, type Expose } from "../../src/bots/bot.ts";
import { type SpanEvent, startBot } from "../../src/bots/run/run-bot.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { transcriptOf } from "./transcript.ts";

const modelOf = (provider: MockProvider) =>
  new ChatOpenAI({
    model: "test-model",
    apiKey: "none",
    configuration: { baseURL: provider.baseUrl },
    maxRetries: 0,
  });

const prompt = ChatPromptTemplate.fromMessages([
  ["system", "the secret of the prompt"],
  ["human", "{human_input}"],
]);

const leaky = tool(({ wish }) => `granted: ${wish}`, {
  name: "leaky",
  description: "Grants wishes",
  schema: z.object({ wish: z.string() }),
});
const broken = tool(
  () => {
    throw new Error("the secret of the tool");
  },
  { name: "broken", description: "Fails", schema: z.object({}) },
);

describe("what leaves the server", () => {
  const of = (events: readonly SpanEvent[], type: SpanEvent["type"]) =>
    events.filter((event) => event.type === type);

  async function agentEvents(expose: Expose): Promise<readonly SpanEvent[]> {
    await using provider = await startMockProvider();
    provider.answer({ steps: [{ toolCall: "leaky", args: { wish: "gold" } }] });
    provider.answer({ steps: ["Done."] });
    const agent = createAgent({ model: modelOf(provider), tools: [leaky], systemPrompt: "hush" });
    return (await transcriptOf({ runnable: agent, expose })).events;
  }

  test("none: no payload", async () => {
    const events = await agentEvents("none");
    expect(
      events.filter((event) => "input" in event || "output" in event || "log" in event),
    ).toEqual([]);
    expect(of(events, "llmEnd")[0]).toMatchObject({ toolCalls: [{ id: "call_1", name: "leaky" }] });
    expect(JSON.stringify(events)).not.toMatch(/gold|hush/);
  });

  test("root: what the bot takes and returns", async () => {
    const events = await agentEvents("root");
    expect(of(events, "chainStart").map((event) => "input" in event)).toEqual([
      true,
      ...of(events, "chainStart")
        .slice(1)
        .map(() => false),
    ]);
    expect(of(events, "agentAction")[0]).not.toHaveProperty("input");
    expect(of(events, "toolStart")[0]).not.toHaveProperty("input");
    expect(of(events, "agentFinish")[0]).toMatchObject({ output: "Done." });
    expect(JSON.stringify(of(events, "llmEnd"))).not.toContain("gold");
  });

  test("tools: what tools and agent actions do, too", async () => {
    const events = await agentEvents("tools");
    const input = { wish: "gold" };
    expect(of(events, "agentAction")[0]).toMatchObject({ input });
    expect(of(events, "toolStart")[0]).toMatchObject({ input });
    expect(of(events, "toolEnd")[0]).toMatchObject({ output: "granted: gold" });
    expect(of(events, "llmEnd")[0]).toMatchObject({ toolCalls: [{ name: "leaky", args: input }] });
    expect(of(events, "chainStart").filter((event) => "input" in event)).toHaveLength(1);
  });

  test("all: every chain's", async () => {
    const events = await agentEvents("all");
    expect(of(events, "chainStart").every((event) => "input" in event)).toBe(true);
  });

  test("documents go with the tools", async () => {
    const runnable = RunnableSequence.from([() => "query", new FakeRetriever()]);
    const documents = [{ text: "foo" }, { text: "bar" }].map((document) =>
      expect.objectContaining(document),
    );
    const hidden = await transcriptOf({ runnable });
    expect(of(hidden.events, "retrieverEnd")[0]).not.toHaveProperty("documents");
    expect(of(hidden.events, "retrieverStart")[0]).not.toHaveProperty("query");
    const shown = await transcriptOf({ runnable, expose: "tools" });
    expect(of(shown.events, "retrieverStart")[0]).toMatchObject({ query: "query" });
    expect(of(shown.events, "retrieverEnd")[0]).toMatchObject({ documents });
  });

  test("never the prompt, unless all is exposed", async () => {
    await using provider = await startMockProvider();
    const runnable = prompt.pipe(modelOf(provider));
    for (const expose of ["none", "root", "tools"] as const) {
      const { events } = await transcriptOf({ runnable, expose });
      expect(JSON.stringify(events)).not.toContain("secret");
    }
    const { events } = await transcriptOf({ runnable, expose: "all" });
    expect(JSON.stringify(events)).toContain("secret");
  });

  test("never the words of an error, wherever they surface", async () => {
    await using provider = await startMockProvider();
    provider.answer({ steps: [{ toolCall: "broken", args: {} }] });
    provider.answer({ steps: ["Sorry."] });
    const agent = createAgent({ model: modelOf(provider), tools: [broken] });
    const { events, outcome } = await transcriptOf({ runnable: agent, expose: "all" });
    expect(outcome).toEqual({ status: "completed", text: "Sorry." });
    expect(JSON.stringify(events)).not.toContain("secret");
  });
});

describe("a run ends", () => {
  test("failed, where a tool's error is not caught, with the tool's code everywhere", async () => {
    const runnable = RunnableLambda.from((_input, config) => broken.invoke({}, config));
    const { outcome, events } = await transcriptOf({ runnable });
    expect(outcome).toMatchObject({ status: "failed", error: { code: "TOOL_FAILED" } });
    expect(events.filter((event) => event.type === "error").map(({ code }) => code)).toEqual([
      "TOOL_FAILED",
      "TOOL_FAILED",
    ]);
  });

  test("failed, where a model answered with nothing and LangChain took it for an answer", async () => {
    await using provider = await startMockProvider();
    provider.answer({ steps: [], finishReason: null, usage: null });
    const model = modelOf(provider);
    const runnable = RunnableLambda.from(async (_input, config) => {
      let whole: AIMessageChunk | undefined;
      for await (const chunk of await model.stream("hi", config))
        whole = whole?.concat(chunk) ?? chunk;
      return whole?.text ?? "";
    });
    const { outcome } = await transcriptOf({ runnable });
    expect(outcome).toMatchObject({ status: "failed", error: { code: "PROVIDER_ERROR" } });
  });

  test("completed, where a model may stop without a word", async () => {
    await using provider = await startMockProvider();
    provider.answer({ steps: [], finishReason: "stop" });
    const { outcome } = await transcriptOf({ runnable: modelOf(provider) });
    expect(outcome).toEqual({ status: "completed", text: undefined });
  });

  test("completed, with all spans closed, also those that the bot left running", async () => {
    await using provider = await startMockProvider();
    provider.answerAll({ steps: ["Half", "stall"] });
    const model = modelOf(provider);
    const spoke = Promise.withResolvers<void>();
    const runnable = RunnableLambda.from(async (_input, config) => {
      model.invoke("hi", config).catch(() => {});
      await spoke.promise;
      return "done";
    });
    const { outcome, events } = await transcriptOf({
      runnable,
      onEvent: ({ type }) => {
        if (type === "token") spoke.resolve();
      },
    });
    expect(outcome).toEqual({ status: "completed", text: "done" });
    expect(events.map(({ type }) => type)).toEqual([
      "chainStart",
      "llmStart",
      "token",
      "chainEnd",
      "llmEnd",
    ]);
  });

  test("once, and silently from then on", async () => {
    const events: SpanEvent[] = [];
    const stopping = new AbortController();
    const going = Promise.withResolvers<void>();
    const resumed = Promise.withResolvers<void>();
    const bot = defineBot({
      id: "bot",
      title: "Bot",
      description: "",
      runnable: RunnableLambda.from(async (_input, config) => {
        going.resolve();
        await resumed.promise;
        return RunnableLambda.from(() => "too late").invoke("", { ...config, signal: undefined });
      }),
    });
    const run = startBot(bot, {
      context: { runId: "run", conversationId: "conversation", userId: "somebody" },
      turn: { message: "hello", history: [] },
      emit: (event) => events.push(event),
      spoken: () => "",
      signal: stopping.signal,
    });
    await going.promise;
    stopping.abort();
    expect((await run.done).status).toBe("failed");
    resumed.resolve();
    await nextTurn();
    expect(events.map(({ type }) => type)).toEqual(["chainStart"]);
  });
});

test("usage is known while the run goes on, and sums its models", async () => {
  await using provider = await startMockProvider();
  const counts = (prompt_tokens: number, completion_tokens: number) => ({
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  });
  provider.answer({ steps: ["one"], ...counts(10, 1) });
  provider.answer({ steps: ["two", "cut"], ...counts(20, 2) });
  const model = modelOf(provider);
  const { run, outcome } = await transcriptOf({ runnable: RunnableSequence.from([model, model]) });
  expect(outcome.status).toBe("failed");
  expect(run.usage).toEqual({ inputTokens: 10, outputTokens: 1, totalTokens: 11 });
});

test("handlers of the owner's see the same run", async () => {
  const names: (string | undefined)[] = [];
  class Tracer extends BaseCallbackHandler {
    readonly name = "tracer";
    override handleChainStart(...parts: unknown[]): void {
      names.push(String(parts[7]));
    }
  }
  await transcriptOf({ runnable: RunnableLambda.from(() => "x"), callbacks: [new Tracer()] });
  expect(names).toEqual(["bot"]);
});
