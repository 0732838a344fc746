/** Tool calls that no tool ran for, tools that hand over, and retrievers that are asked with whatever. */
import { RunnableSequence } from "@langchain/core/runnables";
import { FakeRetriever } from "@langchain/core/utils/testing";
import { Command, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import {
  createAgent,
  createMiddleware,
  ToolMessage,
  tool,
  toolCallLimitMiddleware,
  toolStrategy,
} from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { SpanEvent } from "../../src/bots/run/run-bot.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { outline, transcriptOf } from "./transcript.ts";

const add = tool(({ a }) => String(a), {
  name: "add",
  description: "Adds",
  schema: z.object({ a: z.number() }),
});
const askingThrice = () =>
  scriptedModel([
    {
      toolCalls: [
        { id: "c1", name: "unknown", args: { secret: 1 } },
        { id: "c2", name: "add", args: { a: "no number" } },
        { id: "c3", name: "add", args: { a: 1 } },
      ],
    },
    { tokens: ["Done."] },
  ]);

const toolsIn = (events: readonly SpanEvent[]) =>
  outline(events)
    .filter((line) => /tool|error/.test(line))
    .map((line) => line.trim());
const startsIn = (events: readonly SpanEvent[]) =>
  events.flatMap((event) => (event.type === "toolStart" ? [event] : []));

describe("a call that no tool ran for", () => {
  const inGraph = () => {
    const model = askingThrice();
    return new StateGraph(MessagesAnnotation)
      .addNode("ask", async ({ messages }, config) => ({
        messages: [await model.invoke(messages, config)],
      }))
      .addNode("tools", new ToolNode([add]))
      .addEdge(START, "ask")
      .addEdge("ask", "tools")
      .compile();
  };
  test.each([
    ["an agent", () => createAgent({ model: askingThrice(), tools: [add] })],
    ["a graph with a node of tools", inGraph],
  ])("is seen, with its id, and that it failed: in %s", async (_of, make) => {
    const { events, outcome } = await transcriptOf({ runnable: make(), expose: "tools" });
    expect(outcome.status).toBe("completed");
    expect(
      startsIn(events)
        .map(({ name, toolCallId }) => [toolCallId, name])
        .sort(),
    ).toEqual([
      ["c1", "unknown"],
      ["c2", "add"],
      ["c3", "add"],
    ]);
    const failed = events.filter((event) => event.type === "error");
    expect(failed).toMatchObject([
      { source: "tool", code: "TOOL_FAILED" },
      { source: "tool", code: "TOOL_FAILED" },
    ]);
    expect(startsIn(events).find(({ name }) => name === "unknown")).toMatchObject({
      input: { secret: 1 },
    });
    expect(JSON.stringify(failed)).not.toMatch(/valid tool|schema/);
  });

  test("keeps its arguments where the tools' payloads stay on the server", async () => {
    const runnable = createAgent({ model: askingThrice(), tools: [add] });
    const { events } = await transcriptOf({ runnable });
    expect(startsIn(events)).toHaveLength(3);
    expect(startsIn(events).filter((event) => "input" in event)).toEqual([]);
  });

  test("is seen where a limit stopped it", async () => {
    const model = scriptedModel([
      {
        toolCalls: [
          { id: "c1", name: "add", args: { a: 1 } },
          { id: "c2", name: "add", args: { a: 2 } },
        ],
      },
      { tokens: ["Done."] },
    ]);
    const middleware = [toolCallLimitMiddleware({ runLimit: 1, exitBehavior: "continue" })];
    const { events } = await transcriptOf({
      runnable: createAgent({ model, tools: [add], middleware }),
    });
    expect(toolsIn(events).sort()).toEqual(
      [
        "chainStart tools",
        "chainEnd tools",
        "toolStart add",
        "toolEnd add",
        "toolStart add",
        "error add: TOOL_FAILED",
      ].sort(),
    );
  });

  test("has an end where somebody else answered it", async () => {
    const answering = createMiddleware({
      name: "Answering",
      wrapToolCall: async ({ toolCall }) =>
        new ToolMessage({ content: "from a cache", tool_call_id: toolCall.id ?? "" }),
    });
    const model = scriptedModel([
      { toolCalls: [{ id: "c1", name: "add", args: { a: 1 } }] },
      { tokens: ["Done."] },
    ]);
    const runnable = createAgent({ model, tools: [add], middleware: [answering] });
    const { events } = await transcriptOf({ runnable, expose: "tools" });
    expect(events.filter(({ type }) => type === "toolEnd")).toMatchObject([
      { output: "from a cache" },
    ]);
  });

  test("is none where it was the answer's structure", async () => {
    const schema = z.object({ total: z.number() }).meta({ title: "invoice" });
    const model = scriptedModel([
      { toolCalls: [{ id: "c1", name: "invoice", args: { total: 3 } }] },
    ]);
    const runnable = createAgent({ model, tools: [], responseFormat: toolStrategy(schema) });
    expect(startsIn((await transcriptOf({ runnable })).events)).toEqual([]);
  });
});

describe("an agent that hands over", () => {
  const own = new ToolMessage({ content: "Over to Bob.", tool_call_id: "c1" });
  const transfer = tool(
    () =>
      new Command({
        goto: "bob",
        graph: Command.PARENT,
        update: {
          messages: [own, new ToolMessage({ content: "the secret", tool_call_id: "c0" })],
        },
      }),
    { name: "transfer_to_bob", description: "Hands over", schema: z.object({}) },
  );
  const swarm = () => {
    const alice = createAgent({
      name: "alice",
      model: scriptedModel([{ toolCalls: [{ id: "c1", name: "transfer_to_bob", args: {} }] }]),
      tools: [transfer],
    });
    const bob = createAgent({
      name: "bob",
      model: scriptedModel([
        { toolCalls: [{ id: "c2", name: "add", args: { a: 1 } }] },
        { tokens: ["I am Bob."] },
      ]),
      tools: [add],
    });
    return new StateGraph(MessagesAnnotation)
      .addNode("alice", alice.graph, { ends: ["bob"] })
      .addNode("bob", bob.graph)
      .addEdge(START, "alice")
      .compile();
  };

  test("does not finish; who took over does", async () => {
    const { events, outcome } = await transcriptOf({ runnable: swarm() });
    expect(outcome).toMatchObject({ status: "completed", text: "I am Bob." });
    const finished = outline(events).filter((line) => line.includes("agentFinish"));
    expect(finished.map((line) => line.trim())).toEqual(["agentFinish bob"]);
  });

  test("answers the call by its own message, not by the state that it hands over", async () => {
    const { events } = await transcriptOf({ runnable: swarm(), expose: "tools" });
    const ends = events.filter((event) => event.type === "toolEnd");
    expect(ends).toMatchObject([
      { output: { goto: ["bob"], content: "Over to Bob." } },
      { output: "1" },
    ]);
    expect(JSON.stringify(ends)).not.toContain("the secret");
  });
});

test.each<[string, unknown, string]>([
  ["an object", { query: "soda", k: 3 }, '{"query":"soda","k":3}'],
  ["nothing", undefined, "null"],
])("a retriever that is asked with %s begins and ends", async (_of, asked, query) => {
  const runnable = RunnableSequence.from([() => asked, new FakeRetriever()]);
  const { events } = await transcriptOf({ runnable, expose: "tools" });
  expect(events.filter((event) => event.type === "retrieverStart")).toMatchObject([{ query }]);
  expect(events.filter((event) => event.type === "retrieverEnd")).toHaveLength(1);
});
