/** What a level of `expose` hides is in no event and in no answer: a canary in each hiding place. */
import { randomUUID } from "node:crypto";
import { AgentExecutor, createToolCallingAgent } from "@langchain/classic/agents";
import { BaseChain } from "@langchain/classic/chains";
import type { CallbackManagerForChainRun } from "@langchain/core/callbacks/manager";
import { Document } from "@langchain/core/documents";
import { HumanMessage, SystemMessage } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { BaseRetriever } from "@langchain/core/retrievers";
import {
  type RunnableConfig,
  RunnableLambda,
  RunnablePassthrough,
} from "@langchain/core/runnables";
import type { ToolRunnableConfig } from "@langchain/core/tools";
import {
  Annotation,
  Command,
  END,
  type LangGraphRunnableConfig,
  MessagesAnnotation,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type BotDefinition, defineBot, type Expose } from "../../src/bots/bot.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { ShapedModel } from "../support/shaped-model.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";

/** Which canaries each level shows, of those that a bot holds. Nothing else may. */
const shows: Record<Expose, readonly string[]> = {
  none: [],
  root: [],
  tools: ["ARGUMENT", "RESULT", "ARTIFACT", "DOCUMENT", "TEXT", "BESIDE", "FILE"],
  all: ["ARGUMENT", "RESULT", "ARTIFACT", "DOCUMENT", "TEXT", "BESIDE", "FILE", "STATE", "PROMPT"],
};

interface Holder extends Partial<BotDefinition> {
  readonly runnable: BotDefinition["runnable"];
  readonly holds: readonly string[];
  /** What the person said, and the answer: at `root` and above, the root's own payloads have both. */
  readonly visibleAtRoot?: readonly string[];
}

const lookup = tool(() => ["RESULT", { rows: ["ARTIFACT"] }], {
  name: "lookup",
  description: "",
  schema: z.object({ key: z.string() }),
  responseFormat: "content_and_artifact",
});
const drawing = tool(
  () => [
    [
      { type: "text", text: "RESULT" },
      { type: "image", mimeType: "image/png", data: "AAAA", metadata: { name: "FILE" } },
    ],
    [new Document({ pageContent: "DOCUMENT", metadata: { source: "DOCUMENT" } })],
  ],
  {
    ...{ name: "lookup", description: "", schema: z.object({ key: z.string() }) },
    responseFormat: "content_and_artifact",
  },
);
const chunkType = "tool_call_chunk" as const;
const failing = tool(
  () => {
    throw new Error("RESULT");
  },
  { name: "lookup", description: "", schema: z.object({ key: z.string() }) },
);
const handOver = tool(
  (_input, { toolCall }: ToolRunnableConfig) =>
    new Command({
      update: {
        messages: [{ role: "tool", content: "RESULT", tool_call_id: toolCall?.id ?? "" }],
      },
    }),
  { name: "lookup", description: "", schema: z.object({ key: z.string() }) },
);

const model = () =>
  scriptedModel([
    { tokens: ["Let me see."], toolCalls: [{ name: "lookup", args: { key: "ARGUMENT" } }] },
    { tokens: ["Done."] },
  ]);

class Documents extends BaseRetriever {
  lc_namespace = ["test"];

  override async _getRelevantDocuments(): Promise<Document[]> {
    return [new Document({ pageContent: "DOCUMENT", metadata: { source: "DOCUMENT" } })];
  }
}

class ReportingChain extends BaseChain {
  readonly inputKeys = ["input"];
  readonly outputKeys = ["output"];

  override _chainType(): string {
    return "reporting";
  }

  override async _call(_values: unknown, runManager?: CallbackManagerForChainRun) {
    await runManager?.handleText("TEXT");
    return { output: "Done." };
  }
}

const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  files: Annotation<Record<string, string>>(),
  route: Annotation<string>(),
});

const holders: Record<string, Holder> = {
  "an agent and its tool": {
    runnable: () => createAgent({ model: model(), tools: [lookup], systemPrompt: "PROMPT" }),
    holds: ["ARGUMENT", "RESULT", "ARTIFACT"],
    visibleAtRoot: ["hello", "Done."],
  },
  "a tool's files and sources": {
    runnable: () => createAgent({ model: model(), tools: [drawing] }),
    holds: ["ARGUMENT", "RESULT", "FILE", "DOCUMENT"],
  },
  "a call while it is written": {
    runnable: () => {
      const pieces = ['{"key":', '"ARGUMENT"}'].map((args, at) => ({
        message: {
          tool_call_chunks: [
            { index: 0, args, ...(at === 0 && { id: "c1", name: "lookup" }), type: chunkType },
          ],
        },
      }));
      const asks = [...pieces, { info: { finish_reason: "tool_calls" } }];
      const done = [{ message: { content: "Done." }, info: { finish_reason: "stop" } }];
      const writing = new ShapedModel({ provider: "openai", calls: [asks, done] });
      return createAgent({ model: writing, tools: [lookup] });
    },
    holds: ["ARGUMENT", "RESULT", "ARTIFACT"],
  },
  "channels of a state beside a declared one": {
    runnable: new StateGraph(State)
      .addNode("work", (_state, { writer }: LangGraphRunnableConfig) => {
        writer?.({ shown: 1 });
        return { messages: [{ role: "ai" as const, content: "Done." }], route: "STATE" };
      })
      .addEdge(START, "work")
      .compile(),
    state: { shown: z.number() },
    holds: ["STATE"],
  },
  "an agent whose tool fails": {
    runnable: () => createAgent({ model: model(), tools: [failing] }),
    holds: ["ARGUMENT"],
  },
  "an agent that hands over": {
    runnable: () => createAgent({ model: model(), tools: [handOver] }),
    holds: ["ARGUMENT", "RESULT"],
  },
  "a function around an agent": {
    runnable: RunnableLambda.from(async (_input: unknown, config) => {
      const agent = createAgent({ model: model(), tools: [lookup] });
      const state = await agent.invoke({ messages: "hello" }, config);
      return { output: "Done.", beside: "BESIDE", steps: state.messages.map(({ text }) => text) };
    }),
    holds: ["ARGUMENT", "RESULT", "ARTIFACT", "BESIDE"],
    visibleAtRoot: ["Done."],
  },
  "a graph's state": {
    runnable: new StateGraph(State)
      .addNode("work", () => ({
        messages: [{ role: "ai" as const, content: "Done." }],
        files: { "a.txt": "STATE" },
        route: "STATE",
      }))
      .addEdge(START, "work")
      .addEdge("work", END)
      .compile(),
    input: ({ message }) => ({
      messages: [new SystemMessage("PROMPT"), new HumanMessage(message)],
      route: "STATE",
    }),
    holds: ["STATE", "PROMPT"],
    visibleAtRoot: ["hello", "Done."],
  },
  "messages given as plain objects and pairs": {
    runnable: RunnableLambda.from((_input: { messages: unknown[] }) => "Done."),
    input: ({ message }) => ({
      messages: [
        ["system", "PROMPT"],
        { role: "developer", content: "PROMPT" },
        ["human", message],
      ],
    }),
    holds: ["PROMPT"],
    visibleAtRoot: ["hello", "Done."],
  },
  "a chain over documents": {
    runnable: RunnablePassthrough.assign({
      context: RunnableLambda.from(({ human_input }: { human_input: string }) => human_input).pipe(
        new Documents(),
      ),
    })
      .assign({ source_documents: ({ context }: { context: Document[] }) => context })
      .assign({ docs: ({ context }: { context: Document[] }) => context[0]?.pageContent })
      .assign({ answer: () => "Done." }),
    holds: ["DOCUMENT"],
    visibleAtRoot: ["hello", "Done."],
  },
  "a retriever": { runnable: new Documents(), holds: ["DOCUMENT"] },
  "an executor's steps": {
    runnable: RunnableLambda.from(() => ({
      input: "hello",
      output: "Done.",
      intermediateSteps: [
        {
          action: { tool: "lookup", toolInput: "ARGUMENT", log: "ARGUMENT" },
          observation: "RESULT",
        },
      ],
    })),
    holds: ["ARGUMENT", "RESULT"],
    visibleAtRoot: ["hello", "Done."],
  },
  "a chain that reports texts": {
    runnable: new ReportingChain(),
    input: ({ message }) => ({ input: message }),
    holds: ["TEXT"],
  },
};

const handlersOf = ({ callbacks }: RunnableConfig) =>
  Array.isArray(callbacks) || callbacks === undefined ? [] : callbacks.handlers;

/** Its tool calls a model with the run's handlers, and without its place in the run. */
const speaker = tool(
  async (_input, config: ToolRunnableConfig) => {
    const inner = scriptedModel([{ tokens: ["RESULT"] }]);
    return (await inner.invoke("PROMPT", { callbacks: handlersOf(config) })).text;
  },
  { name: "lookup", description: "", schema: z.object({ key: z.string() }) },
);

const executor = () =>
  AgentExecutor.fromAgentAndTools({
    agent: createToolCallingAgent({
      llm: scriptedModel([{ tokens: ["TEXT"] }]),
      tools: [lookup],
      prompt: ChatPromptTemplate.fromMessages([
        ["human", "{input}"],
        ["placeholder", "{agent_scratchpad}"],
      ]),
    }),
    tools: [lookup],
  });

Object.assign(holders, {
  "a runnable that is given the handlers and no parent": {
    runnable: RunnableLambda.from(async (_input: unknown, config) => {
      const inner = RunnableLambda.from((text: string) => ({ output: text }));
      await inner.invoke("PROMPT", { callbacks: handlersOf(config) });
      return "Done.";
    }),
    holds: ["PROMPT"],
    visibleAtRoot: ["Done."],
  },
  "a tool's model that is given the handlers and no parent": {
    runnable: () => createAgent({ model: model(), tools: [speaker] }),
    holds: ["ARGUMENT", "RESULT"],
  },
  "a tool's model that is given the handlers, beside other work": {
    runnable: RunnableLambda.from(async (_input: unknown, config) => {
      const inTool = Promise.withResolvers<void>();
      const began = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<void>();
      const beside = RunnableLambda.from(async () => {
        began.resolve();
        await ended.promise;
      });
      const late = tool(
        async (_arguments, toolConfig: ToolRunnableConfig) => {
          inTool.resolve();
          await began.promise;
          const inner = scriptedModel([{ tokens: ["RESULT"] }]);
          const { text } = await inner.invoke("PROMPT", { callbacks: handlersOf(toolConfig) });
          ended.resolve();
          return text;
        },
        { name: "lookup", description: "", schema: z.object({}) },
      );
      const working = late.invoke({}, config);
      await inTool.promise;
      await Promise.all([working, beside.invoke("", config)]);
      return "Done.";
    }),
    holds: ["RESULT"],
    visibleAtRoot: ["Done."],
  },
  "documents as texts in a chain without an answer": {
    runnable: RunnablePassthrough.assign({
      context: RunnableLambda.from(({ human_input }: { human_input: string }) => human_input)
        .pipe(new Documents())
        .pipe((found) => found.map(({ pageContent }) => pageContent)),
    }).pipe(({ human_input, context }) => ({ topic: human_input, context })),
    holds: ["DOCUMENT"],
    visibleAtRoot: ["hello"],
  },
  "an executor that is tagged as plumbing": {
    runnable: RunnableLambda.from(async (_input: unknown, config) => {
      const hidden = { ...config, tags: ["langsmith:hidden", "nostream"] };
      await executor().invoke({ input: "hello" }, hidden);
      return "Done.";
    }),
    holds: ["TEXT"],
    visibleAtRoot: ["Done."],
  },
} satisfies Record<string, Holder>);

const canaries = [...new Set(Object.values(holders).flatMap(({ holds }) => holds))];

describe.each(Object.keys(shows) as Expose[])("expose: %s", (expose) => {
  test.each(Object.entries(holders))("%s", async (_what, { holds, visibleAtRoot, ...holder }) => {
    const bot = defineBot({
      id: "bot",
      title: "Bot",
      description: "",
      memory: false,
      expose,
      ...holder,
    });
    await using server = await startTestServer({ bots: [bot] });
    using client = wsClient(server.url);
    const conversationId = randomUUID();
    const run = { runId: randomUUID(), botId: "bot", conversationId, message: "hello" };
    const { completed } = read((options) => client.api.chat.send.subscribe(run, options));
    const received = await completed;
    expectWholeRun(received);
    const asked = await Promise.all([
      client.api.conversations.messages.query({ conversationId }),
      client.api.conversations.list.query({}),
    ]);
    const events = received.map(({ event }) => event);
    const told = JSON.stringify([events, asked]);
    const found = canaries.filter((canary) => told.includes(canary));
    expect(found.toSorted()).toEqual(
      holds.filter((canary) => shows[expose].includes(canary)).toSorted(),
    );
    if (expose === "none" || visibleAtRoot === undefined) return;
    const root = events.find(({ type }) => type === "chainStart");
    const own = events.filter(
      (event) => "spanId" in event && root && "spanId" in root && event.spanId === root.spanId,
    );
    for (const text of visibleAtRoot) expect(JSON.stringify(own)).toContain(text);
  });
});
