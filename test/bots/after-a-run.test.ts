/**
 * What is held of a run that is over: nothing, though pooled connections and timers keep the async context
 * in which it worked.
 */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, test } from "vitest";
import { defineBot } from "../../src/bots/bot.ts";
import { containedBot } from "../../src/bots/isolation/bot-at-work.ts";
import {
  RunCalls,
  startProviderCall,
  withProviderCalls,
} from "../../src/bots/provider/provider-calls.ts";
import { startBot } from "../../src/bots/run/run-bot.ts";

test("requests are counted for a run while it works, and not afterwards", async () => {
  const run = new RunCalls(() => {});
  const over = Promise.withResolvers<void>();
  let later: Promise<void> | undefined;
  await withProviderCalls(run, async () => {
    startProviderCall().requested();
    later = over.promise.then(() => startProviderCall().requested());
  });
  over.resolve();
  await later;
  expect(run.requests).toBe(1);
});

test("an error that nobody catches ends a run while it works, and not afterwards", async () => {
  const over = Promise.withResolvers<void>();
  const seen: (readonly [string | undefined, boolean])[] = [];
  const look = () => {
    const bot = containedBot();
    seen.push([bot?.botId, bot?.crash !== undefined]);
  };
  let later: Promise<void> | undefined;
  const runnable = RunnableLambda.from(() => {
    look();
    later = over.promise.then(look);
    return "done";
  });
  const { done } = startBot(defineBot({ id: "bot", title: "Bot", description: "", runnable }), {
    context: { runId: "r", conversationId: "c", userId: "u" },
    turn: { message: "hello", history: [] },
    emit: () => {},
    spoken: () => "",
    signal: new AbortController().signal,
    onStrayError: () => {},
  });
  expect(await done).toMatchObject({ status: "completed", text: "done" });
  over.resolve();
  await later;
  expect(seen).toEqual([
    ["bot", true],
    ["bot", false],
  ]);
});
