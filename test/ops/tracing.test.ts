/** Traces of runs, through a real OpenTelemetry SDK; and nothing where there is none. */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { tool } from "@langchain/core/tools";
import {
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { createAgent } from "langchain";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Bot, defineBot } from "../../src/index.ts";
import { allOf, type RunObserver } from "../../src/runs/observer.ts";
import { traceRuns } from "../../src/server/metrics/tracing.ts";
import { agentBot } from "../../src/shipped/agent-bot.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { openSocket, subscription } from "../security/socket.ts";
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

/** As an SDK registers one. */
class AsyncContexts implements ContextManager {
  readonly #contexts = new AsyncLocalStorage<Context>();
  active(): Context {
    return this.#contexts.getStore() ?? ROOT_CONTEXT;
  }
  with: ContextManager["with"] = (active, code, self, ...args) =>
    this.#contexts.run(active, () => code.apply(self as ThisParameterType<typeof code>, args));
  bind<T>(_context: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

describe("with an SDK that is registered", () => {
  let exporter: InMemorySpanExporter;

  beforeEach(() => {
    const collected = collecting();
    exporter = collected.exporter;
    context.setGlobalContextManager(new AsyncContexts());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(collected.provider);
  });

  afterEach(() => {
    context.disable();
    propagation.disable();
    trace.disable();
  });

  const spanNamed = (name: string) =>
    exporter.getFinishedSpans().find((span) => span.name.startsWith(name));

  /** The bot's code makes a span of its own, as the instrumentation of a database does. */
  function askingBot(): Bot {
    const lookUp = tool(
      async () => {
        await Promise.resolve();
        trace.getTracer("pg").startSpan("SELECT").end();
        return "42";
      },
      { name: "look_up", description: "Looks it up.", schema: z.object({}) },
    );
    const model = scriptedModel([
      { toolCalls: [{ name: "look_up", args: {} }] },
      { tokens: ["It is 42."] },
    ]);
    return defineBot({
      ...{ id: "asking", title: "Asking", description: "Asks." },
      runnable: createAgent({ model, tools: [lookUp] }),
    });
  }

  test("what a tool makes itself is in its run's trace, and what runs at the same time is not", async () => {
    const bots = [askingBot(), askingBot()];
    await Promise.all(bots.map((bot) => runOnce(bot, traceRuns())));
    await expect
      .poll(() => exporter.getFinishedSpans().filter(({ name }) => name === "invoke_agent asking"))
      .toHaveLength(2);
    const traceOf = (name: string) =>
      exporter
        .getFinishedSpans()
        .filter((span) => span.name === name)
        .map((span) => span.spanContext().traceId);
    expect(new Set(traceOf("SELECT")).size).toBe(2);
    expect(traceOf("SELECT").sort()).toEqual(traceOf("invoke_agent asking").sort());
  });

  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  const newInput = () => ({
    ...{ runId: randomUUID(), conversationId: randomUUID() },
    ...{ botId: "chat", message: "hello" },
  });

  async function expectLinked(): Promise<void> {
    await expect.poll(() => spanNamed("invoke_agent")).toBeDefined();
    const run = spanNamed("invoke_agent");
    expect(run?.spanContext().traceId).not.toBe(traceId);
    expect(run?.links.map((link) => link.context.traceId)).toEqual([traceId]);
  }

  test("a run is linked to the request that opened its socket", async () => {
    const bots = [chatBot({ model: scriptedModel([{ tokens: ["It"] }]) })];
    await using server = await startTestServer({ bots, observer: traceRuns() });
    using socket = await openSocket(server.url, { headers });
    socket.send(subscription(1, "chat.send", newInput()));
    await socket.frame((frame) => frame.result?.type === "stopped");
    await expectLinked();
  });

  test("a run is linked to the request that asked for it over HTTP", async () => {
    const bots = [chatBot({ model: scriptedModel([{ tokens: ["It"] }]) })];
    await using server = await startTestServer({ bots, observer: traceRuns() });
    const input = JSON.stringify({ json: newInput() });
    const url = `http://127.0.0.1:${server.port}/trpc/chat.send?${new URLSearchParams({ input })}`;
    const answer = await fetch(url, { headers: { ...headers, accept: "text/event-stream" } });
    expect(await answer.text()).toContain('"completed"');
    await expectLinked();
  });

  test("a run is linked to what is active where its application sends it", async () => {
    const bots = [chatBot({ model: scriptedModel([{ tokens: ["It"] }]) })];
    await using server = await startTestServer({ bots, observer: traceRuns() });
    const request = trace.getTracer("http").startSpan("POST /ask");
    const caller = { userId: "ann" };
    const follower = await context.with(trace.setSpan(ROOT_CONTEXT, request), () =>
      server.langwire.runs.send(
        caller,
        { ...newInput(), ifBusy: "reject" },
        { signal: new AbortController().signal },
      ),
    );
    for await (const _ of follower);
    await expect.poll(() => spanNamed("invoke_agent")).toBeDefined();
    expect(spanNamed("invoke_agent")?.links[0]?.context).toEqual(request.spanContext());
  });
});

test("an observer around a run's code can neither keep it from running nor run it twice", () => {
  const failures: unknown[] = [];
  const failed = (_what: string, cause: unknown) => void failures.push(cause);
  const calls: string[] = [];
  const observers: RunObserver[] = [
    {
      failed,
      withinRun: () => {
        throw new Error("before");
      },
    },
    {
      failed,
      withinRun: (_run, code) => {
        code();
        calls.push("after");
        return code();
      },
    },
  ];
  const run = {} as Parameters<NonNullable<RunObserver["withinRun"]>>[0];
  expect(allOf(observers).withinRun?.(run, () => calls.push("code"))).toBe(1);
  expect(calls).toEqual(["code", "after"]);
  expect(failures).toHaveLength(1);
});
