/**
 * A server in a process of its own, whose bots use packages that let errors out: promises that nobody
 * holds, throws in timers. It tells its parent its address, and of each error that was contained.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseMessage } from "@langchain/core/messages";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { z } from "zod";
import { type Bot, defineBot } from "../../src/bots/bot.ts";
import { ScriptedModel, scriptedModel } from "../../src/testing/scripted-model.ts";
import { startTestServer } from "../../src/testing/test-server.ts";

/** As a client does that tees its stream: an abort rejects a second promise, which nobody reads. */
class TeeingModel extends ScriptedModel {
  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ) {
    options.signal?.addEventListener("abort", () => {
      void Promise.reject(new Error("This operation was aborted"));
    });
    yield* super._streamResponseChunks(messages, options, runManager);
  }
}

const endless = { tokens: Array<string>(10_000).fill("on "), paceMs: 5 };

const bots: Readonly<Record<string, Bot["makeRunnable"]>> = {
  honest: () => scriptedModel([{ tokens: ["All ", "is ", "well."], paceMs: 5 }]),
  teeing: () => new TeeingModel(() => endless),
  "throws-in-a-timer": () =>
    RunnableLambda.from((_input: unknown, config: RunnableConfig) => {
      setTimeout(() => {
        throw new Error("in a timer");
      }, 1);
      return delay(60_000, "too late", { ...(config.signal && { signal: config.signal }) });
    }),
  "rejects-beside": () =>
    RunnableLambda.from(async () => {
      void Promise.reject(new Error("beside"));
      await delay(10);
      return "All is well.";
    }),
  "throws-late": () =>
    RunnableLambda.from(() => {
      setTimeout(() => {
        throw new Error("after its end");
      }, 50);
      return "All is well.";
    }),
};

/** Checks of a typed bot's input, which are its own code as well. */
const checks: Readonly<Record<string, (text: string) => Promise<string>>> = {
  "check-rejects-beside": async (text) => {
    void Promise.reject(new Error("beside the check"));
    await delay(10);
    return text;
  },
  "check-throws-in-a-timer": () => {
    setTimeout(() => {
      throw new Error("in the check's timer");
    }, 1);
    return new Promise(() => {});
  },
};

const server = await startTestServer({
  bots: [
    ...Object.entries(bots).map(([id, runnable]) =>
      defineBot({ id, title: id, description: "", runnable }),
    ),
    ...Object.entries(checks).map(([id, check]) =>
      defineBot({
        ...{ id, title: id, description: "" },
        input: z.string().transform(check),
        schemas: { input: { type: "string" } },
        runnable: RunnableLambda.from((text: string) => text),
      }),
    ),
  ],
  containStrayErrors: process.env.CONTAIN !== "no",
  observer: {
    strayError: ({ botId, kind, cause }) => {
      process.send?.({ botId, kind, said: cause instanceof Error ? cause.message : "" });
    },
  },
});
if (process.env.LISTENS === "yes") {
  const tell = (kind: string) => (cause: unknown) =>
    void process.send?.({ botId: "", kind, said: cause instanceof Error ? cause.message : "" });
  process.on("unhandledRejection", tell("rejection"));
  process.on("uncaughtException", tell("exception"));
}
process.on("disconnect", () => process.exit());
process.on("message", (what) => {
  if (what === "reject") void Promise.reject(new Error("our own"));
  else
    setTimeout(() => {
      throw new Error("our own");
    });
});
process.send?.({ url: server.url });
