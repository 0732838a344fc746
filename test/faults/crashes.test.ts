/** The server's process killed, stopped and asked to end, in the middle of runs. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { type Reading, read, type StockClient, wsClient } from "../support/stock-client.ts";
import { type ChildServer, startChildServer, temporaryFolder } from "./child-server.ts";
import { faultRow } from "./fault-table.ts";
import { forSchedules, full, sized } from "./form.ts";
import { judge } from "./oracle.ts";

let provider: MockProvider;

beforeAll(async () => {
  provider = await startMockProvider();
});

afterAll(async () => {
  await provider[Symbol.asyncDispose]();
});

function newRun(conversationId: string = randomUUID()) {
  const runId = randomUUID();
  return { runId, botId: "chat", conversationId, message: runId };
}
type Run = ReturnType<typeof newRun>;

function send({ api }: StockClient, run: Run): Reading {
  return read((options) => api.chat.send.subscribe(run, options));
}

function settingsOf(folder: string): Record<string, string> {
  return { DATA_DIR: folder, OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: "test-key" };
}

/** As many pieces as asked for at once, and the rest when the test says so. */
function inTwoParts(count: number) {
  const rest = Promise.withResolvers<void>();
  const isHalf = (event: ChatEvent): boolean =>
    event.type === "token" && event.text.endsWith(`${half - 1} `);
  const pieces = Array.from({ length: count }, (_, index) => `${index} `);
  const half = Math.ceil(count / 2);
  const steps = [...pieces.slice(0, half), { until: rest.promise }, ...pieces.slice(half)];
  return { steps, isHalf, release: () => rest.resolve(), text: pieces.join("") };
}

function callsFor(run: Run): number {
  return provider.calls.filter(({ lastText }) => lastText === run.message).length;
}

/** The run as somebody gets it who comes when all is over, and what the conversation keeps of it. */
async function judgeEnded(server: ChildServer, run: Run, readings: Record<string, Reading>) {
  using late = wsClient(server.url);
  const log = await send(late, run).completed;
  const readers = Object.fromEntries(
    Object.entries(readings).map(([name, { received }]) => [name, received]),
  );
  const end = judge({ runId: run.runId, log, readers, provider: { calls: callsFor(run) } });
  const { items } = await late.api.conversations.messages.query(run);
  const answer = items.find(({ runId, role }) => runId === run.runId && role === "ai");
  expect(answer).toMatchObject({ text: end.text, status: end.status });
  return end;
}

test("SIGKILL at random places of runs, and a start again", {
  timeout: 280_000,
}, async (context) => {
  const row = faultRow(context, "SIGKILL mid-run, start again: events so far, then the end");
  const schedule = fc.record({
    // Events that have come when the process dies; with 0 there may not be a claim yet.
    killAfter: fc.integer({ min: 0, max: 20 }),
    others: fc.integer({ min: 0, max: 3 }),
  });
  await using folder = await temporaryFolder();
  const { steps, isHalf } = inTwoParts(60);
  provider.answerAll({ steps, paceMs: 1 });
  let server = await startChildServer(settingsOf(folder.path));
  const settings = { ...settingsOf(folder.path), PORT: String(server.port) };
  await forSchedules(schedule, sized({ short: 3, full: 15 }), async ({ killAfter, others }) => {
    const runs = Array.from({ length: 1 + others }, () => newRun());
    const clients = runs.map(() => wsClient(server.url));
    const readings = runs.map((run, index) => send(clients[index] as StockClient, run));
    const observed = readings[0] as Reading;
    const enough = (event: ChatEvent): boolean =>
      observed.received.length >= killAfter || isHalf(event);
    if (killAfter > 0) await observed.until(enough);
    server.signal("SIGKILL");
    await server.exited;
    const before = observed.received.length;
    server = await startChildServer(settings);
    for (const [index, run] of runs.entries()) {
      const reading = readings[index] as Reading;
      // What had not been claimed when the process died is a new run now; it waits at half.
      await reading.until(({ type }) => type === "runEnd" || type === "token");
      const isEnded = reading.received.at(-1)?.event.type === "runEnd";
      if (!isEnded) await clients[index]?.api.chat.cancel.mutate({ runId: run.runId });
      await reading.completed;
      const end = await judgeEnded(server, run, { reading });
      if (index === 0 && before > 0) {
        expect(end).toMatchObject({ status: "failed", error: { code: "SERVER_RESTARTED" } });
      }
      row.cases += 1;
    }
    for (const client of clients) client[Symbol.dispose]();
    expect(server.complaints).toEqual([]);
  });
  await server[Symbol.asyncDispose]();
});

test("SIGSTOP, and CONT", async (context) => {
  const row = faultRow(context, `SIGSTOP for ${full ? 30 : 3} s, then CONT: runs go on`);
  await using folder = await temporaryFolder();
  await using server = await startChildServer(settingsOf(folder.path));
  const { steps, release, text } = inTwoParts(40);
  provider.answerAll({ steps });
  const run = newRun();
  using client = wsClient(server.url);
  using other = wsClient(server.url);
  const readings = { sender: send(client, run), second: send(other, run) };
  await readings.sender.until(({ type }) => type === "token");
  server.signal("SIGSTOP");
  release();
  await delay(sized({ short: 3_000, full: 30_000 }));
  server.signal("SIGCONT");
  await Promise.all(Object.values(readings).map(({ completed }) => completed));
  const end = await judgeEnded(server, run, readings);
  expect(end).toMatchObject({ status: "completed", text });
  row.cases = 2;
});

/** A socket that tells how it was closed, and what came before. */
async function rawSocket(url: string) {
  const socket = new WebSocket(url);
  const frames: string[] = [];
  socket.on("message", (data) => frames.push(String(data)));
  const closed = once(socket, "close").then(([code]) => Number(code));
  await once(socket, "open");
  return { socket, frames, closed };
}

test("SIGTERM: runs end, new ones are refused, clients are told", async (context) => {
  const row = faultRow(context, "SIGTERM: drains, refuses new runs, tells clients, exits 0");
  await using folder = await temporaryFolder();
  await using server = await startChildServer(settingsOf(folder.path));
  const { steps, release, text } = inTwoParts(40);
  provider.answerAll({ steps });
  const run = newRun();
  using client = wsClient(server.url);
  const reading = send(client, run);
  await reading.until(({ type }) => type === "token");
  const raw = await rawSocket(server.url);
  server.signal("SIGTERM");
  await expect.poll(async () => (await fetch(server.readyUrl)).status).toBe(503);
  using newcomer = wsClient(server.url);
  await expect(send(newcomer, newRun()).completed).rejects.toMatchObject({
    data: { langwire: { code: "OVERLOADED", retryable: true } },
  });
  const before = reading.received.length;
  release();
  await reading.completed;
  expect(reading.received.length).toBeGreaterThan(before);
  expect(await raw.closed).toBe(1012);
  expect(raw.frames.some((frame) => frame.includes('"method":"reconnect"'))).toBe(true);
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect(server.complaints).toEqual([]);
  await using second = await startChildServer({
    ...settingsOf(folder.path),
    PORT: String(server.port),
  });
  const end = await judgeEnded(second, run, { reading });
  expect(end).toMatchObject({ status: "completed", text });
  row.cases = 1;
});

test("SIGTERM: what outlives the grace ends, and exits 0 all the same", async (context) => {
  const row = faultRow(context, "SIGTERM: a run that outlives the grace ends SERVER_RESTARTED");
  await using folder = await temporaryFolder();
  const settings = { ...settingsOf(folder.path), SHUTDOWN_GRACE_MS: "300" };
  await using server = await startChildServer(settings);
  const { steps } = inTwoParts(10);
  provider.answerAll({ steps });
  const run = newRun();
  using client = wsClient(server.url);
  const reading = send(client, run);
  await reading.until(({ type }) => type === "token");
  server.signal("SIGTERM");
  await reading.completed;
  expect(await server.exited).toEqual({ code: 0, signal: null });
  await using second = await startChildServer({ ...settings, PORT: String(server.port) });
  const end = await judgeEnded(second, run, { reading });
  expect(end).toMatchObject({ status: "failed", error: { code: "SERVER_RESTARTED" } });
  expect(await provider.calls.at(-1)?.closed).toBe("aborted");
  row.cases = 1;
});
