import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import type { ChatPromptValueInterface } from "@langchain/core/prompt_values";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda, RunnableSequence } from "@langchain/core/runnables";
import { FakeListChatModel, FakeRetriever } from "@langchain/core/utils/testing";
import { MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { createAgent } from "langchain";
import { describe, expect, test } from "vitest";
import {
  type Bot,
  type BotDefinition,
  defineBot,
  type HistoryMessage,
} from "../../src/bots/bot.ts";
import { Catalogue } from "../../src/bots/catalogue.ts";
import { defaultContextTokens } from "../../src/bots/definition/settings.ts";
import { storedExchange } from "../../src/bots/exchange/stored-exchange.ts";
import { estimateTokens, recall } from "../../src/bots/memory.ts";
import { contextTokensOf } from "../../src/bots/model-limits.ts";
import { defaultInput } from "../../src/bots/run/bot-input.ts";
import { botInfo } from "../../src/protocol/conversations.ts";
import { transcriptOf } from "./transcript.ts";

const runnable = RunnableLambda.from(() => "hi");
/** A chain whose prompt has variables of its own naming; it answers with the prompt. */
const prompts = (template: string) =>
  ChatPromptTemplate.fromTemplate(template).pipe(
    RunnableLambda.from((prompt: ChatPromptValueInterface) => prompt.toString()),
  );
const bot = (definition: Partial<BotDefinition> = {}): Bot =>
  defineBot({ id: "bot", title: "Bot", description: "", runnable, ...definition });

describe("defineBot", () => {
  test("fills in what is not said", () => {
    expect(bot()).toMatchObject({
      memory: { k: 2, contextTokens: defaultContextTokens },
      expose: "root",
      schemas: { input: { type: "string" }, output: { type: "string" } },
    });
  });

  test.each<[object, RegExp]>([
    [{ id: "not an id" }, /Bot "not an id"[\s\S]*at id/],
    [{ title: "" }, /at title/],
    [{ runnable: {} }, /LangChain runnable[\s\S]*at runnable/],
    [{ memory: { k: -1 } }, /at memory/],
    [{ expose: "some" }, /at expose/],
    [{ input: "text" }, /must be a function[\s\S]*at input/],
    [{ speaks: true }, /must be a function[\s\S]*at speaks/],
    [{ schemas: { inputs: {} } }, /inputs/],
    [{ runnable: prompts("{a} {b}") }, /its prompt asks for a, b: say with `input`/],
    [{ runnable: prompts("{a} {b}"), output: String }, /its prompt asks for a, b/],
    [{ runnable: prompts("{history} {a}") }, /its prompt asks for history, a/],
  ])("refuses %j, and says why", (wrong, message) => {
    expect(() => bot(wrong)).toThrow(message);
  });

  test("takes a factory, which knows who asks", async () => {
    const { outcome } = await transcriptOf({
      runnable: async ({ userId }) => RunnableLambda.from(() => `hello ${userId}`),
    });
    expect(outcome).toEqual({ status: "completed", text: "hello somebody" });
  });

  test("a factory that makes no runnable fails the run", async () => {
    const broken = (() => ({})) as unknown as BotDefinition["runnable"];
    const { outcome } = await transcriptOf({ runnable: broken });
    expect(outcome).toMatchObject({ status: "failed", error: { code: "BOT_FAILED" } });
  });

  test("a bot that returns nothing, where nobody spoke, is told of to whoever runs it", async () => {
    const told: string[] = [];
    const onFailure = (what: string, cause: unknown) => void told.push(`${what}: ${cause}`);
    const returning = (value: unknown) =>
      transcriptOf({ runnable: RunnableLambda.from(() => value), onFailure });
    expect((await returning(undefined)).outcome).toMatchObject({ status: "completed" });
    const nothing =
      'a bot returned nothing, and no model spoke: TypeError: Bot "bot": is a `return` missing?';
    expect(told).toEqual([nothing]);
    await returning(null);
    expect(told).toEqual([nothing, nothing]);
    const model = new FakeListChatModel({ responses: ["said"] });
    const speaks = RunnableLambda.from(async (_input: unknown, config) => {
      await model.invoke("x", config);
    });
    for (const value of ["hi", "", 0]) await returning(value);
    await transcriptOf({ runnable: speaks, onFailure });
    await transcriptOf({ runnable: RunnableLambda.from(() => {}), output: () => "ok", onFailure });
    expect(told).toHaveLength(2);
  });

  test("a prompt's one variable is given the message, whoever makes the chain", async () => {
    const chain = prompts("Q: {question}");
    for (const runnable of [chain, chain.withRetry(), () => chain]) {
      const { outcome } = await transcriptOf({ runnable });
      expect(outcome).toEqual({ status: "completed", text: expect.stringContaining("Q: hello") });
    }
  });

  test("what a factory's prompt asks for besides fails the run by name", async () => {
    const { outcome } = await transcriptOf({ runnable: () => prompts("{a} {b}") });
    const cause = { message: expect.stringContaining("its prompt asks for a, b") };
    expect(outcome).toMatchObject({ status: "failed", error: { code: "BOT_FAILED", cause } });
  });

  test("a prompt with many variables is a bot's whose own input fills them", async () => {
    const { outcome } = await transcriptOf({
      runnable: prompts("{a}/{b}"),
      input: ({ message }) => ({ a: message, b: "x" }),
    });
    expect(outcome).toMatchObject({ status: "completed", text: expect.stringContaining("/x") });
  });

  test("a bot's own input and output are used", async () => {
    const { outcome } = await transcriptOf({
      runnable: RunnableLambda.from(({ question }: { question: string }) => ({ found: question })),
      input: ({ message }, { userId }) => ({ question: `${userId}: ${message}` }),
      output: (value) => JSON.stringify(value),
    });
    expect(outcome).toEqual({ status: "completed", text: '{"found":"somebody: hello"}' });
  });
});

describe("the catalogue", () => {
  test("lists its bots and finds them", () => {
    const catalogue = new Catalogue([bot(), bot({ id: "other" })]);
    expect(catalogue.list(100).map(({ id }) => id)).toEqual(["bot", "other"]);
    for (const info of catalogue.list(100)) {
      expect(botInfo.parse(info).maxMessageLength).toBe(100);
    }
    expect(catalogue.get("other")?.id).toBe("other");
    expect(catalogue.get("none")).toBeUndefined();
  });

  test("refuses two bots with one id", () => {
    expect(() => new Catalogue([bot(), bot()])).toThrow(/two bots with the id "bot"/);
    // In place of others: then it has those that it had.
    const catalogue = new Catalogue([bot({ id: "one" }), bot({ id: "two" })]);
    const replaced = () => catalogue.replace([bot({ id: "three" }), bot(), bot()]);
    expect(replaced).toThrow(/two bots with the id "bot"/);
    expect(catalogue.list(100).map(({ id }) => id)).toEqual(["one", "two"]);
  });
});

describe("the default input of", () => {
  const history: HistoryMessage[] = [
    { role: "human", text: "a" },
    { role: "ai", text: "b" },
  ];
  const before = [new HumanMessage("a"), new AIMessage("b")];
  const all = [...before, new HumanMessage("c")];
  const model = new FakeListChatModel({ responses: ["x"] });
  const prompt = ChatPromptTemplate.fromMessages([["human", "{human_input}"]]);
  const graph = new StateGraph(MessagesAnnotation)
    .addNode("n", () => ({}))
    .addEdge("__start__", "n")
    .compile();

  test.each<[string, unknown, unknown]>([
    ["a chain", prompt.pipe(model), { history: before, human_input: "c" }],
    [
      "a prompt of one text",
      ChatPromptTemplate.fromTemplate("Say {question}").pipe(model),
      { question: "c" },
    ],
    [
      "a prompt of a text and messages",
      ChatPromptTemplate.fromMessages([
        ["placeholder", "{chat}"],
        ["human", "{input}"],
      ]),
      { chat: before, input: "c" },
    ],
    [
      "a prompt of messages",
      ChatPromptTemplate.fromMessages([["placeholder", "{messages}"]]),
      { messages: all },
    ],
    ["a lambda", runnable, { history: before, human_input: "c" }],
    ["a model", model, all],
    [
      "a model with settings, retries and fallbacks",
      model.withConfig({}).withRetry().withFallbacks([model]),
      all,
    ],
    ["a chain that begins with a model", RunnableSequence.from([model, runnable]), all],
    ["a graph", graph, { messages: all }],
    ["a graph with settings", graph.withConfig({ tags: ["x"] }), { messages: all }],
    ["an agent", createAgent({ model, tools: [] }), { messages: all }],
    ["a retriever", new FakeRetriever(), "c"],
  ])("%s", (_what, of, input) => {
    expect(defaultInput(of, { message: "c", history, messages: before })).toEqual(input);
  });
});

describe("memory", () => {
  const exchanges = (count: number, text = (at: number) => `${at}`): HistoryMessage[] =>
    Array.from({ length: count }, (_, at): HistoryMessage[] => [
      { role: "human", text: text(at) },
      { role: "ai", text: text(at) },
    ]).flat();

  test("is the last k exchanges", () => {
    const recalled = recall(
      { k: 2, contextTokens: 1_000 },
      { message: "x", history: exchanges(5) },
    );
    expect(recalled.history.map(({ text }) => text)).toEqual(["3", "3", "4", "4"]);
    expect(recalled.messages.map(({ text }) => text)).toEqual(["3", "3", "4", "4"]);
  });

  test("is none where there is none", () => {
    const turn = { message: "x", history: exchanges(2) };
    const nothing = { message: "x", history: [], messages: [] };
    expect(recall(false, turn)).toEqual(nothing);
    expect(recall({ k: 0, contextTokens: 1_000 }, turn)).toEqual(nothing);
  });

  test("keeps a question that was never answered", () => {
    const history: HistoryMessage[] = [...exchanges(1), { role: "human", text: "hello?" }];
    const recalled = recall({ k: 1, contextTokens: 1_000 }, { message: "x", history });
    expect(recalled.history).toEqual([{ role: "human", text: "hello?" }]);
  });

  test("has nothing of a turn that was stopped before a word was said", () => {
    const stopped: HistoryMessage[] = [
      { role: "human", text: "stopped" },
      { role: "ai", text: "" },
    ];
    const history = [...exchanges(1), ...stopped];
    const recalled = recall({ k: 2, contextTokens: 1_000 }, { message: "x", history });
    expect(recalled.history.map(({ text }) => text)).toEqual(["0", "0"]);
    expect(recalled.messages.map(({ text }) => text)).toEqual(["0", "0"]);
  });

  test("gives up whole exchanges, the oldest first, to leave room in the context", () => {
    const history = exchanges(3, () => "x".repeat(400));
    const recalled = recall({ k: 3, contextTokens: 700 }, { message: "y".repeat(200), history });
    expect([recalled.history.length, recalled.messages.length]).toEqual([4, 4]);
    const none = recall({ k: 3, contextTokens: 100 }, { message: "y", history });
    expect([none.history, none.messages]).toEqual([[], []]);
  });

  describe("of tools", () => {
    const call = { id: "c1", name: "look", args: { at: "x".repeat(2_000) } };
    const step = [
      new AIMessage({ content: "", tool_calls: [call] }),
      new ToolMessage({ tool_call_id: "c1", content: "seen" }),
    ];
    const modelMessages = storedExchange(step);
    const turn = (text: string) => ({
      message: "x",
      history: [
        { role: "human" as const, text: "a" },
        { role: "ai" as const, text, modelMessages },
      ],
    });

    test("counts their arguments, and gives up the tools before the exchange", () => {
      const typesAt = (contextTokens: number) =>
        recall({ k: 1, contextTokens }, turn("b")).messages.map(({ type }) => type);
      expect(typesAt(1_000)).toEqual(["human", "ai", "tool", "ai"]);
      expect(typesAt(500)).toEqual(["human", "ai"]);
      expect(typesAt(15)).toEqual([]);
    });

    test("has a turn without an answer among the messages, and not among the texts", () => {
      const { history, messages } = recall({ k: 1, contextTokens: 1_000 }, turn(""));
      expect(history).toEqual([]);
      expect(messages.map(({ type }) => type)).toEqual(["human", "ai", "tool", "ai"]);
    });
  });

  test("has no exchange that stands before one that did not fit", () => {
    const history = exchanges(3, (at) => (at === 1 ? "long".repeat(1_000) : `${at}`));
    const { history: kept, messages } = recall(
      { k: 9, contextTokens: 500 },
      { message: "x", history },
    );
    expect(kept.map(({ text }) => text)).toEqual(["2", "2"]);
    expect(messages.map(({ text }) => text)).toEqual(["2", "2"]);
  });

  test("counts four ASCII characters as a token, and each other character as one", () => {
    expect(estimateTokens("12345678")).toBe(2);
    expect(estimateTokens("炭酸水")).toBe(3);
  });

  test("the bot is given no more than it, however long the history", async () => {
    let given: unknown;
    await transcriptOf({
      memory: { k: 1 },
      history: exchanges(5),
      runnable: RunnableLambda.from(({ history }: { history: unknown }) => {
        given = history;
      }),
    });
    expect(given).toEqual([new HumanMessage("4"), new AIMessage("4")]);
  });
});

test("context sizes go by the longest prefix that fits", () => {
  expect(contextTokensOf("openai:gpt-4.1-mini")).toBe(1_047_576);
  expect(contextTokensOf("gpt-4o")).toBe(128_000);
  expect(contextTokensOf("openai:gpt-4")).toBe(8_192);
  expect(contextTokensOf("openai:llama3.2:1b")).toBe(128_000);
  expect(contextTokensOf("openai:something-of-mine")).toBe(defaultContextTokens);
});
