/** What a user sees of an agent with each of langchain's own middlewares. */
import { tool } from "@langchain/core/tools";
import { MemorySaver } from "@langchain/langgraph";
import {
  ClearToolUsesEdit,
  contextEditingMiddleware,
  createAgent,
  llmToolSelectorMiddleware,
  modelFallbackMiddleware,
  modelRetryMiddleware,
  summarizationMiddleware,
  todoListMiddleware,
  toolRetryMiddleware,
} from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { scriptedModel } from "../../src/testing/index.ts";
import { callOf, expectAnswer, lookUp, onceThenDone } from "./agents/looker.ts";
import { Conversation } from "./conversation.ts";

test("summarizationMiddleware: the summary is for the model, not for the reader", async () => {
  const summarizer = scriptedModel([{ tokens: ["SUMMARY ", "of it all"] }]);
  const model = scriptedModel([{ tokens: ["One."] }, { tokens: ["Two."] }]);
  const middleware = [
    summarizationMiddleware({ model: summarizer, trigger: { messages: 3 }, keep: { messages: 1 } }),
  ];
  await using conversation = await Conversation.with(createAgent({ model, tools: [], middleware }));
  await conversation.send("one?");
  const seen = await conversation.send("two?");
  expect(summarizer.calls).toHaveLength(1);
  expectAnswer(seen, "Two.");
  expect(seen.tokens).toBe("Two.");
  expect(seen.history).toEqual(["one?", "One.", "two?", "Two."]);
});

test("todoListMiddleware: the list is a tool's input, the last word is the answer", async () => {
  const todos = [{ content: "Look", status: "in_progress" }];
  const model = scriptedModel([
    { toolCalls: [{ name: "write_todos", args: { todos } }] },
    { tokens: ["Do", "ne."] },
  ]);
  const agent = createAgent({ model, tools: [], middleware: [todoListMiddleware()] });
  await using conversation = await Conversation.with(agent, { expose: "tools" });
  const seen = await conversation.send("hi");
  expectAnswer(seen, "Done.");
  expect(seen.of("toolStart")).toMatchObject([{ name: "write_todos", input: { todos } }]);
  expect(seen.of("toolEnd")).toMatchObject([
    { output: expect.stringContaining("Updated todo list") },
  ]);
});

test("toolRetryMiddleware: the attempt that failed is an error of its span, the run goes on", async () => {
  let attempts = 0;
  const flaky = tool(
    () => {
      attempts += 1;
      if (attempts === 1) throw new Error("SECRET cellar is flooded");
      return "row";
    },
    { name: "look_up", description: "Looks up", schema: z.object({ key: z.string() }) },
  );
  const middleware = [toolRetryMiddleware({ maxRetries: 1, initialDelayMs: 1, jitter: false })];
  const agent = createAgent({ model: onceThenDone(), tools: [flaky], middleware });
  await using conversation = await Conversation.with(agent);
  const seen = await conversation.send("hi");
  expectAnswer(seen, "Done.");
  expect(attempts).toBe(2);
  expect(seen.of("error")).toMatchObject([{ source: "tool", code: "TOOL_FAILED" }]);
  expect(JSON.stringify(seen.events)).not.toContain("SECRET");
});

const broken = () => Object.assign(new Error("503 overloaded"), { status: 503 });

test("modelFallbackMiddleware: the answer is the model's that answered", async () => {
  const first = scriptedModel([{ tokens: ["Half ", "an "], error: broken() }]);
  const second = scriptedModel([{ tokens: ["The whole ", "answer."] }]);
  const middleware = [modelFallbackMiddleware(second)];
  await using conversation = await Conversation.with(
    createAgent({ model: first, tools: [], middleware }),
  );
  const seen = await conversation.send("hi");
  expectAnswer(seen, "The whole answer.");
  expect(seen.of("error")).toMatchObject([{ source: "llm", code: "PROVIDER_ERROR" }]);
});

test("modelRetryMiddleware: what the broken attempt had said is not part of the answer", async () => {
  const model = scriptedModel([
    { tokens: ["Half ", "an "], error: broken() },
    { tokens: ["The whole ", "answer."] },
  ]);
  const middleware = [modelRetryMiddleware({ maxRetries: 1, initialDelayMs: 1, jitter: false })];
  await using conversation = await Conversation.with(createAgent({ model, tools: [], middleware }));
  expectAnswer(await conversation.send("hi"), "The whole answer.");
});

test("contextEditingMiddleware: the model forgets old results, the reader nothing", async () => {
  const model = scriptedModel((messages, call) =>
    call < 3
      ? { tokens: [`Step ${call}. `], toolCalls: [callOf(`${call}`)] }
      : { tokens: [messages.some(({ text }) => text === "[cleared]") ? "Done." : "Not cleared."] },
  );
  const edit = new ClearToolUsesEdit({ trigger: { tokens: 1 }, keep: { messages: 1 } });
  const middleware = [contextEditingMiddleware({ edits: [edit] })];
  const agent = createAgent({ model, tools: [lookUp], middleware });
  await using conversation = await Conversation.with(agent, { expose: "tools" });
  const seen = await conversation.send("hi");
  expectAnswer(seen, "Done.");
  expect(seen.of("toolEnd").map(({ output }) => output)).toEqual(["row 0", "row 1", "row 2"]);
});

test("llmToolSelectorMiddleware: the selection is no text of the answer", async () => {
  const selector = scriptedModel([
    { tokens: ["I pick. "], toolCalls: [{ name: "extract", args: { tools: ["look_up"] } }] },
  ]);
  const middleware = [llmToolSelectorMiddleware({ model: selector, maxTools: 1 })];
  const other = tool(() => "", { name: "other", description: "Other", schema: z.object({}) });
  const agent = createAgent({ model: onceThenDone(), tools: [lookUp, other], middleware });
  await using conversation = await Conversation.with(agent);
  const seen = await conversation.send("hi");
  expect(selector.calls.length).toBeGreaterThan(0);
  expectAnswer(seen, "Done.");
  expect(seen.tokens).toBe("Let me look. Done.");
});

test("stopped inside a tool of an agent with middlewares: the answer is what was said", async () => {
  const wait = tool(
    (_input, { signal }) =>
      new Promise<string>((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
    { name: "look_up", description: "Looks up", schema: z.object({ key: z.string() }) },
  );
  const middleware = [todoListMiddleware(), toolRetryMiddleware({ maxRetries: 3 })];
  const checkpointer = new MemorySaver();
  const model = onceThenDone();
  const agent = createAgent({ model, tools: [wait], middleware, checkpointer });
  await using conversation = await Conversation.with(agent, { memory: false });
  const seen = await conversation.stop("hi", (reading) =>
    reading.until(({ type }) => type === "toolStart"),
  );
  expect(seen.end).toMatchObject({ status: "cancelled", text: "Let me look. " });
  expect(seen.live).toBe("Let me look. ");
  const next = await conversation.stop("and now?", (reading) =>
    reading.until(({ type }) => type === "toolStart"),
  );
  expect(next.end, "the thread was made whole").toMatchObject({ status: "cancelled" });
});
