/** What a user sees of an agent with each of langchain's own middlewares. */
import { tool } from "@langchain/core/tools";
import { MemorySaver } from "@langchain/langgraph";
import {
  ClearToolUsesEdit,
  contextEditingMiddleware,
  createAgent,
  humanInTheLoopMiddleware,
  llmToolSelectorMiddleware,
  modelCallLimitMiddleware,
  modelFallbackMiddleware,
  modelRetryMiddleware,
  piiMiddleware,
  summarizationMiddleware,
  todoListMiddleware,
  toolCallLimitMiddleware,
  toolRetryMiddleware,
} from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { scriptedModel } from "../../src/testing/index.ts";
import { Conversation, type Seen } from "./conversation.ts";

const lookUp = tool(({ key }: { key: string }) => `row ${key}`, {
  name: "look_up",
  description: "Looks a key up",
  schema: z.object({ key: z.string() }),
});
const callOf = (key: string) => ({ id: `call-${key}`, name: "look_up", args: { key } });
/** A model that calls a tool for ever. */
const loop = () =>
  scriptedModel((_messages, call) => ({ tokens: ["Again. "], toolCalls: [callOf(`${call}`)] }));
const onceThenDone = () =>
  scriptedModel((messages) =>
    messages.at(-1)?.type === "tool"
      ? { tokens: ["Do", "ne."] }
      : { tokens: ["Let me look. "], toolCalls: [callOf("a")] },
  );

function expectAnswer(seen: Seen, text: string): void {
  expect(seen.end).toMatchObject({ status: "completed", text });
  expect(seen.live).toBe(text);
}

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

describe("modelCallLimitMiddleware", () => {
  const agent = (exitBehavior: "end" | "error") =>
    createAgent({
      model: loop(),
      tools: [lookUp],
      middleware: [modelCallLimitMiddleware({ runLimit: 2, exitBehavior })],
    });

  test("end: what the middleware says is the answer", async () => {
    await using conversation = await Conversation.with(agent("end"));
    const seen = await conversation.send("hi");
    expect(seen.end.status).toBe("completed");
    expect(seen.end.text).toMatch(/limit/i);
    expect(seen.tokens).toBe("Again. Again. ");
  });

  test("error: the bot's limit, by name, and not to be tried again", async () => {
    await using conversation = await Conversation.with(agent("error"));
    expect((await conversation.send("hi")).end).toMatchObject({
      status: "failed",
      text: "Again. ",
      error: { code: "BOT_LIMIT_REACHED", retryable: false },
    });
  });
});

describe("toolCallLimitMiddleware", () => {
  const agent = (exitBehavior: "end" | "error" | "continue", model = loop()) =>
    createAgent({
      model,
      tools: [lookUp],
      middleware: [toolCallLimitMiddleware({ runLimit: 1, exitBehavior })],
    });

  test("continue: the model is told, and its last word is the answer", async () => {
    const model = scriptedModel([
      { toolCalls: [callOf("a"), callOf("b")] },
      { tokens: ["That is ", "all."] },
    ]);
    await using conversation = await Conversation.with(agent("continue", model));
    const seen = await conversation.send("hi");
    expectAnswer(seen, "That is all.");
    // The call that the limit stopped is seen too.
    expect(seen.of("toolStart")).toHaveLength(2);
    expect(seen.of("toolEnd")).toHaveLength(1);
    expect(seen.of("error")).toMatchObject([{ source: "tool", code: "TOOL_FAILED" }]);
  });

  test("end: what the middleware says is the answer", async () => {
    await using conversation = await Conversation.with(agent("end"));
    const seen = await conversation.send("hi");
    expect(seen.end.status).toBe("completed");
    expect(seen.end.text).toMatch(/limit/i);
  });

  test("error: the bot's limit, by name, and not to be tried again", async () => {
    await using conversation = await Conversation.with(agent("error"));
    const { end } = await conversation.send("hi");
    expect(end).toMatchObject({
      status: "failed",
      error: { code: "BOT_LIMIT_REACHED", retryable: false },
    });
  });
});

describe("piiMiddleware", () => {
  const agent = (strategy: "redact" | "block", applyTo: "input" | "output") =>
    createAgent({
      model: scriptedModel([{ tokens: ["Write to ", "bob@example.com", "."] }]),
      tools: [],
      middleware: [
        piiMiddleware("email", {
          strategy,
          applyToInput: applyTo === "input",
          applyToOutput: applyTo === "output",
        }),
      ],
    });

  test("redact: the answer and the history are the redacted ones", async () => {
    await using conversation = await Conversation.with(agent("redact", "output"));
    const seen = await conversation.send("Whom?");
    expect(seen.end.text).toBe("Write to [REDACTED_EMAIL].");
    expect(seen.history.at(-1)).toBe("Write to [REDACTED_EMAIL].");
  });

  test("block: the bot refused, and it helps nothing to try again", async () => {
    await using conversation = await Conversation.with(agent("block", "input"));
    expect((await conversation.send("I am bob@example.com")).end).toMatchObject({
      status: "failed",
      error: { code: "BOT_REFUSED", retryable: false },
    });
  });
});

test("humanInTheLoopMiddleware: the run ends by name, and the conversation goes on", async () => {
  const model = scriptedModel((messages) =>
    messages.at(-1)?.text === "delete it"
      ? { tokens: ["I need a permit. "], toolCalls: [callOf("a")] }
      : { tokens: ["Hello."] },
  );
  const middleware = [humanInTheLoopMiddleware({ interruptOn: { look_up: true } })];
  const checkpointer = new MemorySaver();
  const agent = createAgent({ model, tools: [lookUp], middleware, checkpointer });
  await using conversation = await Conversation.with(agent, { memory: false });
  const seen = await conversation.send("delete it");
  expect(seen.end).toMatchObject({
    status: "failed",
    text: "I need a permit. ",
    error: { code: "INTERRUPT_UNSUPPORTED", retryable: false },
  });
  expect(seen.of("toolStart")).toEqual([]);
  expectAnswer(await conversation.send("hello"), "Hello.");
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
  expect(JSON.stringify(seen.of("toolEnd"))).not.toContain("lg_name");
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
