/** Which graphs are in a bot's runnable, and what is given to what it begins with: by their shapes. */
import { HumanMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { toMessage } from "../../src/bots/memory.ts";
import { defaultInput } from "../../src/bots/run/bot-input.ts";
import { checkpointedGraphs } from "../../src/bots/threads/checkpointed-graphs.ts";

const methods = { getState: async () => {}, updateState: async () => {} };
const graph = (checkpointer: unknown, more: object = methods) => ({
  ...{ lg_is_pregel: true, nodes: {}, channels: { messages: {} }, checkpointer },
  ...more,
});
const own = graph({});

describe("a graph with a checkpointer of its own", () => {
  test.each<[string, unknown, boolean]>([
    ["alone", own, true],
    ["in an agent", { graph: own }, true],
    ["behind a binding and a retry", { bound: { bound: own } }, true],
    ["in a runnable with fallbacks", { runnable: own, fallbacks: [] }, true],
    ["as a fallback", { runnable: {}, fallbacks: [{}, own] }, true],
    ["as each step of a sequence: the first", { first: own, middle: [], last: {} }, true],
    ["… one in the middle", { first: {}, middle: [{}, own], last: {} }, true],
    ["… the last", { first: {}, middle: [], last: own }, true],
    ["not one that has its parent's", graph(true), false],
    ["not one that has none", graph(undefined), false],
    ["not one that wants none", graph(false), false],
    ["not one whose state cannot be read", graph({}, {}), false],
  ])("%s", (_where, runnable, isFound) => {
    expect(checkpointedGraphs(runnable)).toHaveLength(isFound ? 1 : 0);
  });

  test("is found once where it stands twice, and things that hold each other end", () => {
    const circle: Record<string, unknown> = { first: own, last: own };
    circle.bound = circle;
    expect(checkpointedGraphs(circle)).toEqual([own]);
  });
});

describe("what a runnable is given", () => {
  const history = [
    { role: "human", text: "One" },
    { role: "ai", text: "Yes" },
  ] as const;
  const messages = history.map(toMessage);
  const asked = new HumanMessage("Two");
  test.each<[string, object, unknown]>([
    ["a graph", own, { messages: [...messages, asked] }],
    [
      "a graph with other channels",
      { ...own, channels: {} },
      { history: messages, human_input: "Two" },
    ],
    ["a model", { _modelType: () => "chat" }, [...messages, asked]],
    ["a classic executor", { agent: {}, tools: [] }, { input: "Two", chat_history: messages }],
    ["a retriever", { _getRelevantDocuments: () => {} }, "Two"],
    [
      "what keeps its own history",
      { getMessageHistory: () => {}, inputMessagesKey: "q" },
      { q: "Two" },
    ],
    [
      "the same without a key",
      { getMessageHistory: () => {}, inputMessagesKey: undefined },
      [asked],
    ],
    ["anything else", {}, { history: messages, human_input: "Two" }],
  ])("%s, wherever it begins", (_what, runnable, expected) => {
    const turn = { message: "Two", history, messages };
    for (const one of [runnable, { bound: runnable }, { first: { bound: runnable }, last: own }]) {
      expect(JSON.stringify(defaultInput(one, turn))).toBe(JSON.stringify(expected));
    }
  });
});
