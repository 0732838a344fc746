/** What becomes of calls without results: in any list of messages, and in a thread that goes on. */
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import { describe, expect, test } from "vitest";
import { withResults } from "../../src/bots/threads/open-tool-calls.ts";
import { repairThreads } from "../../src/bots/threads/thread-repair.ts";
import { transcriptOf } from "./transcript.ts";

describe("each call has one result", () => {
  const asks = (...ids: string[]) =>
    new AIMessage({
      content: "",
      tool_calls: ids.map((id) => ({ id, name: "add", args: {}, type: "tool_call" })),
    });
  const gives = (id: string) => new ToolMessage({ content: `${id} is done`, tool_call_id: id });
  const shown = (messages: readonly BaseMessage[]) =>
    messages.map((message) => {
      if (!(message instanceof ToolMessage)) return message.type;
      return `${message.tool_call_id}${message.status === "error" ? " did not run" : ""}`;
    });

  test.each<[string, BaseMessage[], string[]]>([
    ["all have", [asks("1", "2"), gives("2"), gives("1")], ["ai", "2", "1"]],
    ["the last has none", [asks("1")], ["ai", "1 did not run"]],
    ["one of two", [asks("1", "2"), gives("1")], ["ai", "1", "2 did not run"]],
    [
      "numbered anew for each message",
      [asks("1"), asks("1"), gives("1")],
      ["ai", "1 did not run", "ai", "1"],
    ],
    [
      "before a person goes on",
      [asks("1"), new HumanMessage("and?")],
      ["ai", "1 did not run", "human"],
    ],
    [
      "behind a person's word",
      [asks("1"), new HumanMessage("!"), gives("1")],
      ["ai", "human", "1"],
    ],
  ])("%s", (_what, messages, expected) => {
    expect(shown(withResults(messages))).toEqual(expected);
    expect(shown(withResults(withResults(messages)))).toEqual(expected);
  });
});

describe("a thread that is repaired", () => {
  /** A graph that takes any update, after which it would run `next`. */
  function graphWith(messages: BaseMessage[], next: string[] = []) {
    const updates: (readonly [unknown, string | undefined])[] = [];
    const state = { values: { messages }, next };
    const graph = {
      ...{ lg_is_pregel: true, nodes: { agent: {}, tools: {} }, channels: {} },
      checkpointer: {},
      getState: async () => ({ ...state }),
      updateState: async (
        _config: unknown,
        values: { messages?: BaseMessage[] } | null,
        node?: string,
      ) => {
        updates.push([values, node]);
        state.next = values === null ? [] : ["agent"];
        state.values = { messages: [...state.values.messages, ...(values?.messages ?? [])] };
      },
    };
    return { graph, updates, state };
  }
  const open = () => [
    new AIMessage({
      content: "",
      tool_calls: [{ id: "1", name: "add", args: {}, type: "tool_call" }],
    }),
  ];

  test("has its results in the tools' name, and nothing that would follow them runs", async () => {
    const { graph, updates, state } = graphWith(open());
    await repairThreads(graph, { configurable: {} });
    expect(updates.map(([, node]) => node)).toEqual(["tools", "__end__"]);
    expect([state.next, state.values.messages.length]).toEqual([[], 2]);
  });

  test("drops what was about to run, though no call is open", async () => {
    const { graph, updates } = graphWith([new HumanMessage("hi")], ["agent"]);
    await repairThreads(graph, { configurable: {} });
    expect(updates).toEqual([[null, "__end__"]]);
  });

  test("is left alone where it is whole", async () => {
    const { graph, updates } = graphWith([new HumanMessage("hi")]);
    await repairThreads(graph, { configurable: {} });
    expect(updates).toEqual([]);
  });
});

test("a thread that cannot be read is told, and its run goes on", async () => {
  const failures: (readonly [string, string])[] = [];
  const fails = () => Promise.reject(new Error("down"));
  const runnable = Object.assign(
    RunnableLambda.from(() => "done"),
    { lg_is_pregel: true, nodes: {}, channels: { messages: {} }, checkpointer: {} },
    { getState: fails, updateState: fails },
  );
  const { outcome } = await transcriptOf({
    runnable,
    onFailure: (what, cause) => failures.push([what, String(cause)]),
  });
  expect(outcome).toMatchObject({ status: "completed", text: "done" });
  expect(failures).toEqual([["a bot's thread could not be repaired", "Error: down"]]);
});
