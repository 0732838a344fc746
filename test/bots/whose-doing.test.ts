/** Whose a word, an action and a failure are: a candidate's, a void answer's, a tool's or an agent's. */
import { AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import { interrupt, MemorySaver } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ScriptedModel, scriptedModel } from "../../src/testing/scripted-model.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { outline, transcriptOf } from "./transcript.ts";

const schema = z.object({});

/** Shows a thought, and fails before it has said anything. */
class ThinkingModel extends ScriptedModel {
  constructor() {
    super(() => ({}));
  }

  override async *_streamResponseChunks(
    ...[, , runManager]: Parameters<ScriptedModel["_streamResponseChunks"]>
  ): AsyncGenerator<ChatGenerationChunk> {
    const additional_kwargs = { reasoning_content: "Hm." };
    const message = new AIMessageChunk({ content: "", additional_kwargs });
    const chunk = new ChatGenerationChunk({ text: "", message });
    yield chunk;
    const nowhere = { prompt: 0, completion: 0 };
    await runManager?.handleLLMNewToken("", nowhere, undefined, undefined, undefined, { chunk });
    throw new Error("overloaded");
  }
}

test("what a model only thought before it failed is void once another has answered", async () => {
  const runnable = new ThinkingModel().withFallbacks([scriptedModel([{ tokens: ["Fine."] }])]);
  const { events, outcome } = await transcriptOf({ runnable });
  expect(outcome).toMatchObject({ status: "completed", text: "Fine." });
  const thought = events.find(({ type }) => type === "reasoning");
  expect(thought).toMatchObject({ text: "Hm." });
  const resets = events.filter(({ type }) => type === "reset");
  expect(resets.map(({ spanId }) => spanId)).toEqual([thought?.spanId]);
});

test("what a model decides inside a tool is no action of the agent that called the tool", async () => {
  const inner = scriptedModel([{ toolCalls: [{ name: "inner", args: {} }] }]);
  const outer = tool(async (_input, config) => (await inner.invoke("go", config)).text || "done", {
    name: "outer",
    description: "",
    schema,
  });
  const model = scriptedModel([
    { toolCalls: [{ name: "outer", args: {} }] },
    { tokens: ["There."] },
  ]);
  const { events } = await transcriptOf({ runnable: createAgent({ model, tools: [outer] }) });
  expect(events.flatMap((event) => (event.type === "agentAction" ? [event.tool] : []))).toEqual([
    "outer",
  ]);
});

test("a tool that stops to ask ends, and has not failed", async () => {
  const asks = tool(() => interrupt("Sure?"), { name: "asks", description: "", schema });
  const model = scriptedModel([{ toolCalls: [{ name: "asks", args: {} }] }]);
  const checkpointer = new MemorySaver();
  const runnable = createAgent({ model, tools: [asks], checkpointer });
  const { events, outcome } = await transcriptOf({ runnable });
  expect(outcome).toMatchObject({ status: "failed", error: { code: "INTERRUPT_UNSUPPORTED" } });
  expect(events.filter(({ type }) => type === "error")).toEqual([]);
  expect(outline(events).map((line) => line.trim())).toContain("toolEnd asks");
  expect(events.filter(({ type }) => type === "agentFinish")).toEqual([]);
});

test("of several candidates one is said, and it is the answer", async () => {
  await using provider = await startMockProvider();
  const model = new ChatOpenAI({
    model: "mock",
    n: 2,
    apiKey: "x",
    configuration: { baseURL: provider.baseUrl },
  });
  const says = (index: number, content: string) => {
    const chunk = { id: "x", object: "chat.completion.chunk", created: 0, model: "mock" };
    const choices = [{ index, delta: { content }, finish_reason: null }];
    return Buffer.from(`data: ${JSON.stringify({ ...chunk, choices })}\n\n`);
  };
  provider.answer({
    steps: [says(0, "One "), says(1, "Two "), says(0, "first."), says(1, "second.")],
  });
  const { tokens, outcome } = await transcriptOf({ runnable: model });
  expect([tokens, outcome]).toMatchObject(["One first.", { status: "completed" }]);
  expect(outcome).toMatchObject({ text: "One first." });
});
