/** Bots whose code does its worst at the last step: their runs end typed, and nobody else notices. */
import { randomUUID } from "node:crypto";
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import { AIMessage } from "@langchain/core/messages";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Bot, type BotDefinition, defineBot } from "../../src/bots/bot.ts";
import { type ErrorCode, LangwireError } from "../../src/protocol/errors.ts";
import { logRuns } from "../../src/runs/run-log.ts";
import { createLogger } from "../../src/server/logging/logger.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { read, type StockClient, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const then = "then";
const unreadable = (): never => {
  throw new Error("not to be read");
};

const withGetters = (...keys: string[]): Error => {
  const error = new Error("hostile");
  for (const key of keys) Object.defineProperty(error, key, { get: unreadable });
  return error;
};

class OurError extends LangwireError {
  override toFailure(): never {
    return unreadable();
  }
}

/** What a bot may throw, made anew for each run. */
const thrown: Readonly<Record<string, () => unknown>> = {
  "a revoked proxy": revoked,
  "an error whose cause throws": () => withGetters("cause"),
  "an error that cannot be read": () => withGetters("cause", "name", "message", "stack"),
  nothing: () => undefined,
  "a symbol": () => Symbol("x"),
  "an error around a revoked proxy": () => new Error("x", { cause: revoked() }),
  "that its owner is lost": () => new LangwireError("OWNER_LOST"),
  "an error of ours that throws": () => new OurError("BAD_INPUT", { message: "no" }),
  "an error of ours with a code of its own": () =>
    Object.assign(new LangwireError("BAD_INPUT"), { code: "toString" }),
};

/** What a bot's `output` may return for a text. */
const returned: Readonly<Record<string, () => unknown>> = {
  "an object": () => ({ city: "Rome" }),
  "a number": () => 42,
  "a function": () => unreadable,
  "a promise": async () => "Rome",
  "a promise that rejects": () => Promise.reject(new Error("late")),
  "a promise that never settles": () => new Promise(() => {}),
  "a revoked proxy": revoked,
  "what throws when it is awaited": () => Object.defineProperty({}, then, { get: unreadable }),
};

interface Hostile extends Pick<BotDefinition, "runnable" | "output" | "input"> {
  readonly code?: ErrorCode;
}

const fine = RunnableLambda.from(() => "fine");
const throwing = (make: () => unknown) => (): never => {
  throw make();
};

function hostileBots(): Record<string, Hostile> {
  const all: Record<string, Hostile> = {};
  const expected = (name: string): ErrorCode =>
    name === "an error of ours that throws" ? "BAD_INPUT" : "BOT_FAILED";
  for (const [name, make] of Object.entries(thrown)) {
    const code = expected(name);
    all[`output throws ${name}`] = { runnable: fine, output: throwing(make), code };
    all[`input throws ${name}`] = { runnable: fine, input: throwing(make), code };
    all[`a chain throws ${name}`] = { runnable: RunnableLambda.from(throwing(make)), code };
    all[`a factory throws ${name}`] = { runnable: throwing(make), code };
    all[`a factory rejects with ${name}`] = { runnable: async () => throwing(make)(), code };
  }
  for (const [name, make] of Object.entries(returned)) {
    const output = make as unknown as BotDefinition["output"];
    all[`output returns ${name}`] = { runnable: fine, output, code: "BOT_FAILED" };
  }
  all["a chain returns a revoked proxy"] = {
    runnable: { invoke: async () => ({ output: revoked() }) } as never,
    code: "BOT_FAILED",
  };
  all["a factory returns a revoked proxy"] = { runnable: revoked as never, code: "BOT_FAILED" };
  all["an answer whose text throws"] = {
    runnable: {
      invoke: async () => Object.defineProperty(new AIMessage("x"), "text", { get: unreadable }),
    } as never,
  };
  all["an answer of half characters"] = { runnable: fine, output: () => "half \ud83d" };
  all["a bot that calls back late"] = {
    runnable: RunnableLambda.from((_input: unknown, config: RunnableConfig) => {
      setImmediate(() => void dispatchCustomEvent("late", {}, config));
      return "fine";
    }),
  };
  all["a tool that throws what cannot be read"] = {
    runnable: RunnableLambda.from((_input: unknown, config: RunnableConfig) =>
      tool(
        throwing(() => withGetters("cause", "name")),
        { name: "t", description: "", schema: z.object({}) },
      ).invoke({}, config),
    ),
    code: "TOOL_FAILED",
  };
  all["a model that throws a revoked proxy"] = {
    runnable: () => scriptedModel([{ tokens: ["a"], error: revoked() as Error }]),
    code: "PROVIDER_ERROR",
  };
  return all;
}

test("a thousand runs of hostile bots, beside honest ones", async () => {
  const kinds = Object.entries(hostileBots());
  const honest = defineBot({
    id: "honest",
    title: "honest",
    description: "",
    runnable: scriptedModel([{ tokens: ["All ", "is ", "well."] }]),
  });
  const bots = kinds.map(([title, { code, ...definition }], index): Bot => {
    return defineBot({ id: `hostile-${index}`, title, description: "", ...definition });
  });
  const logged: string[] = [];
  const observer = logRuns(
    createLogger({ level: "debug", destination: { write: (line) => void logged.push(line) } }),
  );
  await using server = await startTestServer({ bots: [honest, ...bots], observer });
  using client = wsClient(server.url);
  const rounds = Math.ceil(1_000 / kinds.length);
  for (let round = 0; round < rounds; round++) {
    const ends = await Promise.all([
      ...kinds.map(async ([name, { code }], index) => {
        const end = expectWholeRun(await send(client, `hostile-${index}`).completed);
        return { name, got: end.error?.code, expected: code, text: end.text };
      }),
      ...Array.from({ length: 5 }, async () => {
        const end = expectWholeRun(await send(client, "honest").completed);
        return { name: "honest", got: end.error?.code, expected: undefined, text: end.text };
      }),
    ]);
    for (const { name, got, expected, text } of ends) {
      expect({ name, code: got }).toEqual({ name, code: expected });
      expect(text.isWellFormed()).toBe(true);
      if (name === "honest") expect(text).toBe("All is well.");
    }
  }
  expect(server.langwire.runs.live.size).toBe(0);
  expect(logged.filter((line) => line.includes("an observer of runs failed"))).toEqual([]);
});

function send({ api }: StockClient, botId: string) {
  const run = { runId: randomUUID(), botId, conversationId: randomUUID(), message: "hello" };
  return read((options) => api.chat.send.subscribe(run, options));
}
