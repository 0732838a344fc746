/** Traces of runs, through a real OpenTelemetry SDK; and nothing where there is none. */
import { randomUUID } from "node:crypto";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { expect, test } from "vitest";
import type { Bot } from "../../src/index.ts";
import type { RunObserver } from "../../src/runs/observer.ts";
import { traceRuns } from "../../src/server/metrics/tracing.ts";
import { agentBot } from "../../src/shipped/agent-bot.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { read, wsClient } from "../support/stock-client.ts";

async function runOnce(bot: Bot, observer: RunObserver) {
  await using server = await startTestServer({ bots: [bot], observer });
  using client = wsClient(server.url);
  const ids = { runId: randomUUID(), conversationId: randomUUID(), botId: bot.id };
  const input = { ...ids, message: "A secret: 2 + 3" };
  const { completed } = read((options) => client.api.chat.send.subscribe(input, options));
  await completed;
  return input;
}

function collecting() {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  return { exporter, provider: new BasicTracerProvider({ spanProcessors }) };
}

test("a run is a tree of spans, by the conventions for generative AI", async () => {
  const { exporter, provider } = collecting();
  const usage = { inputTokens: 7, outputTokens: 3 };
  const model = scriptedModel([
    { toolCalls: [{ name: "calculator", args: { expression: "2 + 3" } }], usage },
    { tokens: ["Five", "."], usage },
  ]);
  const { runId, conversationId } = await runOnce(agentBot({ model }), traceRuns(provider));
  await expect.poll(() => exporter.getFinishedSpans().at(-1)?.name).toBe("invoke_agent agent");
  const spans = exporter.getFinishedSpans();
  const root = spans.at(-1);
  expect(root?.parentSpanContext).toBeUndefined();
  expect(root?.attributes).toMatchObject({
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.id": "agent",
    "gen_ai.conversation.id": conversationId,
    "gen_ai.usage.input_tokens": 14,
    "langwire.run.id": runId,
    "langwire.run.status": "completed",
  });
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  for (const span of spans.slice(0, -1)) {
    expect(span.spanContext().traceId).toBe(root?.spanContext().traceId);
    expect(ids).toContain(span.parentSpanContext?.spanId);
  }
  const chats = spans.filter(({ attributes }) => attributes["gen_ai.operation.name"] === "chat");
  expect(chats).toHaveLength(2);
  expect(chats[0]?.attributes).toMatchObject({ "gen_ai.usage.output_tokens": 3 });
  const tool = spans.find(({ name }) => name === "execute_tool calculator");
  expect(tool?.attributes).toMatchObject({ "gen_ai.tool.name": "calculator" });
  const words = JSON.stringify(
    spans.map(({ name, attributes, events }) => [name, attributes, events]),
  );
  for (const word of ["secret", "Five", "2 + 3"]) expect(words).not.toContain(word);
});

test("a run that failed is marked by its code", async () => {
  const { exporter, provider } = collecting();
  const model = scriptedModel([{ tokens: ["It"], error: new Error("broken") }]);
  await runOnce(chatBot({ model }), traceRuns(provider));
  await expect.poll(() => exporter.getFinishedSpans().at(-1)?.name).toBe("invoke_agent chat");
  const root = exporter.getFinishedSpans().at(-1);
  expect(root?.attributes["langwire.run.status"]).toBe("failed");
  expect(root?.attributes["error.type"]).toMatch(/^[A-Z_]+$/);
  expect(JSON.stringify(root?.status)).not.toContain("broken");
});

test("without an SDK nothing is traced, and runs go on as ever", async () => {
  const model = scriptedModel([{ tokens: ["It"] }]);
  await runOnce(chatBot({ model }), traceRuns());
  expect(model.calls).toHaveLength(1);
});
