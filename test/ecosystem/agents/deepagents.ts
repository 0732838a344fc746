/** deepagents: a lead that hands work to subagents by a tool, several at once. */
import type { BaseMessage } from "@langchain/core/messages";
import { createDeepAgent } from "deepagents";
import { expect, test } from "vitest";
import {
  type ScriptedModel,
  type ScriptedReply,
  scriptedModel,
} from "../../../src/testing/index.ts";
import { Conversation } from "../conversation.ts";

const isResearcher = (messages: readonly BaseMessage[]): boolean =>
  messages[0]?.text.includes("You are a researcher") ?? false;

const asked = (topic: string) => ({
  id: topic,
  name: "task",
  args: { description: topic, subagent_type: "researcher" },
});

/** @param research What a subagent says of a topic. */
function lead(research: ScriptedReply): ScriptedModel {
  return scriptedModel((messages) => {
    if (isResearcher(messages)) return research;
    if (messages.at(-1)?.type === "tool") return { tokens: ["The ", "report."] };
    return { tokens: ["Let me ask. "], toolCalls: [asked("fizz"), asked("foam")] };
  });
}

function team(model: ScriptedModel) {
  const systemPrompt = "You are a researcher";
  const researcher = { name: "researcher", description: "Researches", systemPrompt, tools: [] };
  return createDeepAgent({ model, systemPrompt: "You are the lead", subagents: [researcher] });
}

test("the answer is the lead's; what subagents say is progress of their tool", async () => {
  const model = lead({ tokens: ["Raw ", "notes."] });
  await using conversation = await Conversation.with(team(model), { expose: "tools" });
  const seen = await conversation.send("Why does soda fizz?");
  expect(seen.end).toMatchObject({ status: "completed", text: "The report." });
  expect(seen.live).toBe("The report.");
  expect(seen.tokens).toBe("Let me ask. The report.");
  const tasks = seen.of("toolStart").filter(({ name }) => name === "task");
  expect(tasks.map(({ toolCallId }) => toolCallId).sort()).toEqual(["fizz", "foam"]);
  for (const { spanId } of tasks) {
    const said = seen.of("toolProgress").filter((event) => event.spanId === spanId);
    expect(said.map(({ text }) => text).join("")).toBe("Raw notes.");
  }
  const second = await conversation.send("And now?");
  expect(second.history).toEqual(["Why does soda fizz?", "The report.", "And now?", "The report."]);
  const turn = model.calls.findLast(
    (messages) => !isResearcher(messages) && messages.at(-1)?.type === "human",
  );
  expect(turn?.filter(({ type }) => type !== "system").map(({ text }) => text)).toEqual([
    ...["Why does soda fizz?", "Let me ask. ", "Raw notes.", "Raw notes."],
    ...["The report.", "And now?"],
  ]);
});

test("stopped inside a subagent: the answer is what the lead had said", async () => {
  const model = lead({ tokens: ["Raw ", "notes."], until: new Promise(() => {}) });
  await using conversation = await Conversation.with(team(model), { expose: "tools" });
  const seen = await conversation.stop("Why does soda fizz?", (reading) =>
    reading.until((event) => event.type === "toolProgress"),
  );
  expect(seen.end).toMatchObject({ status: "cancelled", text: "Let me ask. " });
  expect(seen.live).toBe("Let me ask. ");
});
