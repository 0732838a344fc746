/** By which name spans say in which agent they happen, where a bot has several. */
import type { Runnable } from "@langchain/core/runnables";
import { MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import type { SpanEvent } from "../../src/bots/run/run-bot.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { transcriptOf } from "./transcript.ts";

const look = tool(() => "seen", { name: "look", description: "", schema: z.object({}) });
const looking = () =>
  scriptedModel([{ toolCalls: [{ name: "look", args: {} }] }, { tokens: ["Seen."] }]);

/** The spans as "name of its agent", in the order in which they begin. */
const namesIn = (events: readonly SpanEvent[]): string[] =>
  events.flatMap((event) => {
    if (event.type !== "llmStart" && event.type !== "toolStart") return [];
    return [`${event.name}: ${event.agentName}`];
  });

test("a subagent in a tool has its own, and the tool its caller's", async () => {
  const researcher = createAgent({ name: "researcher", model: looking(), tools: [look] });
  const nameless = createAgent({ model: looking(), tools: [look] });
  const subagent = (name: string, agent: Pick<Runnable, "invoke">) =>
    tool(async () => String(await agent.invoke({ messages: ["go"] })), {
      name,
      description: "",
      schema: z.object({}),
    });
  const model = scriptedModel([
    { toolCalls: [{ name: "task", args: {} }] },
    { toolCalls: [{ name: "chore", args: {} }] },
    { tokens: ["Done."] },
  ]);
  const lead = createAgent({
    ...{ name: "lead", model },
    tools: [subagent("task", researcher as never), subagent("chore", nameless as never)],
  });
  const { events } = await transcriptOf({ runnable: lead });
  const inside = (agent: string) => [
    `ScriptedModel: ${agent}`,
    `look: ${agent}`,
    `ScriptedModel: ${agent}`,
  ];
  expect(namesIn(events)).toEqual([
    ...["ScriptedModel: lead", "task: lead", ...inside("researcher")],
    ...["ScriptedModel: lead", "chore: lead", ...inside("undefined")],
    "ScriptedModel: lead",
  ]);
});

test("agents as nodes of a graph have theirs, and a bot without named agents none", async () => {
  const agent = (name: string) => createAgent({ name, model: looking(), tools: [look] }).graph;
  const graph = new StateGraph(MessagesAnnotation)
    .addNode("first", agent("alice"))
    .addNode("second", agent("bob"))
    .addEdge(START, "first")
    .addEdge("first", "second")
    .compile();
  const { events } = await transcriptOf({ runnable: graph });
  const of = (name: string) => [
    `ScriptedModel: ${name}`,
    `look: ${name}`,
    `ScriptedModel: ${name}`,
  ];
  expect(namesIn(events)).toEqual([...of("alice"), ...of("bob")]);
  const plain = await transcriptOf({ runnable: createAgent({ model: looking(), tools: [look] }) });
  expect(plain.events.some((event) => "agentName" in event)).toBe(false);
});
