/** What a bot reports of the state that it declares: through LangGraph's writer, and by its nodes. */
import { type Runnable, type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import type { StructuredToolInterface } from "@langchain/core/tools";
import {
  Annotation,
  Command,
  END,
  type LangGraphRunnableConfig,
  MessagesAnnotation,
  Send,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { createAgent, todoListMiddleware, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { BotRunnable, Expose } from "../../src/bots/bot.ts";
import type { SpanEvent } from "../../src/bots/run/run-bot.ts";
import { type ScriptedReply, scriptedModel } from "../../src/testing/scripted-model.ts";
import { outline, transcriptOf } from "./transcript.ts";

const state = { page: z.number(), plan: z.array(z.string()), todos: z.array(z.unknown()) };

const told = (events: readonly SpanEvent[]): unknown[] =>
  events.flatMap((event) => (event.type === "state" ? [[event.channel, event.value]] : []));
const written = (events: readonly SpanEvent[]): unknown[] =>
  events.flatMap((event) => (event.type === "custom" ? [event.data] : []));

describe("the writer", () => {
  const node = (_state: unknown, config: LangGraphRunnableConfig) => {
    config.writer?.({ page: 1 });
    return {};
  };
  const graphOf = (inner: Runnable | typeof node) =>
    new StateGraph(MessagesAnnotation)
      .addNode("inner", inner as typeof node)
      .addEdge(START, "inner")
      .addEdge("inner", END)
      .compile();
  const work = tool(
    (_input, config: LangGraphRunnableConfig) => {
      config.writer?.({ page: 1 });
      return "ok";
    },
    { name: "work", description: "", schema: z.object({}) },
  );
  const model = () =>
    scriptedModel([{ toolCalls: [{ name: "work", args: {} }] }, { tokens: ["Done."] }]);
  const lambda = RunnableLambda.from((_input: unknown, config: RunnableConfig) => {
    (config as LangGraphRunnableConfig).writer?.({ page: 1 });
    return "Done.";
  });
  const places: readonly [string, BotRunnable, string][] = [
    ["a node", graphOf(node), "inner"],
    ["a subgraph's node", graphOf(graphOf(node)), "inner"],
    ["a tool", createAgent({ model: model(), tools: [work] }), "work"],
    ["a function", lambda, "bot"],
  ];
  test.each(places)(
    "of %s tells of a declared channel, on its span",
    async (_of, runnable, span) => {
      const { events } = await transcriptOf({ runnable, state, expose: "none" });
      expect(told(events)).toEqual([["page", 1]]);
      expect(
        outline(events)
          .filter((line) => /^\s*state /.test(line))[0]
          ?.trim(),
      ).toBe(`state ${span}`);
      expect(written(events)).toEqual([]);
    },
  );

  const writing = (...chunks: unknown[]) =>
    RunnableLambda.from((_input: unknown, config: RunnableConfig) => {
      for (const chunk of chunks) (config as LangGraphRunnableConfig).writer?.(chunk);
      return "Done.";
    });

  test("tells no value that does not fit what is declared, and reports it once", async () => {
    const failures: unknown[] = [];
    const thrower = {
      "~standard": {
        version: 1 as const,
        vendor: "own",
        validate: () => {
          throw new Error("broken");
        },
        jsonSchema: { output: () => ({}) },
      },
    };
    const { events, outcome } = await transcriptOf({
      runnable: writing({ page: "one" }, { page: 2 }, { page: null }, { plan: 1 }, { odd: 1 }),
      state: { ...state, odd: thrower },
      onFailure: (what, cause) => void failures.push([what, String(cause)]),
    });
    expect(outcome.status).toBe("completed");
    expect(told(events)).toEqual([["page", 2]]);
    const what = "what a bot reports of its state does not fit what it declares";
    expect(failures).toEqual([
      [what, expect.stringMatching(/^TypeError: page: /)],
      [what, expect.stringMatching(/^TypeError: plan: /)],
      [what, "Error: broken"],
    ]);
  });

  test("tells a value as its schema gives it; of one that answers later, as it is", async () => {
    const runnable = writing({ filled: {} }, { later: 1 });
    const { events } = await transcriptOf({
      runnable,
      state: {
        filled: z.object({ page: z.number().default(1) }),
        later: z.number().refine(async () => false),
      },
    });
    expect(told(events)).toEqual([
      ["filled", { page: 1 }],
      ["later", 1],
    ]);
  });

  test("tells the rest as it is", async () => {
    const odd = new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw new Error("revoked");
        },
      },
    );
    const chunks = [{ other: 1 }, { page: 2, other: 3 }, "text", {}, [1], odd, undefined];
    const { events, outcome } = await transcriptOf({ runnable: writing(...chunks), state });
    expect(outcome.status).toBe("completed");
    expect(told(events)).toEqual([["page", 2]]);
    expect(written(events)).toEqual([
      { other: 1 },
      { other: 3 },
      "text",
      {},
      [1],
      "…[unreadable]",
      undefined,
    ]);
  });

  test("is as it was without a declaration", async () => {
    const { events } = await transcriptOf({ runnable: writing({ page: 1 }) });
    expect([told(events), written(events)]).toEqual([[], [{ page: 1 }]]);
  });

  test("tells a value once, until it changes, and cuts it where it is too large", async () => {
    const chunks = [1, 1, 2, 1].map((page) => ({ page }));
    const long = { plan: ["x".repeat(1_000_000)] };
    const { events } = await transcriptOf({ runnable: writing(...chunks, long, long), state });
    expect(told(events).slice(0, -1)).toEqual([
      ["page", 1],
      ["page", 2],
      ["page", 1],
    ]);
    expect(JSON.stringify(told(events).at(-1)).length).toBeLessThan(10_000);
  });
});

describe("what nodes return", () => {
  const Channels = Annotation.Root({
    page: Annotation<number>(),
    plan: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
    secret: Annotation<string>(),
  });
  type Update = Partial<typeof Channels.State>;
  const chain = (...nodes: (() => Update | Command)[]) => {
    const graph = new StateGraph(Channels) as StateGraph<
      typeof Channels.spec,
      typeof Channels.State,
      Update,
      string
    >;
    nodes.forEach((node, index) => {
      graph.addNode(`n${index}`, node);
      graph.addEdge(index === 0 ? START : `n${index - 1}`, `n${index}`);
    });
    return graph.compile();
  };
  const input = () => ({ page: 0 });
  const output = () => "Done.";
  const run = (runnable: BotRunnable, expose: Expose = "none") =>
    transcriptOf({ runnable, state, expose, input, output });

  test("is told where the channel has no reducer, at once, and of no other channel", async () => {
    const { events } = await run(
      chain(
        () => ({ page: 1, secret: "SECRET" }),
        () => ({ page: 1 }),
      ),
    );
    expect(told(events)).toEqual([["page", 1]]);
    expect(outline(events).map((line) => line.trim())).toEqual([
      "chainStart bot",
      "chainStart n0",
      "state n0",
      "chainEnd n0",
      "chainStart n1",
      "chainEnd n1",
      "chainEnd bot",
    ]);
    expect(JSON.stringify(events)).not.toContain("SECRET");
  });

  test("is told as the state has it where there is a reducer", async () => {
    const { events } = await run(
      chain(
        () => ({ plan: ["a"] }),
        () => new Command({ update: { plan: ["b"] } }),
        () => ({ plan: [] }),
      ),
    );
    expect(told(events)).toEqual([
      ["plan", ["a"]],
      ["plan", ["a", "b"]],
    ]);
  });

  test("of the last node is told, too", async () => {
    const { events } = await run(chain(() => ({ plan: ["a"] })));
    expect(told(events)).toEqual([["plan", ["a"]]]);
  });

  test("is told of a subgraph, of one that a function calls, and of commands with pairs", async () => {
    const inner = chain(() => ({ page: 1, plan: ["a"] }));
    const outer = new StateGraph(Channels)
      .addNode("inner", inner)
      .addNode("calling", async (before, config) => {
        const { page } = await chain(() => ({ page: 2 })).invoke(before, config);
        return { page };
      })
      .addNode("last", () => new Command({ update: [["page", 3]] }))
      .addEdge(START, "inner")
      .addEdge("inner", "calling")
      .addEdge("calling", "last")
      .compile();
    const { events } = await run(outer);
    expect(told(events)).toEqual([
      ["page", 1],
      ["plan", ["a"]],
      ["page", 2],
      ["page", 3],
    ]);
    const lines = outline(events).filter((line) => line.trim().startsWith("state"));
    expect(lines.map((line) => line.trim())).toEqual([
      ...["state n0", "state LangGraph", "state n0", "state last"],
    ]);
  });

  test("is told at once of a graph that is a node of one without such a channel", async () => {
    const inner = chain(() => ({ page: 1 }));
    const outer = new StateGraph(MessagesAnnotation)
      .addNode("inner", inner as Runnable)
      .addEdge(START, "inner")
      .compile();
    const { events } = await run(outer);
    expect(told(events)).toEqual([["page", 1]]);
    expect(
      outline(events)
        .filter((line) => line.includes("state "))[0]
        ?.trim(),
    ).toBe("state n0");
  });

  test("waits for the state where any graph of the bot reduces a channel of that name", async () => {
    const Replacing = Annotation.Root({ plan: Annotation<string[]>() });
    const replacing = new StateGraph(Replacing)
      .addNode("n0", () => ({ plan: ["x"] }))
      .addEdge(START, "n0")
      .compile();
    const graph = new StateGraph(Channels)
      .addNode("first", () => ({ plan: ["a"] }))
      .addNode("second", () => ({ plan: ["b"] }))
      .addNode("inner", replacing)
      .addEdge(START, "first")
      .addEdge("first", "second")
      .addEdge("second", "inner")
      .compile();
    const { events } = await run(graph);
    expect(told(events).slice(0, 3)).toEqual([
      ["plan", ["a"]],
      ["plan", ["a", "b"]],
      ["plan", ["x"]],
    ]);
  });

  test("what a node is sent is not the state", async () => {
    const graph = new StateGraph(Channels)
      .addNode("split", () => ({}))
      .addNode("part", () => ({}))
      .addEdge(START, "split")
      .addConditionalEdges("split", () => [1, 2].map((page) => new Send("part", { page })))
      .compile();
    const { events } = await run(graph);
    expect(told(events)).toEqual([]);
  });

  test("todos of an agent, written by a tool, and not those of an agent in a tool", async () => {
    const todos = (content: string) => [{ content, status: "pending" }];
    const planning = (script: readonly ScriptedReply[], tools: StructuredToolInterface[] = []) =>
      createAgent({ model: scriptedModel(script), tools, middleware: [todoListMiddleware()] });
    const writes = (content: string): ScriptedReply => ({
      toolCalls: [{ name: "write_todos", args: { todos: todos(content) } }],
    });
    const done = { tokens: ["Done."] };
    const worker = planning([writes("inner"), done]);
    const task = tool(async () => String(await worker.invoke({ messages: ["go"] })), {
      name: "task",
      description: "",
      schema: z.object({}),
    });
    const script = [writes("outer"), { toolCalls: [{ name: "task", args: {} }] }, done];
    const { events, outcome } = await transcriptOf({ runnable: planning(script, [task]), state });
    expect(outcome.status).toBe("completed");
    expect(told(events)).toEqual([["todos", todos("outer")]]);
  });

  test("is none where the bot declares none", async () => {
    const runnable = chain(() => ({ page: 1 }));
    const { events } = await transcriptOf({ runnable, input, output });
    expect(told(events)).toEqual([]);
  });
});
