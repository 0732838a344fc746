/** What LangChain's documentation has bots look for in their config, and report through it. */
import { InMemoryChatMessageHistory } from "@langchain/core/chat_history";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate, MessagesPlaceholder } from "@langchain/core/prompts";
import {
  type Runnable,
  type RunnableConfig,
  RunnableLambda,
  RunnableWithMessageHistory,
} from "@langchain/core/runnables";
import {
  END,
  getWriter,
  type LangGraphRunnableConfig,
  MessagesAnnotation,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { BotRunnable } from "../../src/bots/bot.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { outline, transcriptOf } from "./transcript.ts";

describe("the writer of", () => {
  const node = (_state: unknown, config: LangGraphRunnableConfig) => {
    config.writer?.({ step: 1 });
    getWriter()?.({ step: 2 });
    return { messages: [{ role: "ai" as const, content: "Done." }] };
  };
  const graphOf = (inner: Runnable | typeof node) =>
    new StateGraph(MessagesAnnotation)
      .addNode("inner", inner as typeof node)
      .addEdge(START, "inner")
      .addEdge("inner", END)
      .compile();
  const work = tool(
    (_input, config: LangGraphRunnableConfig) => {
      config.writer?.({ step: 1 });
      return "ok";
    },
    { name: "work", description: "", schema: z.object({}) },
  );
  const agent = () =>
    createAgent({
      model: scriptedModel([{ toolCalls: [{ name: "work", args: {} }] }, { tokens: ["Done."] }]),
      tools: [work],
    });

  const rows: readonly (readonly [
    what: string,
    runnable: BotRunnable,
    span: string,
    steps: number[],
  ])[] = [
    ["a node", graphOf(node), "inner", [1, 2]],
    ["a subgraph's node", graphOf(graphOf(node)), "inner", [1, 2]],
    ["a tool", agent(), "work", [1]],
    ["an agent's tool, in a sequence", graphOf(agent().graph as unknown as Runnable), "work", [1]],
    [
      "a function",
      RunnableLambda.from((_input: unknown, config: RunnableConfig) => {
        (config as LangGraphRunnableConfig).writer?.({ step: 1 });
        return "Done.";
      }),
      "bot",
      [1],
    ],
  ];

  test.each(rows)("%s reaches readers, on its span", async (_what, runnable, span, steps) => {
    const { events, outcome } = await transcriptOf({ runnable });
    expect(outcome).toEqual({ status: "completed", text: "Done." });
    const written = outline(events).filter((line) => line.includes("writer"));
    expect(written.map((line) => line.trim())).toEqual(
      steps.map((step) => `custom ${span}: writer {"step":${step}}`),
    );
  });

  test("what is left running is silent after the end", async () => {
    let late: ((chunk: unknown) => void) | undefined;
    const runnable = RunnableLambda.from((_input: unknown, config: RunnableConfig) => {
      late = (config as LangGraphRunnableConfig).writer;
      return "Done.";
    });
    const { events } = await transcriptOf({ runnable });
    const before = events.length;
    late?.({ too: "late" });
    expect(events).toHaveLength(before);
  });
});

describe("configurable", () => {
  test("names the conversation and its user as LangChain's documentation does", async () => {
    let seen: unknown;
    const runnable = RunnableLambda.from((_input: unknown, { configurable }: RunnableConfig) => {
      seen = configurable;
      return "Done.";
    });
    await transcriptOf({ runnable });
    const conversation = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(seen).toMatchObject({
      thread_id: conversation,
      sessionId: conversation,
      session_id: conversation,
      userId: "somebody",
      user_id: "somebody",
    });
  });

  const withHistory = (keys: { inputMessagesKey?: string; historyMessagesKey?: string }) => {
    const history = new InMemoryChatMessageHistory();
    const model = scriptedModel([{ tokens: ["One."] }, { tokens: ["Two."] }]);
    const prompt = ChatPromptTemplate.fromMessages([
      new MessagesPlaceholder("chat_history"),
      ["human", "{question}"],
    ]);
    const runnable = new RunnableWithMessageHistory({
      runnable: keys.inputMessagesKey === undefined ? model : prompt.pipe(model),
      getMessageHistory: () => history,
      ...keys,
    });
    return { model, history, runnable };
  };

  test.each([{ inputMessagesKey: "question", historyMessagesKey: "chat_history" }, {}])(
    "makes a RunnableWithMessageHistory remember: %j",
    async (keys) => {
      const { runnable, model } = withHistory(keys);
      const chain = runnable.pipe(new StringOutputParser());
      const said = { history: [{ role: "human", text: "not this way" } as const] };
      await transcriptOf({ runnable: chain, message: "first", ...said });
      const { outcome } = await transcriptOf({ runnable: chain, message: "second", ...said });
      expect(outcome).toEqual({ status: "completed", text: "Two." });
      expect(model.calls[1]?.map(({ text }) => text)).toEqual(["first", "One.", "second"]);
    },
  );
});
