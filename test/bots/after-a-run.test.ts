/**
 * What is held of a run that is over: nothing, though pooled connections and timers keep the async context
 * in which it worked.
 */
import { getEventListeners } from "node:events";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { describe, expect, test } from "vitest";
import { type BotDefinition, defineBot } from "../../src/bots/bot.ts";
import { containedBot } from "../../src/bots/isolation/bot-at-work.ts";
import {
  RunCalls,
  startProviderCall,
  withProviderCalls,
} from "../../src/bots/provider/provider-calls.ts";
import { type SpanEvent, type StartOptions, startBot } from "../../src/bots/run/run-bot.ts";

function start(runnable: BotDefinition["runnable"], options: Partial<StartOptions> = {}) {
  const expose = "all";
  const bot = defineBot({ id: "bot", title: "Bot", description: "", runnable, expose });
  return startBot(bot, {
    context: { runId: "r", conversationId: "c", userId: "u" },
    turn: { message: "hello", history: [] },
    emit: () => {},
    spoken: () => "",
    signal: new AbortController().signal,
    ...options,
  });
}

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
  const { done } = start(runnable, { onStrayError: () => {} });
  expect(await done).toMatchObject({ status: "completed", text: "done" });
  over.resolve();
  await later;
  expect(seen).toEqual([
    ["bot", true],
    ["bot", false],
  ]);
});

/** A bot that leaves work behind which tells of itself later. */
function leaving(ends: () => unknown) {
  const over = Promise.withResolvers<void>();
  const left = RunnableLambda.from(() => over.promise).withConfig({ runName: "left" });
  const works: Promise<unknown>[] = [];
  const runnable = RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
    works.push(left.invoke("", config).catch(() => {}));
    return ends();
  });
  const late = async () => {
    over.resolve();
    await Promise.all(works);
  };
  return { runnable, late };
}

describe("a run that is over", () => {
  test.each<[string, () => unknown]>([
    ["is done", () => "done"],
    [
      "has failed",
      () => {
        throw new Error("failed");
      },
    ],
    ["was stopped", () => new Promise(() => {})],
  ])("tells of nothing more, and listens to nothing, once it %s", async (how, ends) => {
    const events: SpanEvent[] = [];
    const stopping = new AbortController();
    const { runnable, late } = leaving(ends);
    const began = Promise.withResolvers<void>();
    const { done, closed } = start(runnable, {
      signal: stopping.signal,
      emit: (event) => {
        events.push(event);
        if (event.type === "chainStart") began.resolve();
      },
    });
    expect(getEventListeners(stopping.signal, "abort")).toHaveLength(1);
    await began.promise;
    if (how === "was stopped") stopping.abort();
    await done;
    const { length } = events;
    await late();
    await closed;
    expect(events.slice(length)).toEqual([]);
    expect(getEventListeners(stopping.signal, "abort")).toEqual([]);
  });

  test("before it began asks its bot for nothing, and does not wait for one that is made", async () => {
    let asked = 0;
    const runnable = RunnableLambda.from(() => void asked++);
    for (const given of [runnable, () => new Promise<never>(() => {})]) {
      const { done } = start(given, { signal: AbortSignal.abort() });
      expect(await done).toMatchObject({ status: "failed" });
    }
    expect(asked).toBe(0);
  });

  test("tells its bot, whose work has a signal of its own", async () => {
    const stopping = new AbortController();
    const seen = Promise.withResolvers<AbortSignal | undefined>();
    const runnable = RunnableLambda.from((_input: unknown, { signal }: RunnableConfig) => {
      seen.resolve(signal);
      return new Promise(() => {});
    });
    const { done } = start(runnable, { signal: stopping.signal });
    const signal = await seen.promise;
    expect(signal?.aborted).toBe(false);
    const reason = new Error("no more");
    stopping.abort(reason);
    expect([signal?.aborted, signal?.reason]).toEqual([true, reason]);
    expect(await done).toMatchObject({ status: "failed" });
  });
});
