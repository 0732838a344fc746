/** Bots whose own code misbehaves. The run ends, and the process and other runs go on. */
import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { RunnableConfig } from "@langchain/core/runnables";
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { createAgent } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Bot, type BotDefinition, defineBot } from "../../src/bots/bot.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { read, type StockClient, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { faultRow } from "./fault-table.ts";

function bot(id: string, runnable: BotDefinition["runnable"]): Bot {
  return defineBot({ id, title: id, description: "", runnable });
}

/** An agent whose one tool does that. */
function agentDoing(work: () => unknown): BotDefinition["runnable"] {
  return () => {
    const useIt = tool(async () => work(), {
      name: "useIt",
      description: "",
      schema: z.object({}),
    });
    const call = { tokens: ["let me see "], toolCalls: [{ name: "useIt", args: {} }] };
    const model = scriptedModel([call, { tokens: ["done"] }]);
    const agent = createAgent({ model, tools: [useIt] });
    return RunnableLambda.from((message: string, config: RunnableConfig) =>
      agent.invoke({ messages: [{ role: "human", content: message }] }, config),
    );
  };
}

function withCallback(callback: object): BotDefinition["runnable"] {
  return scriptedModel([{ tokens: ["fine"] }]).withConfig({ callbacks: [callback] });
}

async function loopOn(): Promise<never> {
  for (;;) await setImmediate();
}

const never = (): Promise<never> => new Promise(() => {});

const bots: readonly (readonly [
  name: string,
  runnable: BotDefinition["runnable"],
  code?: ErrorCode,
])[] = [
  [
    "a tool that throws, which the agent is told of",
    agentDoing(() => Promise.reject(new Error("broken"))),
  ],
  ["a tool that throws what is no error", agentDoing(() => Promise.reject(null)), "BOT_FAILED"],
  ["a tool that never returns", agentDoing(never), "RUN_TIMEOUT"],
  ["a tool that loops, giving way", agentDoing(loopOn), "RUN_TIMEOUT"],
  [
    "a chain that throws",
    RunnableLambda.from(() => {
      throw new Error("broken");
    }),
    "BOT_FAILED",
  ],
  ["a chain that never returns", RunnableLambda.from(never), "RUN_TIMEOUT"],
  [
    "a factory that throws",
    () => {
      throw new Error("broken");
    },
    "BOT_FAILED",
  ],
  ["a factory that never returns", never, "RUN_TIMEOUT"],
  [
    "a callback that throws",
    withCallback({
      name: "thrower",
      handleLLMNewToken() {
        throw new Error("broken");
      },
      handleLLMEnd: () => Promise.reject(new Error("broken")),
    }),
  ],
  [
    "a callback that never returns",
    withCallback({ name: "sleeper", awaitHandlers: true, handleLLMEnd: never }),
    "RUN_TIMEOUT",
  ],
  [
    "an answer without end",
    RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
      const model = scriptedModel(() => ({ tokens: Array(1_000).fill("x".repeat(100)) }));
      for (;;) await model.invoke("again", config);
    }),
    "RUN_TOO_LARGE",
  ],
];

test("bots that throw, loop and never return", async (context) => {
  const row = faultRow(context, "a bot's tool, callback or chain throws, loops or never returns");
  // What ends by itself may take its time on a busy machine; and some of the others go on for good.
  for (const runTimeoutMs of [600_000, 3_000]) {
    row.cases += await tried(
      bots.filter(([, , code]) => (code === "RUN_TIMEOUT") === (runTimeoutMs === 3_000)),
      runTimeoutMs,
    );
  }
  expect(row.cases).toBe(bots.length);
});

/** @returns how many */
async function tried(some: typeof bots, runTimeoutMs: number): Promise<number> {
  const gate = Promise.withResolvers<void>();
  const neighbour = bot("neighbour", scriptedModel([{ tokens: ["a"], until: gate.promise }]));
  await using server = await startTestServer({
    bots: [neighbour, ...some.map(([, runnable], index) => bot(`bot-${index}`, runnable))],
    runLimits: { runTimeoutMs, maxRunBytes: 1024 * 1024 },
  });
  using client = wsClient(server.url);
  const other = send(client, "neighbour");
  await other.until(({ type }) => type === "token");
  const ends = await Promise.all(
    some.map(async ([name, , code], index) => {
      const end = expectWholeRun(await send(client, `bot-${index}`).completed);
      return { name, status: end.status, code: end.error?.code, expected: code };
    }),
  );
  for (const { name, status, code, expected } of ends) {
    const want = { name, status: expected === undefined ? "completed" : "failed", code: expected };
    expect({ name, status, code }).toEqual(want);
  }
  // What they left behind does not keep the loop from others, nor others from their ends.
  const again = send(client, "neighbour");
  await again.until(({ type }) => type === "token");
  gate.resolve();
  expect(expectWholeRun(await again.completed).status).toBe("completed");
  expect(other.received.at(-1)?.event.type).not.toBe("runStart");
  expect(server.langwire.runs.live.size).toBe(0);
  return ends.length;
}

function send({ api }: StockClient, botId: string) {
  const run = { runId: randomUUID(), botId, conversationId: randomUUID(), message: "hello" };
  return read((options) => api.chat.send.subscribe(run, options));
}
