/** Conversations with a graph that remembers by itself go on after a stop, a crash, an interrupt. */
import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import {
  Annotation,
  Command,
  END,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { createAgent, humanInTheLoopMiddleware, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type BotDefinition, type BotRunnable, defineBot } from "../../src/bots/bot.ts";
import { type BotOutcome, startBot } from "../../src/bots/run/run-bot.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";

const schema = z.object({});

/** Says so when it has begun, and ends only by being stopped. */
function slowTool() {
  const begun = Promise.withResolvers<void>();
  const slow = tool(
    (_input, { signal }) => {
      begun.resolve();
      return new Promise<string>((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    },
    { name: "slow", description: "", schema },
  );
  return { slow, begun: begun.promise };
}

const quick = tool(() => "quick result", { name: "quick", description: "", schema });

const calls = (...names: string[]) => ({
  toolCalls: names.map((name) => ({ name, args: {}, id: `call-${name}` })),
});

/** Refuses as providers do: each tool call must be followed by its result, before anything else. */
function strictModel(first: ReturnType<typeof calls>) {
  return scriptedModel((messages) => {
    const owed = new Set<string>();
    for (const message of messages) {
      if (message.type === "tool") owed.delete(Reflect.get(message, "tool_call_id"));
      else if (owed.size > 0) return refusal();
      if (AIMessage.isInstance(message)) {
        for (const { id } of message.tool_calls ?? []) owed.add(id ?? "");
      }
    }
    if (owed.size > 0) return refusal();
    return messages.at(-1)?.text === "use it" ? first : { tokens: ["Fine."] };
  });
}

const refusal = () => ({
  error: Object.assign(new Error("400 tool_calls must be followed by tool messages"), {
    status: 400,
  }),
});

interface Turn extends Partial<BotDefinition> {
  readonly runnable: BotRunnable;
  readonly stopWhen?: Promise<void>;
}

/** One run of the conversation. */
async function say(message: string, { stopWhen, ...definition }: Turn): Promise<BotOutcome> {
  const stopping = new AbortController();
  const failures: unknown[] = [];
  const run = startBot(
    defineBot({ id: "bot", title: "Bot", description: "", memory: false, ...definition }),
    {
      context: { runId: crypto.randomUUID(), conversationId: "conversation", userId: "somebody" },
      turn: { message, history: [] },
      signal: stopping.signal,
      emit() {},
      spoken: () => "",
      onFailure: (_what, cause) => failures.push(cause),
    },
  );
  void stopWhen?.then(() => stopping.abort());
  const outcome = await run.done;
  expect(failures).toEqual([]);
  return outcome;
}

const fine = { status: "completed", text: "Fine." };
const unsupported = {
  status: "failed",
  error: { code: "INTERRUPT_UNSUPPORTED", retryable: false },
};
const typesOf = (messages: readonly BaseMessage[] = []) => messages.map(({ type }) => type);

describe("a run that was stopped in a tool", () => {
  test("leaves a thread that goes on, with the results that there are", async () => {
    const { slow } = slowTool();
    const checkpointer = new MemorySaver();
    const kept = Promise.withResolvers<void>();
    const putWrites = checkpointer.putWrites.bind(checkpointer);
    checkpointer.putWrites = async (config, writes, taskId) => {
      await putWrites(config, writes, taskId);
      if (JSON.stringify(writes).includes("quick result")) kept.resolve();
    };
    const model = strictModel(calls("slow", "quick"));
    const runnable = createAgent({ model, tools: [slow, quick], checkpointer });
    await say("use it", { runnable, stopWhen: kept.promise });
    expect(await say("hello", { runnable })).toEqual(fine);
    expect(await say("and again", { runnable })).toEqual(fine);
    const seen = model.calls.at(-1) ?? [];
    expect(typesOf(seen)).toEqual(["human", "ai", "tool", "tool", "human", "ai", "human"]);
    const results = seen.filter(({ type }) => type === "tool").map(({ text }) => text);
    expect(results.toSorted()).toEqual(
      ["quick result", expect.stringContaining("slow did not run to its end")].toSorted(),
    );
  });

  test.each<[string, (agent: ReturnType<typeof createAgent>) => BotRunnable]>([
    ["with a binding around the agent", (agent) => agent.withConfig({ recursionLimit: 10 })],
    [
      "in a sequence",
      (agent) => RunnableLambda.from((input) => input as never).pipe(agent.graph as never),
    ],
  ])("%s", async (_what, around) => {
    const { slow, begun } = slowTool();
    const model = strictModel(calls("slow"));
    const agent = createAgent({ model, tools: [slow], checkpointer: new MemorySaver() });
    const runnable = around(agent as never);
    const input: BotDefinition["input"] = ({ message }) => ({
      messages: [new HumanMessage(message)],
    });
    await say("use it", { runnable, input, stopWhen: begun });
    expect(await say("hello", { runnable, input })).toEqual(fine);
  });

  test("by a crash, and was answered by an older version since", async () => {
    const { slow, begun } = slowTool();
    const checkpointer = new MemorySaver();
    const make = () =>
      createAgent({
        model: strictModel(calls("slow", "quick")),
        tools: [slow, quick],
        checkpointer,
      });
    const stopping = new AbortController();
    const config = { configurable: { thread_id: "conversation" } };
    void begun.then(() => stopping.abort());
    const cut = make().invoke({ messages: "use it" }, { ...config, signal: stopping.signal });
    await expect(cut).rejects.toThrow();
    // What made the thread unusable: a message behind the open call.
    await expect(make().invoke({ messages: "hello" }, config)).rejects.toThrow("400");
    expect(await say("hello", { runnable: make() })).toEqual(fine);
  });

  test("in a graph whose messages have no reducer, and that routes by a function", async () => {
    const { slow, begun } = slowTool();
    const model = strictModel(calls("slow"));
    const State = Annotation.Root({ messages: Annotation<BaseMessage[]>() });
    const checkpointer = new MemorySaver();
    const history = new Map<string, BaseMessage[]>();
    const runnable = new StateGraph(State)
      .addNode("think", async ({ messages }, config) => {
        const before = history.get("conversation") ?? [];
        const answer = await model.invoke([...before, ...messages], config);
        return { messages: [...messages, answer] };
      })
      .addNode("act", async ({ messages }, config: RunnableConfig) => {
        await slow.invoke({}, config);
        return { messages };
      })
      .addEdge(START, "think")
      .addConditionalEdges("think", ({ messages }) => {
        const last = messages.at(-1);
        return AIMessage.isInstance(last) && last.tool_calls?.length ? "act" : END;
      })
      .addEdge("act", "think")
      .compile({ checkpointer });
    await say("use it", { runnable, stopWhen: begun });
    const open = await runnable.getState({ configurable: { thread_id: "conversation" } });
    expect(typesOf(open.values.messages)).toEqual(["human", "ai"]);
    const input: BotDefinition["input"] = async ({ message }) => {
      return { messages: [new HumanMessage(message)] };
    };
    const spied: string[][] = [];
    const getState = runnable.getState.bind(runnable);
    runnable.getState = async (...parts) => {
      const state = await getState(...parts);
      spied.push(typesOf(state.values.messages));
      return state;
    };
    expect(await say("hello", { runnable, input })).toEqual(fine);
    expect(spied.at(-1)).toEqual(["human", "ai", "tool"]);
  });
});

describe("a bot that asks somebody fails by name, and its conversation goes on", () => {
  const once = (checkpointer?: MemorySaver) => ({
    model: strictModel(calls("quick")),
    tools: [quick],
    ...(checkpointer && { checkpointer }),
  });
  const approved = [humanInTheLoopMiddleware({ interruptOn: { quick: true } })];
  const asks = tool(() => interrupt("Sure?"), { name: "quick", description: "", schema });
  const inClient = tool({ name: "quick", description: "", schema });
  const saver = () => new MemorySaver();

  const rows: readonly (readonly [what: string, runnable: BotRunnable])[] = [
    ["an approval", createAgent({ ...once(saver()), middleware: approved })],
    ["an approval, without a checkpointer", createAgent({ ...once(), middleware: approved })],
    ["a tool that asks", createAgent({ ...once(saver()), tools: [asks] })],
    ["a tool that asks, without a checkpointer", createAgent({ ...once(), tools: [asks] })],
    ["a tool that runs in a client", createAgent({ ...once(saver()), tools: [inClient] })],
    [
      "a static breakpoint",
      createAgent(once(saver())).graph.withConfig({ interruptBefore: ["tools"] }) as never,
    ],
    [
      "a node that asks",
      new StateGraph(MessagesAnnotation)
        .addNode("ask", ({ messages }) => {
          const answer = messages.at(-1)?.text === "use it" ? interrupt("Sure?") : "Fine.";
          return { messages: [new AIMessage(String(answer))] };
        })
        .addEdge(START, "ask")
        .addEdge("ask", END)
        .compile({ checkpointer: saver() }),
    ],
  ];

  test.each(rows)("%s", async (_what, runnable) => {
    expect(await say("use it", { runnable })).toMatchObject(unsupported);
    expect(await say("hello", { runnable })).toEqual(fine);
    expect(await say("use it", { runnable })).toMatchObject(unsupported);
    expect(await say("hello", { runnable })).toEqual(fine);
  });

  test("also where a function of the bot's has called the agent, and has no answer", async () => {
    const agent = createAgent({ ...once(saver()), middleware: approved });
    const runnable = RunnableLambda.from(
      async ({ human_input }: { human_input: string }, config) => {
        const { messages } = await agent.invoke({ messages: human_input }, config);
        return messages.at(-1);
      },
    );
    expect(await say("use it", { runnable })).toMatchObject(unsupported);
  });

  test("but not a bot that finds its question and gives the answer by itself", async () => {
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("ask", () => ({ messages: [new AIMessage(`You said ${interrupt("Sure?")}.`)] }))
      .addEdge(START, "ask")
      .addEdge("ask", END)
      .compile({ checkpointer: saver() });
    const own: Turn = {
      runnable: graph,
      input: async ({ message }, { conversationId }) => {
        const state = await graph.getState({ configurable: { thread_id: conversationId } });
        const { next } = state;
        return next.length > 0 ? new Command({ resume: message }) : { messages: [message] };
      },
      output: (value) => {
        const { __interrupt__: asked, messages } = value as {
          __interrupt__?: { value: string }[];
          messages: BaseMessage[];
        };
        return asked?.[0]?.value ?? messages.at(-1)?.text;
      },
    };
    expect(await say("go", own)).toEqual({ status: "completed", text: "Sure?" });
    expect(await say("yes", own)).toEqual({ status: "completed", text: "You said yes." });
  });
});
