/** A typed bot's answer while a model writes it: the real `ChatOpenAI` against a mock provider. */
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Bot, type BotDefinition, defineBot } from "../../src/bots/bot.ts";
import { startBot } from "../../src/bots/run/run-bot.ts";
import type { EventOf, Json } from "../../src/protocol/events.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { answerOf, invoice, invoiceOutput, structuredBots } from "../support/structured-bots.ts";
import { type Transcript, transcriptOfBot } from "./transcript.ts";

let provider: MockProvider;
beforeAll(async () => {
  provider = await startMockProvider();
});
afterAll(() => provider[Symbol.asyncDispose]());

const model = () =>
  new ChatOpenAI({
    model: "gpt-4.1-mini",
    apiKey: "test-key",
    maxRetries: 0,
    configuration: { baseURL: provider.baseUrl },
  });

const outputsOf = ({ events }: Pick<Transcript, "events">): Json[] =>
  events
    .filter((event): event is EventOf<"output"> => event.type === "output")
    .map(({ value }) => value);

const input = { file: "bill.pdf", currency: "EUR" };
const transcriptOfInput = (bot: Bot) => transcriptOfBot(bot, { input });

function structured(settings: Partial<BotDefinition> = {}): Bot {
  const runnable = RunnableLambda.from(() => "hello").pipe(
    model().withStructuredOutput(invoiceOutput),
  );
  const described = { id: "structured", title: "Structured", description: "" };
  return defineBot({ ...described, output: invoiceOutput, runnable, ...settings });
}

describe.each(["provider", "tool", "structured", "functionCalling"])("by %s", (id) => {
  test("the answer grows to what it is at the end, and no JSON is said", async () => {
    const bot = structuredBots(provider).find((one) => one.id === id) as Bot;
    const long = { total: 42, lines: Array.from({ length: 9 }, (_, at) => `line ${at} 炭酸水`) };
    provider.answer(answerOf(id, long));
    const transcript = await transcriptOfInput(bot);
    const outputs = outputsOf(transcript);
    expect(outputs.length).toBeGreaterThan(3);
    expect(outputs[0]).toEqual({ total: expect.any(Number) });
    for (const [at, value] of outputs.entries()) {
      const { lines = [] } = value as Partial<typeof long>;
      expect(long.lines.slice(0, Math.max(0, lines.length - 1))).toEqual(lines.slice(0, -1));
      if (at > 0) expect(value).not.toEqual(outputs[at - 1]);
    }
    expect(outputs.at(-1)).toEqual(long);
    expect(transcript.outcome).toMatchObject({ status: "completed", output: long });
    expect(transcript.tokens).toBe("");
    const types = transcript.events.map(({ type }) => type);
    expect(types).not.toContain("toolInput");
  });
});

test("an agent's answer is no tool's: neither an action nor a span, also where it is written again", async () => {
  const bot = structuredBots(provider).find(({ id }) => id === "tool") as Bot;
  provider.answer(answerOf("tool", { total: "many", lines: [] }));
  provider.answer(answerOf("tool", invoice));
  const transcript = await transcriptOfInput(bot);
  expect(transcript.outcome).toMatchObject({ status: "completed", output: invoice });
  expect(outputsOf(transcript).at(-1)).toEqual(invoice);
  const types = new Set(transcript.events.map(({ type }) => type));
  for (const type of ["agentAction", "toolInput", "toolStart", "error"] as const) {
    expect(types).not.toContain(type);
  }
});

test("an answer of any length is told in events of a few times its size", async () => {
  const lines = Array.from({ length: 400 }, (_, at) => `the line number ${at} of a long list`);
  const json = JSON.stringify({ total: 1, lines });
  provider.answer({ steps: json.match(/[\s\S]{1,8}/g) ?? [] });
  const outputs = outputsOf(await transcriptOfBot(structured()));
  const sum = outputs.reduce<number>((all, value) => all + JSON.stringify(value).length, 0);
  expect(outputs.at(-1)).toEqual({ total: 1, lines });
  expect(outputs.length).toBeGreaterThan(20);
  expect(sum).toBeLessThan(12 * json.length);
});

test("one that is too long for a payload is told as far as it went, and whole at the end", async () => {
  const lines = Array.from({ length: 3_000 }, (_, at) => `the line number ${at} of a long list`);
  provider.answer({ steps: JSON.stringify({ total: 1, lines }).match(/[\s\S]{1,4000}/g) ?? [] });
  const transcript = await transcriptOfBot(structured());
  expect(transcript.outcome).toMatchObject({ output: { total: 1, lines } });
  for (const value of outputsOf(transcript)) {
    expect(JSON.stringify(value).length).toBeLessThan(64_100);
  }
});

describe("what is told", () => {
  test("is shown at every level of expose", async () => {
    for (const expose of ["none", "root", "tools", "all"] as const) {
      provider.answer(answerOf("structured", invoice));
      const outputs = outputsOf(await transcriptOfBot(structured({ expose })));
      expect(outputs.at(-1)).toEqual(invoice);
    }
  });

  test("is nothing before the end, with stream: false", async () => {
    provider.answer(answerOf("structured", invoice));
    const transcript = await transcriptOfBot(structured({ stream: false }));
    expect(outputsOf(transcript)).toEqual([]);
    expect(transcript.outcome).toMatchObject({ output: invoice });
    expect(JSON.stringify(transcript.events)).not.toContain("quoted");
  });

  test("is no bot's without an output's schema", async () => {
    provider.answer(answerOf("structured", invoice));
    const transcript = await transcriptOfBot(structured({ output: undefined }));
    expect(outputsOf(transcript)).toEqual([]);
  });

  test("is neither a router's choice nor what a tool asks for", async () => {
    const choice = model().withStructuredOutput(z.object({ route: z.string() }));
    const inner = model().withStructuredOutput(invoiceOutput);
    const reads = tool(async () => JSON.stringify(await inner.invoke("read")), {
      name: "reads",
      description: "Reads",
      schema: z.object({}),
    });
    const agent = createAgent({ model: model(), tools: [reads] });
    const runnable = RunnableLambda.from(async (_: unknown, config) => {
      await choice.invoke("which way?", config);
      await agent.invoke({ messages: [{ role: "user", content: "read" }] }, config);
      return invoice;
    });
    provider.answer({ steps: [...JSON.stringify({ route: "short" })] });
    provider.answer({ steps: [{ toolCall: "reads", args: {} }] });
    provider.answer({ steps: [...JSON.stringify({ total: 7, lines: [] })] });
    provider.answer({ steps: ["It ", "is read."] });
    const transcript = await transcriptOfBot(structured({ runnable }));
    expect(outputsOf(transcript)).toEqual([]);
    expect(transcript.outcome).toMatchObject({ status: "completed", output: invoice });
    expect(transcript.tokens).toBe("It is read.");
  });

  test("ends with the run that is stopped", async () => {
    const stop = new AbortController();
    provider.answer({ steps: ['{"total": 1, "lines": ["a"', "stall"] });
    const outputs: Json[] = [];
    const run = startBot(structured(), {
      context: { runId: crypto.randomUUID(), conversationId: crypto.randomUUID(), userId: "me" },
      turn: { message: "", history: [] },
      spoken: () => "",
      signal: stop.signal,
      emit(event) {
        if (event.type !== "output") return;
        outputs.push(event.value);
        stop.abort();
      },
    });
    expect(await run.done).toMatchObject({ status: "failed" });
    expect(outputs).toEqual([{ total: 1, lines: ["a"] }]);
  });
});
