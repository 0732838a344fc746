/** Bots whose native stream is laid beside what Langwire tells of them. */
import { fileURLToPath } from "node:url";
import type { BaseMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { type LangGraphRunnableConfig, MemorySaver } from "@langchain/langgraph";
import { createSupervisor } from "@langchain/langgraph-supervisor";
import { createHandoffTool, createSwarm } from "@langchain/langgraph-swarm";
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { createDeepAgent } from "deepagents";
import {
  createAgent,
  humanInTheLoopMiddleware,
  llmToolSelectorMiddleware,
  modelCallLimitMiddleware,
  piiMiddleware,
  summarizationMiddleware,
  todoListMiddleware,
} from "langchain";
import { z } from "zod";
import type { BotRunnable } from "../../../src/bots/bot.ts";
import { scriptedModel } from "../../../src/testing/index.ts";

/** What LangGraph's compiled graphs and agents have in common here. */
export interface NativeBot extends BotRunnable {
  stream(input: unknown, config: object): Promise<AsyncIterable<NativeChunk>>;
}

/** Where (the subgraphs on the way), in which of the stream's modes, what. */
export type NativeChunk = readonly [
  path: readonly string[],
  ...(
    | ["messages", readonly [message: BaseMessage, metadata: { readonly langgraph_node: string }]]
    | ["updates", Readonly<Record<string, Readonly<Record<string, unknown>> | null>>]
    | ["custom", unknown]
  ),
];

const called = (name: string, args: Record<string, unknown>) => ({ toolCalls: [{ name, args }] });
const lastIsTool = (messages: readonly BaseMessage[]): boolean => messages.at(-1)?.type === "tool";
const look = tool(
  ({ key }: { key: string }, config: LangGraphRunnableConfig) => {
    config.writer?.({ step: "looked" });
    return `row ${key}`;
  },
  { name: "look_up", description: "Looks up", schema: z.object({ key: z.string() }) },
);
const looker = () =>
  scriptedModel((messages) =>
    lastIsTool(messages)
      ? { tokens: ["Done."] }
      : { tokens: ["Let me look. "], ...called("look_up", { key: "a" }) },
  );

const bot = (runnable: unknown): NativeBot => runnable as NativeBot;

/** @param open What a bot opens is closed with it. */
type MakeBot = (open: AsyncDisposableStack) => NativeBot | Promise<NativeBot>;

export const nativeBots: Readonly<Record<string, MakeBot>> = {
  createAgent: () => bot(createAgent({ model: looker(), tools: [look] })),
  deepagents: () => {
    const model = scriptedModel((messages) => {
      if (messages[0]?.text.includes("You are a researcher")) return { tokens: ["Raw notes."] };
      if (lastIsTool(messages)) return { tokens: ["The report."] };
      return {
        tokens: ["Let me ask. "],
        ...called("task", { description: "fizz", subagent_type: "researcher" }),
      };
    });
    const researcher = {
      name: "researcher",
      description: "R",
      systemPrompt: "You are a researcher",
      tools: [],
    };
    return bot(createDeepAgent({ model, systemPrompt: "You lead", subagents: [researcher] }));
  },
  supervisor: () => {
    const math = createAgent({
      name: "math",
      model: scriptedModel([{ tokens: ["It is 42."] }]),
      tools: [],
    });
    const llm = scriptedModel([
      { tokens: ["One moment. "], ...called("transfer_to_math", {}) },
      { tokens: ["The answer is 42."] },
    ]);
    return bot(createSupervisor({ agents: [math.graph], llm }).compile());
  },
  swarm: () => {
    const alice = scriptedModel([{ tokens: ["Ask Bob. "], ...called("transfer_to_bob", {}) }]);
    const make = (name: string, model: typeof alice, to: string) =>
      createAgent({ name, model, tools: [createHandoffTool({ agentName: to })] }).graph;
    const agents = [
      make("alice", alice, "bob"),
      make("bob", scriptedModel([{ tokens: ["I am Bob."] }]), "alice"),
    ];
    return bot(createSwarm({ agents: agents as never, defaultActiveAgent: "alice" }).compile());
  },
  summarization: () =>
    bot(
      createAgent({
        model: scriptedModel([{ tokens: ["Done."] }]),
        tools: [],
        middleware: [
          summarizationMiddleware({
            model: scriptedModel([{ tokens: ["SUMMARY"] }]),
            trigger: { messages: 3 },
            keep: { messages: 1 },
          }),
        ],
      }),
    ),
  todoList: () =>
    bot(
      createAgent({
        model: scriptedModel([
          called("write_todos", { todos: [{ content: "Look", status: "pending" }] }),
          { tokens: ["Done."] },
        ]),
        tools: [],
        middleware: [todoListMiddleware()],
      }),
    ),
  modelCallLimit: () =>
    bot(
      createAgent({
        model: looker(),
        tools: [look],
        middleware: [modelCallLimitMiddleware({ runLimit: 1, exitBehavior: "end" })],
      }),
    ),
  pii: () =>
    bot(
      createAgent({
        model: scriptedModel([{ tokens: ["Write to bob@example.com."] }]),
        tools: [],
        middleware: [piiMiddleware("email", { strategy: "redact", applyToOutput: true })],
      }),
    ),
  humanInTheLoop: () =>
    bot(
      createAgent({
        model: looker(),
        tools: [look],
        middleware: [humanInTheLoopMiddleware({ interruptOn: { look_up: true } })],
        checkpointer: new MemorySaver(),
      }),
    ),
  llmToolSelector: () =>
    bot(
      createAgent({
        model: looker(),
        tools: [look],
        middleware: [
          llmToolSelectorMiddleware({
            model: scriptedModel([called("extract", { tools: ["look_up"] })]),
          }),
        ],
      }),
    ),
  mcp: async (open) => {
    const args = [fileURLToPath(new URL("../mcp-server.ts", import.meta.url))];
    const soda = { transport: "stdio" as const, command: process.execPath, args };
    const client = new MultiServerMCPClient({ mcpServers: { soda } });
    open.defer(() => client.close());
    const tools = await client.getTools();
    const model = scriptedModel((messages) =>
      lastIsTool(messages) ? { tokens: ["Done."] } : called("look_up", { drink: "Soda" }),
    );
    return bot(createAgent({ model, tools }));
  },
};
