/** Agents that hand the conversation to each other: a supervisor's team, and a swarm. */
import type { BaseMessage } from "@langchain/core/messages";
import { MemorySaver } from "@langchain/langgraph";
import { createSupervisor } from "@langchain/langgraph-supervisor";
import { createHandoffTool, createSwarm } from "@langchain/langgraph-swarm";
import { createAgent } from "langchain";
import { describe, expect, test } from "vitest";
import {
  type ScriptedModel,
  type ScriptedReply,
  scriptedModel,
} from "../../../src/testing/index.ts";
import { Conversation, type Seen } from "../conversation.ts";

type Agents = Parameters<typeof createSwarm>[0]["agents"];

const never = new Promise<never>(() => {});

/** Of this turn alone: what was said after the human's last word. */
const turnOf = (messages: readonly BaseMessage[]): readonly BaseMessage[] =>
  messages.slice(messages.findLastIndex(({ type }) => type === "human"));

/** A hand-over is told as what it is: to whom, and not LangGraph's command with the conversation inside. */
function expectHandOver(seen: Seen, to: string): void {
  const content = expect.stringContaining(`transferred to ${to}`);
  expect(seen.of("toolEnd").map(({ output }) => output)).toEqual([{ goto: [to], content }]);
  expect(JSON.stringify(seen.events)).not.toMatch(/lg_name|__pregel/);
  // Whoever hands over has not finished.
  const types = seen.events.map(({ type }) => type);
  expect(types.slice(0, types.lastIndexOf("llmEnd"))).not.toContain("agentFinish");
}

describe("supervisor", () => {
  function team(last: ScriptedReply, expert: ScriptedReply = { tokens: ["It ", "is 42."] }) {
    const mathematician = createAgent({ name: "math", model: scriptedModel([expert]), tools: [] });
    const llm = scriptedModel((messages) =>
      turnOf(messages).some(({ type }) => type === "tool")
        ? last
        : { tokens: ["One moment. "], toolCalls: [{ name: "transfer_to_math", args: {} }] },
    );
    const graph = createSupervisor({ agents: [mathematician.graph], llm }).compile();
    return { graph, llm };
  }

  test("the supervisor's last word is the answer, and the next turn remembers it", async () => {
    const { graph, llm } = team({ tokens: ["The answer ", "is 42."] });
    await using conversation = await Conversation.with(graph, { expose: "tools" });
    const seen = await conversation.send("6 × 7?");
    expect(seen.end).toMatchObject({ status: "completed", text: "The answer is 42." });
    expect(seen.live).toBe("The answer is 42.");
    expect(seen.tokens).toBe("One moment. It is 42.The answer is 42.");
    expectHandOver(seen, "math");
    await conversation.send("Sure?");
    const asked = llm.calls[2]?.filter(({ type }) => type !== "system").map(({ text }) => text);
    expect(asked).toEqual([
      ...["6 × 7?", "One moment. ", "Successfully transferred to math", "It is 42."],
      ...["Transferring back to supervisor", "Successfully transferred back to supervisor"],
      ...["The answer is 42.", "Sure?"],
    ]);
  });

  test("an empty last word takes nothing away: the expert's word is the answer", async () => {
    await using conversation = await Conversation.with(team({}).graph);
    const seen = await conversation.send("6 × 7?");
    expect(seen.end).toMatchObject({ status: "completed", text: "It is 42." });
    expect(seen.live).toBe("It is 42.");
  });

  test("stopped while the expert speaks: what the expert had said", async () => {
    const { graph } = team({}, { tokens: ["It ", "is "], until: never });
    await using conversation = await Conversation.with(graph);
    const seen = await conversation.stop("6 × 7?", (reading) =>
      reading.until((event) => event.type === "token" && event.text.endsWith("is ")),
    );
    expect(seen.end).toMatchObject({ status: "cancelled", text: "It is " });
    expect(seen.live).toBe("It is ");
  });
});

describe("swarm", () => {
  function swarm(bob: ScriptedModel) {
    const alice = scriptedModel([
      { tokens: ["Ask Bob. "], toolCalls: [{ name: "transfer_to_bob", args: {} }] },
    ]);
    const graph = (name: string, model: ScriptedModel, to: string) =>
      createAgent({ name, model, tools: [createHandoffTool({ agentName: to })] }).graph;
    // Its types know LangGraph's older agents alone.
    const agents = [graph("alice", alice, "bob"), graph("bob", bob, "alice")] as unknown as Agents;
    return { alice, builder: createSwarm({ agents, defaultActiveAgent: "alice" }) };
  }

  test("whoever is handed the conversation answers, in the next turn too", async () => {
    const bob = scriptedModel([{ tokens: ["I am ", "Bob."] }, { tokens: ["Still ", "Bob."] }]);
    const { alice, builder } = swarm(bob);
    const graph = builder.compile({ checkpointer: new MemorySaver() });
    await using conversation = await Conversation.with(graph, { memory: false, expose: "tools" });
    const seen = await conversation.send("Is Bob here?");
    expect(seen.end).toMatchObject({ status: "completed", text: "I am Bob." });
    expect(seen.live).toBe("I am Bob.");
    expect(seen.tokens).toBe("Ask Bob. I am Bob.");
    expectHandOver(seen, "bob");
    const second = await conversation.send("And now?");
    expect(second.end).toMatchObject({ status: "completed", text: "Still Bob." });
    expect(second.history).toEqual(["Is Bob here?", "I am Bob.", "And now?", "Still Bob."]);
    expect(alice.calls).toHaveLength(1);
    expect(bob.calls[1]?.map(({ text }) => text)).toContain("I am Bob.");
  });

  test("stopped after the hand-over, the thread goes on", async () => {
    const bob = scriptedModel((_messages, call) =>
      call === 0 ? { tokens: ["I am "], until: never } : { tokens: ["Bob here."] },
    );
    const graph = swarm(bob).builder.compile({ checkpointer: new MemorySaver() });
    await using conversation = await Conversation.with(graph, { memory: false });
    const seen = await conversation.stop("Is Bob here?", (reading) =>
      reading.until((event) => event.type === "token" && event.text.includes("I am ")),
    );
    expect(seen.end).toMatchObject({ status: "cancelled", text: "I am " });
    expect((await conversation.send("Hello?")).end).toMatchObject({
      status: "completed",
      text: "Bob here.",
    });
  });
});
