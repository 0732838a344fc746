/** When a bot's `onEnd` is called: once, and not for ever behind a factory that does not settle. By the clock of a test. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, onTestFinished, test, vi } from "vitest";
import { type BotRunnable, defineBot } from "../../src/bots/bot.ts";
import { BotLifetime } from "../../src/bots/isolation/bot-lifetime.ts";

const made = RunnableLambda.from(() => "") as BotRunnable;

test.each<[string, (factory: PromiseWithResolvers<BotRunnable>) => unknown, readonly string[]]>([
  ["settles", ({ resolve }) => resolve(made), ["0 onEnd"]],
  ["fails", ({ reject }) => reject(new Error("no")), ["0 onEnd"]],
  [
    "settles a little later",
    async ({ resolve }) => {
      await vi.advanceTimersByTimeAsync(1_500);
      resolve(made);
    },
    ["1500 onEnd"],
  ],
  ["never settles", () => {}, ["2000 onEnd"]],
])("of a factory that %s", async (_what, settle, expected) => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const startedAtMs = performance.now();
  const transcript: string[] = [];
  const factory = Promise.withResolvers<BotRunnable>();
  const lifetime = new BotLifetime({
    bot: defineBot({
      ...{ id: "bot", title: "Bot", description: "" },
      runnable: () => factory.promise,
      onEnd: () => transcript.push(`${performance.now() - startedAtMs} onEnd`),
    }),
    context: { runId: "r", conversationId: "c", userId: "u", context: undefined },
    onFailure: (what) => transcript.push(what),
  });
  lifetime.make().catch(() => {});
  void lifetime.end();
  await settle(factory);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(transcript).toEqual(expected);
});
