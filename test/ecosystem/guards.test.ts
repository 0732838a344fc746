/** What a user sees of an agent that langchain's middlewares limit, guard, or stop to ask somebody. */
import { MemorySaver } from "@langchain/langgraph";
import {
  createAgent,
  humanInTheLoopMiddleware,
  modelCallLimitMiddleware,
  piiMiddleware,
  toolCallLimitMiddleware,
} from "langchain";
import { describe, expect, test } from "vitest";
import { scriptedModel } from "../../src/testing/index.ts";
import { callOf, expectAnswer, lookUp, loop } from "./agents/looker.ts";
import { Conversation } from "./conversation.ts";

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

  test("with `stream: false`, what is redacted was never shown", async () => {
    await using conversation = await Conversation.with(agent("redact", "output"), {
      stream: false,
    });
    const seen = await conversation.send("Whom?");
    expect(seen.end.text).toBe("Write to [REDACTED_EMAIL].");
    expect(JSON.stringify(seen.events)).not.toContain("bob@example.com");
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
  expect(seen.of("agentFinish"), "nothing is finished").toEqual([]);
  expectAnswer(await conversation.send("hello"), "Hello.");
});
