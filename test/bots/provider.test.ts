/** The bots that ship, with the real ChatOpenAI, against a provider that does as it is told. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AgentExecutor, createToolCallingAgent } from "@langchain/classic/agents";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage } from "@langchain/core/messages";
import type { ChatResult } from "@langchain/core/outputs";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda } from "@langchain/core/runnables";
import { MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { type Bot, type BotRunnable, defineBot } from "../../src/bots/bot.ts";
import { withSpan } from "../../src/bots/provider/provider-calls.ts";
import { createRetryingFetch } from "../../src/bots/provider/retrying-fetch.ts";
import { startBot } from "../../src/bots/run/run-bot.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import { AnswerFold } from "../../src/protocol/fold/answer-fold.ts";
import { agentBot } from "../../src/shipped/agent-bot.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { createModel, type ModelSettings } from "../../src/shipped/model.ts";
import { timeTool } from "../../src/shipped/tools/agent-tools.ts";
import {
  type MockProvider,
  type Reply,
  startMockProvider,
  words,
} from "../support/mock-provider.ts";
import { outline, type Transcript, type TurnOptions, transcriptOfBot } from "./transcript.ts";

const model = (provider: MockProvider, settings: Partial<ModelSettings> = {}) =>
  createModel({
    model: "openai:test-model",
    openaiApiKey: "key",
    openaiBaseUrl: provider.baseUrl,
    retryDelayMs: 1,
    ...settings,
  });

async function chat(
  provider: MockProvider,
  options: TurnOptions = {},
  settings?: Partial<ModelSettings>,
): Promise<Transcript> {
  return transcriptOfBot(chatBot({ model: await model(provider, settings) }), options);
}

describe("the chat bot", () => {
  test("asks with its memory, at temperature 0, and gets tokens, text and usage", async () => {
    await using provider = await startMockProvider();
    const history = [1, 2, 3].flatMap((at) => [
      { role: "human" as const, text: `question ${at}` },
      { role: "ai" as const, text: `answer ${at}` },
    ]);
    const { outcome, tokens, run } = await chat(provider, { history, message: "And now?" });
    expect(outcome).toEqual({ status: "completed", text: "You said: And now?" });
    expect(tokens).toBe("You said: And now?");
    expect(run.usage).toMatchObject({ outputTokens: 4 });
    expect(run.providerCalls).toBe(1);
    const { request, closed } = await provider.call(0);
    expect(request).toMatchObject({ model: "test-model", temperature: 0, stream: true });
    expect(request.messages.slice(1).map(({ content }) => content)).toEqual([
      "question 2",
      "answer 2",
      "question 3",
      "answer 3",
      "And now?",
    ]);
    expect(await closed).toBe("ended");
  });

  test("counts what the provider says it served from its cache and spent on reasoning", async () => {
    await using provider = await startMockProvider();
    provider.answer({
      steps: ["Yes."],
      usage: {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 64 },
        completion_tokens_details: { reasoning_tokens: 16 },
      },
    });
    const { events, run } = await chat(provider);
    const usage = {
      inputTokens: 100,
      outputTokens: 20,
      totalTokens: 120,
      cachedInputTokens: 64,
      reasoningTokens: 16,
    };
    expect(run.usage).toEqual(usage);
    expect(events.find(({ type }) => type === "llmEnd")).toMatchObject({
      usage,
      finishReason: "stop",
    });
  });
});

test("the agent bot calls its tools, and their payloads go out", async () => {
  await using provider = await startMockProvider();
  provider.answer({
    steps: [{ toolCall: "calculator", args: { expression: "6 * 7" }, argsInPieces: 4 }],
  });
  provider.answer({ steps: words("That makes 42.") });
  const { events, outcome, run } = await transcriptOfBot(
    agentBot({ model: await model(provider) }),
  );
  expect(outcome).toEqual({ status: "completed", text: "That makes 42." });
  expect(run.providerCalls).toBe(2);
  const written = events.flatMap((event) => (event.type === "toolInput" ? [event] : []));
  expect(written[0]).toMatchObject({ toolCallId: "call_1", name: "calculator" });
  expect(written.map(({ text }) => text ?? "").join("")).toBe('{"expression":"6 * 7"}');
  const others = events.filter(({ type }) => /^(tool(?!Input)|agent)/.test(type));
  expect(others).toEqual([
    expect.objectContaining({
      type: "agentAction",
      tool: "calculator",
      toolCallId: "call_1",
      input: { expression: "6 * 7" },
    }),
    expect.objectContaining({
      type: "toolStart",
      name: "calculator",
      toolCallId: "call_1",
      input: { expression: "6 * 7" },
    }),
    expect.objectContaining({ type: "toolEnd", output: "42" }),
    expect.objectContaining({ type: "agentFinish", output: "That makes 42." }),
  ]);
  expect(provider.calls[0]?.request.tools?.map((tool) => tool.function.name)).toEqual([
    "calculator",
    "time",
    "search",
  ]);
  const fold = new AnswerFold();
  for (const event of events) fold.add(event);
  expect(fold.text).toBe("That makes 42.");
});

describe("what goes wrong at the provider has its code:", () => {
  const garbage = (text: string) => new TextEncoder().encode(text);
  const overflow = {
    message: "This model's maximum context length is 8 tokens.",
    code: "context_length_exceeded",
  };
  const rows: readonly [string, Reply, ErrorCode, Partial<ModelSettings>?][] = [
    ["401", { status: 401 }, "MODEL_AUTHENTICATION"],
    ["403", { status: 403 }, "MODEL_AUTHENTICATION"],
    ["404", { status: 404 }, "MODEL_NOT_FOUND"],
    ["429", { status: 429 }, "MODEL_RATE_LIMIT"],
    ["500", { status: 500 }, "PROVIDER_ERROR"],
    ["503", { status: 503 }, "PROVIDER_ERROR"],
    [
      "a prompt that is too long",
      { status: 400, body: JSON.stringify({ error: overflow }) },
      "CONTEXT_OVERFLOW",
    ],
    ["an answer cut before it began", { steps: ["cut"] }, "PROVIDER_ERROR"],
    ["an answer cut in the middle", { steps: ["Half an", "cut"] }, "PROVIDER_ERROR"],
    [
      "a body that is no stream of events",
      { steps: [garbage("<html>busy</html>\n\n")], finishReason: null, usage: null },
      "PROVIDER_ERROR",
    ],
    [
      "a body of broken JSON",
      { steps: ["Half", garbage("data: {no json\n\n")], finishReason: null, usage: null },
      "PROVIDER_ERROR",
    ],
    ["an empty body", { steps: [], finishReason: null, usage: null }, "PROVIDER_ERROR"],
    [
      "no answer at all",
      { steps: [], headersAfterMs: 60_000 },
      "PROVIDER_TIMEOUT",
      { firstByteTimeoutMs: 50 },
    ],
    [
      "an answer that stalls",
      { steps: ["Half", "stall"] },
      "PROVIDER_TIMEOUT",
      { stallTimeoutMs: 500 },
    ],
  ];
  test.each(rows)("%s", async (_what, reply, code, settings) => {
    await using provider = await startMockProvider();
    provider.answerAll(reply);
    const { outcome, events } = await chat(provider, {}, settings);
    expect(outcome).toMatchObject({ status: "failed", error: { code } });
    const errors = events.filter((event) => event.type === "error");
    expect(errors.map(({ source, code }) => [source, code])).toEqual([
      ["llm", code],
      ["chain", code],
    ]);
    // The provider's own words stay here.
    expect(JSON.stringify(events)).not.toMatch(/mock|json|maximum|html/i);
  });

  test("nobody there", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const bot = chatBot({
      model: await createModel({
        model: "openai:test-model",
        openaiBaseUrl: `http://127.0.0.1:${port}/v1`,
        retryDelayMs: 1,
      }),
    });
    const { outcome, run } = await transcriptOfBot(bot);
    expect(outcome).toMatchObject({ status: "failed", error: { code: "PROVIDER_ERROR" } });
    expect(run.providerCalls).toBe(4);
  });

  test.each([
    [{ "retry-after": "120" }, 120_000],
    [{ "retry-after": "120", "retry-after-ms": "119500" }, 119_500],
  ])("429 with a time that is longer than anybody waits says it: %o", async (headers, ms) => {
    await using provider = await startMockProvider();
    provider.answerAll({ status: 429, headers });
    const { outcome, run } = await chat(provider);
    expect(outcome).toMatchObject({
      status: "failed",
      error: { code: "MODEL_RATE_LIMIT", retryAfterMs: ms },
    });
    expect(run.providerCalls).toBe(1);
  });
});

describe("retries", () => {
  test("are three, each recorded as a reset of the span", async () => {
    await using provider = await startMockProvider();
    for (const status of [503, 429, 500]) provider.answer({ status });
    const { outcome, events, run } = await chat(provider);
    expect(outcome).toEqual({ status: "completed", text: "You said: hello" });
    expect(run.providerCalls).toBe(4);
    expect(
      outline(events).filter((line) => line.startsWith("  llm") || line.includes("reset")),
    ).toEqual([
      "  llmStart ChatOpenAI",
      "  reset ChatOpenAI",
      "  reset ChatOpenAI",
      "  reset ChatOpenAI",
      "  llmEnd ChatOpenAI",
    ]);
  });

  test("end with the third", async () => {
    await using provider = await startMockProvider();
    provider.answerAll({ status: 503 });
    const { run } = await chat(provider);
    expect(run.providerCalls).toBe(4);
    expect(provider.calls).toHaveLength(4);
  });

  test("do not happen once a token has arrived, nor where they cannot help", async () => {
    for (const reply of [{ steps: ["Half", "cut"] }, { status: 401 }] satisfies Reply[]) {
      await using provider = await startMockProvider();
      provider.answerAll(reply);
      const { run } = await chat(provider);
      expect(run.providerCalls).toBe(1);
    }
  });

  test("of parallel calls are told to the right span", async () => {
    await using provider = await startMockProvider();
    provider.answerAll((call) =>
      call.lastText === "b" && provider.calls.length < 3 ? { status: 503 } : { steps: ["ok"] },
    );
    const { events } = await transcriptOfParallel(await model(provider));
    const started = events.filter((event) => event.type === "llmStart");
    const resets = events.filter((event) => event.type === "reset");
    expect(resets.map(({ spanId }) => spanId)).toEqual([started[1]?.spanId]);
  });
});

describe("a retry beside a model that asks nobody", () => {
  test("voids nothing of that model's", async () => {
    await using provider = await startMockProvider();
    provider.answer({ status: 503 });
    provider.answer({ steps: ["ok"] });
    const answered = Promise.withResolvers<void>();
    const asking = await model(provider);
    const runnable = RunnableLambda.from(async (_input, config) => {
      const other = new WaitingModel(answered.promise).invoke("a", config);
      const { text } = await asking.invoke("b", config);
      answered.resolve();
      return `${(await other).text} ${text}`;
    });
    const { events, outcome, run } = await transcriptOfBot(botOf(runnable));
    expect(outcome).toEqual({ status: "completed", text: "waited ok" });
    const started = events.filter((event) => event.type === "llmStart");
    expect(started.map(({ name }) => name)).toEqual(["WaitingModel", "ChatOpenAI"]);
    const resets = events.filter((event) => event.type === "reset");
    expect(resets.map(({ spanId }) => spanId)).toEqual([started[1]?.spanId]);
    expect(run.providerCalls).toBe(2);
  });
});

describe("a retry of a request that its model waits for no longer", () => {
  test("voids nothing of what the model has answered meanwhile", async () => {
    const answered = Promise.withResolvers<void>();
    const hedging = new HedgingModel(answered.promise);
    const runnable = RunnableLambda.from(async (_input, config) => {
      const { text } = await hedging.invoke("a", config);
      answered.resolve();
      await hedging.slower;
      return text;
    });
    const { events, outcome, run } = await transcriptOfBot(botOf(runnable));
    expect(outcome).toEqual({ status: "completed", text: "quick" });
    expect(run.providerCalls).toBe(2);
    expect(events.map(({ type }) => type)).toContain("llmEnd");
    expect(events.filter(({ type }) => type === "reset")).toEqual([]);
  });
});

/** Asks two servers and takes the answer that is there first; the other one refuses once it has answered. */
class HedgingModel extends BaseChatModel {
  slower: Promise<unknown> | undefined;
  readonly #fetch: typeof fetch;

  constructor(answered: Promise<void>) {
    super({});
    const statuses = [503, 200];
    this.#fetch = createRetryingFetch({
      firstDelayMs: 1,
      fetch: async () => {
        await answered;
        return new Response("{}", { status: statuses.shift() ?? expect.fail() });
      },
    });
  }

  override _llmType(): string {
    return "hedging";
  }

  override async _generate(
    ...[, , manager]: Parameters<BaseChatModel["_generate"]>
  ): Promise<ChatResult> {
    this.slower = withSpan(manager?.runId, () => this.#fetch("http://slower.test"));
    return { generations: [{ text: "quick", message: new AIMessage("quick") }] };
  }
}

/** A model of another kind, which is asked before and answers after. */
class WaitingModel extends BaseChatModel {
  readonly #until: Promise<void>;

  constructor(until: Promise<void>) {
    super({});
    this.#until = until;
  }

  override _llmType(): string {
    return "waiting";
  }

  override async _generate(): Promise<ChatResult> {
    await this.#until;
    return { generations: [{ text: "waited", message: new AIMessage("waited") }] };
  }
}

describe("stopping", () => {
  const prompt = ChatPromptTemplate.fromMessages([
    ["human", "{input}"],
    ["placeholder", "{agent_scratchpad}"],
  ]);
  const bots: Record<string, (model: BaseChatModel) => Bot> = {
    "the chat bot": (model) => chatBot({ model }),
    "the agent bot": (model) => agentBot({ model }),
    "a classic executor": (llm) => {
      const tools = [timeTool];
      const agent = createToolCallingAgent({ llm, tools, prompt });
      return botOf(new AgentExecutor({ agent, tools }));
    },
    "a graph": (model) =>
      botOf(
        new StateGraph(MessagesAnnotation)
          .addNode("think", async (state, config) => ({
            messages: [await model.invoke(state.messages, config)],
          }))
          .addEdge("__start__", "think")
          .compile(),
      ),
  };
  test.each(Object.keys(bots))("%s closes the provider's connection at once", async (name) => {
    await using provider = await startMockProvider();
    provider.answer({ steps: ["Half", "stall"] });
    const bot = bots[name]?.(await model(provider));
    if (bot === undefined) throw new Error("no such bot");
    const stopping = new AbortController();
    const { outcome, tokens, events } = await transcriptOfBot(bot, {
      signal: stopping.signal,
      onEvent: ({ type }) => {
        if (type === "token") stopping.abort();
      },
    });
    expect(outcome.status).toBe("failed");
    expect(tokens).toBe("Half");
    expect(events.at(-1)?.type).toBe("token");
    expect(await provider.calls[0]?.closed).toBe("aborted");
  });

  test("ends a wait between retries, and no call follows", async () => {
    await using provider = await startMockProvider();
    provider.answerAll({ status: 503 });
    const stopping = new AbortController();
    const bot = chatBot({ model: await model(provider, { retryDelayMs: 10_000 }) });
    const run = start(bot, stopping.signal);
    await (await provider.call(0)).closed;
    stopping.abort();
    expect((await run.done).status).toBe("failed");
    expect(provider.calls).toHaveLength(1);
  });

  test("before the start calls nobody", async () => {
    await using provider = await startMockProvider();
    const { outcome, events } = await chat(provider, { signal: AbortSignal.abort() });
    expect(outcome.status).toBe("failed");
    expect(events).toEqual([]);
    expect(provider.calls).toEqual([]);
  });
});

describe("the text arrives as the provider sent it:", () => {
  const texts = {
    "surrogate pairs": "𝒳 and 👩‍👩‍👧 and 🇯🇵",
    "combining marks": "e\u0301 a\u0308 が",
    CJK: "炭酸水についての歌詞、사이다, 汽水",
    "CRLF and lone CR": "one\r\ntwo\rthree\n\nfour\u2028five",
    // U+0000 alone becomes U+FFFD: databases cannot hold it (whole-characters.test.ts).
    "a byte order mark and controls": "\uFEFF\u0001\u0007\u001b[36mcyan",
  };
  test.each(Object.entries(texts))("%s", async (_what, text) => {
    for (const lineEnd of ["\n", "\r\n"] as const) {
      for (const bytesPerWrite of [1, 3, 4096]) {
        await using provider = await startMockProvider();
        provider.answer({ steps: [...text], lineEnd, bytesPerWrite });
        const { tokens, outcome } = await chat(provider);
        expect(tokens).toBe(text);
        expect(outcome).toEqual({ status: "completed", text });
      }
    }
  });
});

async function transcriptOfParallel(chatModel: Awaited<ReturnType<typeof model>>) {
  const runnable = RunnableLambda.from(async (_input, config) => {
    const answers = await chatModel.batch(["a", "b"], config);
    return answers.map(({ text }) => text).join();
  });
  return transcriptOfBot(botOf(runnable));
}

const botOf = (runnable: BotRunnable): Bot =>
  defineBot({ id: "bot", title: "Bot", description: "", runnable });

function start(bot: Bot, signal: AbortSignal) {
  return startBot(bot, {
    context: { runId: "run", conversationId: "conversation", userId: "somebody" },
    turn: { message: "hello", history: [] },
    emit() {},
    spoken: () => "",
    signal,
  });
}
