/** What a bot's author forbade it: told by codes of their own, with LangChain's own middlewares. */
import { RunnableLambda } from "@langchain/core/runnables";
import {
  createAgent,
  modelCallLimitMiddleware,
  piiMiddleware,
  tool,
  toolCallLimitMiddleware,
} from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import type { BotRunnable } from "../../src/bots/bot.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { transcriptOf } from "./transcript.ts";

const schema = z.object({});
const again = tool(() => "again", { name: "again", description: "", schema });
/** Calls the tool for ever. */
const eager = () => scriptedModel([{ toolCalls: [{ name: "again", args: {} }] }]);

const loop = () =>
  createAgent({ model: eager(), tools: [again] }).withConfig({ recursionLimit: 6 });
const inside = tool((_input, config) => loop().invoke({ messages: "go" }, config), {
  name: "again",
  description: "",
  schema,
});

const rows: readonly (readonly [what: string, runnable: BotRunnable, code: ErrorCode])[] = [
  ["a graph at its recursion limit", loop(), "BOT_LIMIT_REACHED"],
  [
    "a limit that a chain around the graph names as its cause",
    RunnableLambda.from(async (_input, config) => {
      const around = (cause: unknown) => new Error("around", { cause });
      return loop()
        .invoke({ messages: "go" }, config)
        .catch((cause) => Promise.reject(around(cause)));
    }),
    "BOT_LIMIT_REACHED",
  ],
  [
    "an agent at its limit of model calls",
    createAgent({
      model: eager(),
      tools: [again],
      middleware: [modelCallLimitMiddleware({ runLimit: 2, exitBehavior: "error" })],
    }),
    "BOT_LIMIT_REACHED",
  ],
  [
    "an agent at its limit of tool calls",
    createAgent({
      model: eager(),
      tools: [again],
      middleware: [toolCallLimitMiddleware({ runLimit: 1, exitBehavior: "error" })],
    }),
    "BOT_LIMIT_REACHED",
  ],
  [
    "a guard that blocks what a person wrote",
    createAgent({
      model: eager(),
      tools: [again],
      middleware: [piiMiddleware("email", { strategy: "block", applyToInput: true })],
    }),
    "BOT_REFUSED",
  ],
  [
    "a guard that blocks what the model wrote",
    createAgent({
      model: scriptedModel([{ tokens: ["Write to bob@example.com"] }]),
      tools: [],
      middleware: [piiMiddleware("email", { strategy: "block", applyToOutput: true })],
    }),
    "BOT_REFUSED",
  ],
  [
    "a limit inside a tool that lets it through",
    RunnableLambda.from((_input, config) => inside.invoke({}, config)),
    "BOT_LIMIT_REACHED",
  ],
];

test.each(rows)("%s", async (_what, runnable, code) => {
  const { outcome } = await transcriptOf({
    runnable,
    message: "I am bob@example.com",
  });
  expect(outcome).toMatchObject({ status: "failed", error: { code, retryable: false } });
});
