/**
 * Every callback of LangChain's, proved against the runnables that call it: the real ChatOpenAI
 * over HTTP, agents old and new, graphs, retrievers. A row is a runnable, what the provider
 * answers, and the events as lines.
 */
import { AgentExecutor, createToolCallingAgent } from "@langchain/classic/agents";
import { BaseChain } from "@langchain/classic/chains";
import { InMemoryCache } from "@langchain/core/caches";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import type { CallbackManagerForChainRun } from "@langchain/core/callbacks/manager";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import {
  type RunnableConfig,
  RunnableLambda,
  RunnableParallel,
  RunnableSequence,
} from "@langchain/core/runnables";
import { FakeRetriever, FakeStreamingLLM } from "@langchain/core/utils/testing";
import { interrupt, MemorySaver, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { ChatOpenAI, type ChatOpenAIFields } from "@langchain/openai";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type MockProvider,
  type Reply,
  startMockProvider,
  words,
} from "../support/mock-provider.ts";
import { outline, type TranscriptOptions, transcriptOf } from "./transcript.ts";

type MakeModel = (fields?: ChatOpenAIFields) => ChatOpenAI;

const modelOf =
  (provider: MockProvider): MakeModel =>
  (fields) =>
    new ChatOpenAI({
      model: "test-model",
      apiKey: "none",
      configuration: { baseURL: provider.baseUrl },
      maxRetries: 0,
      ...fields,
    });

const prompt = ChatPromptTemplate.fromMessages([["human", "{human_input}"]]);
const agentPrompt = ChatPromptTemplate.fromMessages([
  ["placeholder", "{chat_history}"],
  ["human", "{input}"],
  ["placeholder", "{agent_scratchpad}"],
]);

const add = tool(({ a, b }) => String(a + b), {
  name: "add",
  description: "Adds",
  schema: z.object({ a: z.number(), b: z.number() }),
});
const count = tool(
  async function* ({ to }) {
    for (let at = 1; at <= to; at++) yield { at };
    return "counted";
  },
  { name: "count", description: "Counts", schema: z.object({ to: z.number() }) },
);
const broken = tool(
  () => {
    throw new Error("the secret of the tool");
  },
  { name: "broken", description: "Fails", schema: z.object({}) },
);
const failing = RunnableLambda.from((): string => {
  throw new Error("the secret of the chain");
});
class FailingRetriever extends FakeRetriever {
  override _getRelevantDocuments(): Promise<never> {
    return Promise.reject(new Error("the secret of the retriever"));
  }
}

class ReportingChain extends BaseChain {
  readonly inputKeys = ["input"];
  readonly outputKeys = ["output"];
  override _chainType(): "reporting" {
    return "reporting";
  }
  override async _call({ input }: Record<string, string>, runManager?: CallbackManagerForChainRun) {
    await runManager?.handleText(`Thinking of ${input}`);
    return { output: "thought" };
  }
}

/** Some handler of a user's that asks for the newer way of streaming. */
class PrefersStreamEvents extends BaseCallbackHandler {
  readonly name = "prefers-stream-events";
  readonly lc_prefer_chat_model_stream_events = true;
}

const three: Reply = { steps: words("It is three.") };
const callAdd: Reply = { steps: ["Let me see.", { toolCall: "add", args: { a: 1, b: 2 } }] };
const modelThinks =
  (model: ChatOpenAI) =>
  async (state: typeof MessagesAnnotation.State, config: RunnableConfig) => ({
    messages: [await model.invoke(state.messages, config)],
  });

interface Row extends Partial<Omit<TranscriptOptions, "runnable">> {
  readonly of: string;
  readonly shows: readonly string[];
  readonly runnable: (model: MakeModel) => TranscriptOptions["runnable"];
  readonly answers?: readonly Reply[];
  readonly lines: readonly string[];
}

const rows: readonly Row[] = [
  {
    of: "an LCEL chain",
    shows: ["chainStart", "chainEnd", "llmStart", "token", "llmEnd"],
    runnable: (model) => prompt.pipe(model()).pipe(new StringOutputParser()),
    lines: [
      "chainStart bot",
      "  chainStart ChatPromptTemplate",
      "  chainEnd ChatPromptTemplate",
      "  llmStart ChatOpenAI",
      "  token ChatOpenAI: You said: hello",
      "  llmEnd ChatOpenAI",
      "  chainStart StrOutputParser",
      "  chainEnd StrOutputParser",
      "chainEnd bot",
    ],
  },
  {
    of: "an LLM that is no chat model",
    shows: ["llmStart", "token", "llmEnd"],
    runnable: () => new FakeStreamingLLM({ responses: ["hey"] }),
    lines: ["llmStart bot", "token bot: hey", "llmEnd bot"],
  },
  {
    of: "createAgent",
    shows: ["agentAction", "toolStart", "toolEnd", "agentFinish"],
    runnable: (model) => createAgent({ model: model(), tools: [add] }),
    answers: [callAdd, three],
    lines: [
      "chainStart bot",
      "  chainStart model_request",
      "    llmStart ChatOpenAI",
      "    token ChatOpenAI: Let me see.",
      "    toolInput ChatOpenAI",
      "    llmEnd ChatOpenAI: add",
      "agentAction bot: add",
      "    chainStart RunnableLambda",
      "    chainEnd RunnableLambda",
      "  chainEnd model_request",
      "  chainStart tools",
      "    toolStart add",
      "    toolEnd add",
      "  chainEnd tools",
      "  chainStart model_request",
      "    llmStart ChatOpenAI",
      "    token ChatOpenAI: It is three.",
      "    llmEnd ChatOpenAI",
      "    chainStart RunnableLambda",
      "    chainEnd RunnableLambda",
      "  chainEnd model_request",
      "agentFinish bot",
      "chainEnd bot",
    ],
  },
  {
    of: "the classic AgentExecutor, whose actions come once",
    shows: ["agentAction", "agentFinish"],
    runnable: (model) => {
      const agent = createToolCallingAgent({ llm: model(), tools: [add], prompt: agentPrompt });
      return new AgentExecutor({ agent, tools: [add] });
    },
    answers: [callAdd, three],
    lines: [
      "chainStart bot",
      "  chainStart ToolCallingAgent",
      "    chainStart RunnableAssign",
      "      chainStart RunnableMap",
      "        chainStart RunnableLambda",
      "        chainEnd RunnableLambda",
      "      chainEnd RunnableMap",
      "    chainEnd RunnableAssign",
      "    chainStart ChatPromptTemplate",
      "    chainEnd ChatPromptTemplate",
      "    llmStart ChatOpenAI",
      "    token ChatOpenAI: Let me see.",
      "    toolInput ChatOpenAI",
      "    llmEnd ChatOpenAI: add",
      "    chainStart ToolCallingAgentOutputParser",
      "    chainEnd ToolCallingAgentOutputParser",
      "  chainEnd ToolCallingAgent",
      "agentAction bot: add",
      "  toolStart add",
      "  toolEnd add",
      "  chainStart ToolCallingAgent",
      "    chainStart RunnableAssign",
      "      chainStart RunnableMap",
      "        chainStart RunnableLambda",
      "        chainEnd RunnableLambda",
      "      chainEnd RunnableMap",
      "    chainEnd RunnableAssign",
      "    chainStart ChatPromptTemplate",
      "    chainEnd ChatPromptTemplate",
      "    llmStart ChatOpenAI",
      "    token ChatOpenAI: It is three.",
      "    llmEnd ChatOpenAI",
      "    chainStart ToolCallingAgentOutputParser",
      "    chainEnd ToolCallingAgentOutputParser",
      "  chainEnd ToolCallingAgent",
      "agentFinish bot",
      "chainEnd bot",
    ],
  },
  {
    of: "a fallback, after the first model had sent tokens",
    shows: ["error", "reset"],
    runnable: (model) => prompt.pipe(model().withFallbacks([model()])),
    answers: [{ steps: ["Half an", "cut"] }],
    lines: [
      "chainStart bot",
      "  chainStart ChatPromptTemplate",
      "  chainEnd ChatPromptTemplate",
      "  chainStart RunnableWithFallbacks",
      "    llmStart ChatOpenAI",
      "    token ChatOpenAI: Half an",
      "    error ChatOpenAI: PROVIDER_ERROR",
      "    reset ChatOpenAI",
      "    llmStart ChatOpenAI",
      "    token ChatOpenAI: You said: hello",
      "    llmEnd ChatOpenAI",
      "  chainEnd RunnableWithFallbacks",
      "chainEnd bot",
    ],
  },
  {
    of: "a fallback that is no model",
    shows: ["reset"],
    runnable: (model) =>
      RunnableSequence.from([prompt, model(), new StringOutputParser()]).withFallbacks([
        RunnableLambda.from(() => "Sorry."),
      ]),
    answers: [{ steps: ["Half an", "cut"] }],
    lines: [
      "chainStart bot",
      "  chainStart RunnableSequence",
      "    chainStart ChatPromptTemplate",
      "    chainEnd ChatPromptTemplate",
      "    llmStart ChatOpenAI",
      "    token ChatOpenAI: Half an",
      "    error ChatOpenAI: PROVIDER_ERROR",
      "  error RunnableSequence: PROVIDER_ERROR",
      "  chainStart RunnableLambda",
      "  chainEnd RunnableLambda",
      "    reset ChatOpenAI",
      "chainEnd bot",
    ],
  },
  {
    of: "a retriever",
    shows: ["retrieverStart", "retrieverEnd"],
    runnable: () => new FakeRetriever(),
    lines: ["retrieverStart bot", "retrieverEnd bot"],
  },
  {
    of: "a retriever that fails",
    shows: ["error"],
    runnable: () => new FailingRetriever(),
    lines: ["retrieverStart bot", "error bot: BOT_FAILED"],
  },
  {
    of: "parallel branches",
    shows: ["llmStart", "llmEnd"],
    runnable: (model) => RunnableParallel.from({ a: model(), b: model() }),
    input: ({ message }) => message,
    answers: [{ steps: ["one"] }, { steps: ["two"] }],
    lines: [
      "chainStart bot",
      "  llmStart ChatOpenAI",
      "  llmStart ChatOpenAI",
      "  token ChatOpenAI: one",
      "  token ChatOpenAI: two",
      "  llmEnd ChatOpenAI",
      "  llmEnd ChatOpenAI",
      "chainEnd bot",
    ],
  },
  {
    of: "a batch",
    shows: ["llmStart", "llmEnd"],
    runnable: (model) =>
      RunnableLambda.from(async (_input, config) => {
        const answers = await model().batch(["one", "two"], config, { maxConcurrency: 1 });
        return answers.map(({ text }) => text).join();
      }),
    lines: [
      "chainStart bot",
      "  llmStart ChatOpenAI",
      "  token ChatOpenAI: You said: one",
      "  llmEnd ChatOpenAI",
      "  llmStart ChatOpenAI",
      "  token ChatOpenAI: You said: two",
      "  llmEnd ChatOpenAI",
      "chainEnd bot",
    ],
  },
  {
    of: "a cached model, asked the same twice",
    shows: ["token"],
    runnable: (model) => {
      const cached = model({ cache: new InMemoryCache() });
      return RunnableSequence.from([() => "hello", cached, () => "hello", cached]);
    },
    lines: [
      "chainStart bot",
      "  chainStart RunnableLambda",
      "  chainEnd RunnableLambda",
      "  llmStart ChatOpenAI",
      "  token ChatOpenAI: You said: hello",
      "  llmEnd ChatOpenAI",
      "  chainStart RunnableLambda",
      "  chainEnd RunnableLambda",
      "  llmStart ChatOpenAI",
      "  token ChatOpenAI: You said: hello",
      "  llmEnd ChatOpenAI",
      "chainEnd bot",
    ],
  },
  {
    of: "a generator tool",
    shows: ["toolStart", "toolProgress", "toolEnd"],
    runnable: () => RunnableLambda.from((_input, config) => count.invoke({ to: 2 }, config)),
    lines: [
      "chainStart bot",
      "  toolStart count",
      "  toolProgress count",
      "  toolProgress count",
      "  toolEnd count",
      "chainEnd bot",
    ],
  },
  {
    of: "a tool that fails",
    shows: ["error"],
    runnable: () => RunnableLambda.from((_input, config) => broken.invoke({}, config)),
    lines: [
      "chainStart bot",
      "  toolStart broken",
      "  error broken: TOOL_FAILED",
      "error bot: TOOL_FAILED",
    ],
  },
  {
    of: "a chain that fails",
    shows: ["error"],
    runnable: () => RunnableSequence.from([(input: unknown) => input, failing]),
    lines: [
      "chainStart bot",
      "  chainStart RunnableLambda",
      "  chainEnd RunnableLambda",
      "  chainStart RunnableLambda",
      "  error RunnableLambda: BOT_FAILED",
      "error bot: BOT_FAILED",
    ],
  },
  {
    of: "nested graphs",
    shows: ["chainStart", "token"],
    runnable: (model) => {
      const inner = new StateGraph(MessagesAnnotation)
        .addNode("think", modelThinks(model()))
        .addEdge("__start__", "think")
        .compile({ name: "inner" });
      return new StateGraph(MessagesAnnotation)
        .addNode("delegate", inner)
        .addEdge("__start__", "delegate")
        .compile();
    },
    lines: [
      "chainStart bot",
      "  chainStart delegate",
      "    chainStart inner",
      "      chainStart think",
      "        llmStart ChatOpenAI",
      "        token ChatOpenAI: You said: hello",
      "        llmEnd ChatOpenAI",
      "      chainEnd think",
      "    chainEnd inner",
      "  chainEnd delegate",
      "chainEnd bot",
    ],
  },
  {
    of: "a graph that stops to ask a human, which is no failure",
    shows: ["chainEnd"],
    runnable: () =>
      new StateGraph(MessagesAnnotation)
        .addNode("ask", () => {
          interrupt("Shall I?");
          return {};
        })
        .addEdge("__start__", "ask")
        .compile({ checkpointer: new MemorySaver() }),
    lines: [
      "chainStart bot",
      "  chainStart ask",
      '  custom ask: interrupt "Shall I?"',
      "  chainEnd ask",
      "chainEnd bot",
    ],
  },
  {
    of: "custom events",
    shows: ["custom"],
    runnable: () =>
      RunnableLambda.from(async (_input, config) => {
        await dispatchCustomEvent("progress", { percent: 50 }, config);
        return "done";
      }),
    lines: ["chainStart bot", 'custom bot: progress {"percent":50}', "chainEnd bot"],
  },
  {
    of: "a classic chain that reports texts",
    shows: ["text"],
    expose: "tools",
    runnable: () => new ReportingChain(),
    input: ({ message }) => ({ input: message }),
    lines: ["chainStart bot", "text bot: Thinking of hello", "chainEnd bot"],
  },
  {
    of: "a model that reasons",
    shows: ["reasoning"],
    runnable: (model) => prompt.pipe(model()),
    answers: [{ steps: [{ reasoning: "Well, " }, { reasoning: "yes." }, "Yes."] }],
    lines: [
      "chainStart bot",
      "  chainStart ChatPromptTemplate",
      "  chainEnd ChatPromptTemplate",
      "  llmStart ChatOpenAI",
      "  reasoning ChatOpenAI: Well, yes.",
      "  token ChatOpenAI: Yes.",
      "  llmEnd ChatOpenAI",
      "chainEnd bot",
    ],
  },
  {
    of: "chat model stream events, which replace the tokens",
    shows: ["token", "reasoning"],
    runnable: (model) => prompt.pipe(model()),
    callbacks: [new PrefersStreamEvents()],
    answers: [{ steps: [{ reasoning: "Well." }, "Yes, ", "yes."] }],
    lines: [
      "chainStart bot",
      "  chainStart ChatPromptTemplate",
      "  chainEnd ChatPromptTemplate",
      "  llmStart ChatOpenAI",
      "  reasoning ChatOpenAI: Well.",
      "  token ChatOpenAI: Yes, yes.",
      "  llmEnd ChatOpenAI",
      "chainEnd bot",
    ],
  },
  {
    of: "a model that does not stream",
    shows: ["token"],
    runnable: (model) => prompt.pipe(model({ disableStreaming: true })),
    lines: [
      "chainStart bot",
      "  chainStart ChatPromptTemplate",
      "  chainEnd ChatPromptTemplate",
      "  llmStart ChatOpenAI",
      "  token ChatOpenAI: You said: hello",
      "  llmEnd ChatOpenAI",
      "chainEnd bot",
    ],
  },
  {
    of: "a model whose tokens are not for the reader",
    shows: ["llmStart", "llmEnd"],
    runnable: (model) => model().withConfig({ tags: ["nostream"] }),
    lines: ["llmStart bot", "llmEnd bot"],
  },
  {
    of: "hidden plumbing: what shows below it belongs above it",
    shows: ["custom", "llmStart"],
    runnable: (model) =>
      RunnableSequence.from([
        RunnableLambda.from(async (_input, config) => {
          await dispatchCustomEvent("inside", null, config);
          return model().invoke("hello", config);
        }).withConfig({ runName: "plumbing", tags: ["langsmith:hidden"] }),
        new StringOutputParser(),
      ]),
    lines: [
      "chainStart bot",
      "custom bot: inside null",
      "  llmStart ChatOpenAI",
      "  token ChatOpenAI: You said: hello",
      "  llmEnd ChatOpenAI",
      "  chainStart StrOutputParser",
      "  chainEnd StrOutputParser",
      "chainEnd bot",
    ],
  },
  {
    of: "hidden plumbing, exposed",
    shows: ["chainStart"],
    expose: "all",
    runnable: () =>
      RunnableSequence.from([
        RunnableLambda.from(() => "x").withConfig({
          runName: "plumbing",
          tags: ["langsmith:hidden"],
        }),
        new StringOutputParser(),
      ]),
    lines: [
      "chainStart bot",
      "  chainStart plumbing",
      "  chainEnd plumbing",
      "  chainStart StrOutputParser",
      "  chainEnd StrOutputParser",
      "chainEnd bot",
    ],
  },
  {
    of: "an agent whose tool fails, and which copes",
    shows: ["error", "agentFinish"],
    runnable: (model) => createAgent({ model: model(), tools: [broken] }),
    answers: [{ steps: [{ toolCall: "broken", args: {} }] }, { steps: ["Sorry."] }],
    lines: [
      "chainStart bot",
      "  chainStart model_request",
      "    llmStart ChatOpenAI",
      "    toolInput ChatOpenAI",
      "    llmEnd ChatOpenAI: broken",
      "agentAction bot: broken",
      "    chainStart RunnableLambda",
      "    chainEnd RunnableLambda",
      "  chainEnd model_request",
      "  chainStart tools",
      "    toolStart broken",
      "    error broken: TOOL_FAILED",
      "  chainEnd tools",
      "  chainStart model_request",
      "    llmStart ChatOpenAI",
      "    token ChatOpenAI: Sorry.",
      "    llmEnd ChatOpenAI",
      "    chainStart RunnableLambda",
      "    chainEnd RunnableLambda",
      "  chainEnd model_request",
      "agentFinish bot",
      "chainEnd bot",
    ],
  },
];

describe("the events of", () => {
  test.each(rows)("$of", async ({ of: _of, shows, runnable, answers = [], lines, ...options }) => {
    await using provider = await startMockProvider();
    for (const reply of answers) provider.answer(reply);
    const { events } = await transcriptOf({ ...options, runnable: runnable(modelOf(provider)) });
    expect(outline(events)).toEqual(lines);
    const types = new Set<string>(events.map(({ type }) => type));
    expect(shows.filter((type) => !types.has(type))).toEqual([]);
  });

  test("all kinds are in the table", () => {
    const shown = new Set(rows.flatMap(({ shows }) => shows));
    expect([...shown].sort()).toEqual(
      [
        ...["chainStart", "chainEnd", "llmStart", "llmEnd", "token", "reasoning", "reset", "error"],
        ...["toolStart", "toolProgress", "toolEnd", "agentAction", "agentFinish"],
        ...["retrieverStart", "retrieverEnd", "text", "custom"],
      ].sort(),
    );
  });
});
