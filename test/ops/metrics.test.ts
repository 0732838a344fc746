/** What Prometheus is told, by whom it can be read, and that nobody's words or ids are in it. */
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { LoopLag } from "../../src/server/metrics/loop-lag.ts";
import { Metrics, metricsServer } from "../../src/server/metrics/metrics.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { read, wsClient } from "../support/stock-client.ts";

const usage = { inputTokens: 7, outputTokens: 3 };

async function start(model = scriptedModel([{ tokens: ["It", " fizz", "es."], usage }])) {
  const metrics = new Metrics();
  const loopLag = new LoopLag();
  const server = await startTestServer({
    bots: [chatBot({ model })],
    observer: metrics.observer,
  });
  metrics.observe({ langwire: server.langwire, connections: server.server.connections, loopLag });
  const client = wsClient(server.url);
  onTestFinished(async () => {
    client[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
    loopLag[Symbol.dispose]();
  });
  const send = (message: string, conversationId: string = randomUUID()) => {
    const input = { runId: randomUUID(), conversationId, botId: "chat", message };
    return { input, ...read((options) => client.api.chat.send.subscribe(input, options)) };
  };
  return { metrics, server, send, api: client.api };
}

/** The value of a sample, by its name and labels as they are written. */
async function sample(metrics: Metrics, name: string): Promise<number | undefined> {
  const line = (await metrics.text()).split("\n").find((text) => text.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

test("a run that completed is counted, with its tokens and times", async () => {
  const { metrics, send } = await start();
  await send("Soda?").completed;
  const completed = 'langwire_runs_total{bot="chat",status="completed",code=""}';
  await expect.poll(() => sample(metrics, completed)).toBe(1);
  expect(await sample(metrics, 'langwire_runs_started_total{bot="chat"}')).toBe(1);
  expect(await sample(metrics, 'langwire_tokens_total{bot="chat",kind="input"}')).toBe(7);
  expect(await sample(metrics, 'langwire_tokens_total{bot="chat",kind="output"}')).toBe(3);
  expect(await sample(metrics, 'langwire_time_to_first_token_seconds_count{bot="chat"}')).toBe(1);
  expect(await sample(metrics, 'langwire_output_tokens_per_second_count{bot="chat"}')).toBe(1);
  expect(await sample(metrics, "langwire_append_seconds_count")).toBe(1);
  const archivedBytes = await sample(metrics, 'langwire_archived_bytes_total{bot="chat"}');
  expect(archivedBytes).toBeGreaterThan(100);
});

test("who reads along is timed from the log's call to the delivery", async () => {
  const { metrics, api, send } = await start();
  const conversationId = randomUUID();
  await api.conversations.create.mutate({ conversationId, botId: "chat" });
  const started = Promise.withResolvers<void>();
  api.chat.watch.subscribe({ conversationId }, { onStarted: () => started.resolve() });
  await started.promise;
  await send("Soda?", conversationId).completed;
  await expect.poll(() => sample(metrics, "langwire_delivery_seconds_count")).toBeGreaterThan(0);
});

test("a run that failed is counted under its code", async () => {
  const model = scriptedModel([{ tokens: ["It"], error: new Error("broken") }]);
  const { metrics, send } = await start(model);
  const ending = (await send("Soda?").completed).at(-1)?.event;
  const code = ending?.type === "runEnd" ? ending.error?.code : undefined;
  expect(code).toBeDefined();
  const failed = `langwire_runs_total{bot="chat",status="failed",code="${code}"}`;
  await expect.poll(() => sample(metrics, failed)).toBe(1);
});

test("sockets, subscriptions and live runs are those of the moment", async () => {
  const { promise: until, resolve } = Promise.withResolvers<void>();
  const { metrics, send } = await start(scriptedModel([{ tokens: ["It"], until }]));
  const reading = send("Soda?");
  await expect.poll(() => sample(metrics, "langwire_live_runs")).toBe(1);
  expect(await sample(metrics, "langwire_sockets")).toBe(1);
  expect(await sample(metrics, "langwire_subscriptions")).toBe(1);
  for (const up of ["accepting", "store_up", "log_up"]) {
    expect(await sample(metrics, `langwire_${up}`), up).toBe(1);
  }
  expect(await sample(metrics, "langwire_log_memory_bytes")).toBeGreaterThan(0);
  resolve();
  await reading.completed;
  await expect.poll(() => sample(metrics, "langwire_live_runs")).toBe(0);
  await expect.poll(() => sample(metrics, "langwire_subscriptions")).toBe(0);
});

test("no message, answer or id is in it", async () => {
  const { metrics, send } = await start();
  const { input, completed } = send("A secret question");
  await completed;
  await expect.poll(() => sample(metrics, "langwire_append_seconds_count")).toBe(1);
  const text = await metrics.text();
  for (const word of ["secret", "fizz", input.runId, input.conversationId, "local"]) {
    expect(text).not.toContain(word);
  }
});

test("a port of its own answers loopback names alone, unless there is a token", async () => {
  const { metrics } = await start();
  const open = metricsServer(metrics);
  onTestFinished(() => open.close());
  expect((await open.inject({ url: "/metrics", headers: { host: "127.0.0.1" } })).statusCode).toBe(
    200,
  );
  const rebound = { url: "/metrics", headers: { host: "attacker.example" } };
  expect((await open.inject(rebound)).statusCode).toBe(403);
  const token = "0123456789abcdef01234567";
  const guarded = metricsServer(metrics, token);
  onTestFinished(() => guarded.close());
  expect((await guarded.inject(rebound)).statusCode).toBe(401);
  const statusOf = async (authorization: string) => {
    const headers = { host: "metrics.example", authorization };
    return (await guarded.inject({ url: "/metrics", headers })).statusCode;
  };
  for (const scheme of ["Bearer", "bearer", "BEARER "]) {
    expect(await statusOf(`${scheme} ${token}`), scheme).toBe(200);
  }
  for (const wrong of [token, `Basic ${token}`, `Bearer ${token} `, `Bearer${token}`]) {
    expect(await statusOf(wrong), wrong).toBe(401);
  }
});

test("over the network they need the token, and are nowhere unless asked for", async () => {
  const token = "0123456789abcdef01234567";
  const { metrics, server } = await start();
  const main = metricsServer(metrics, token);
  await main.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => main.close());
  const { port } = main.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/metrics`;
  expect((await fetch(url)).status).toBe(401);
  const authorization = `Bearer ${token}`;
  const answer = await fetch(url, { headers: { authorization } });
  expect(answer.headers.get("content-type")).toContain("text/plain");
  expect(await answer.text()).toContain("langwire_sockets");
  // Where nobody asked for them, there are none.
  expect((await fetch(`http://127.0.0.1:${server.port}/metrics`)).status).toBe(404);
});
