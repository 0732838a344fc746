import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunnableLambda } from "@langchain/core/runnables";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ChatEvent, ConnectionState, Run } from "../../client/src/index.ts";
import { createClient } from "../../client/src/index.ts";
import { defineBot } from "../../src/bots/bot.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { freePort } from "../support/free-port.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { openaiBot } from "../support/openai-bot.ts";
import { expectWholeRun, tokensOf } from "../support/transcript.ts";
import { collect } from "./collect.ts";
import { gate, hello, setUp, untilState } from "./set-up.ts";

/** Whole, once, in order, and its tokens are its answer. */
async function expectWhole(run: Run): Promise<ChatEvent[]> {
  const events = await collect(run);
  const received = events.map((event, index) => ({ id: String(index), event }));
  expect(tokensOf(received)).toBe(expectWholeRun(received).text);
  return events;
}

describe("a lost socket", () => {
  test("is replaced, and the run goes on behind the last event", async () => {
    const { client, provider, proxy } = await setUp();
    const gates = [gate(), gate(), gate()];
    const steps = ["a", "b", "c"].flatMap((text, index) => [
      text,
      { until: gates[index]?.passed ?? Promise.resolve() },
    ]);
    provider.answer({ steps: [...steps, "d"] });
    const run = client.send(hello);
    let tokens = 0;
    for await (const event of run) {
      if (event.type !== "token") continue;
      proxy.cut();
      gates[tokens++]?.open();
      if (tokens === 3) break;
    }
    await expectWhole(run);
    expect(await run.text).toBe("abcd");
    expect(proxy.connections).toBeGreaterThanOrEqual(4);
    expect(provider.calls).toHaveLength(1);
  });

  test("again and again, while a long answer comes: nothing is lost, nothing comes twice", async () => {
    const { client, provider, proxy } = await setUp();
    const words = Array.from({ length: 200 }, (_, index) => `word${index} `);
    provider.answer({ steps: words, paceMs: 3 });
    const run = client.send(hello);
    const cutting = setInterval(() => proxy.cut(), 40);
    try {
      await expectWhole(run);
      expect(await run.text).toBe(words.join(""));
      expect(proxy.connections).toBeGreaterThan(5);
    } finally {
      clearInterval(cutting);
    }
    expect(provider.calls).toHaveLength(1);
  });

  test("before the first event: one run, one provider call", async () => {
    const { client, provider, proxy } = await setUp();
    proxy.pause();
    const connected = proxy.connected();
    const run = client.send(hello);
    await connected;
    proxy.cut();
    proxy.resume();
    await expectWhole(run);
    expect(provider.calls).toHaveLength(1);
  });

  test("in mid-answer does not stop a cancel from arriving", async () => {
    const { client, provider, proxy } = await setUp();
    provider.answer({ steps: ["a", "stall"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    proxy.refuse();
    proxy.cut();
    const cancelled = run.cancel();
    await untilState(client, "connecting");
    proxy.accept();
    expect(await cancelled).toBe("cancelled");
    expect(await run.text).toBe("a");
  });

  test("does not stop a cancel by a run's id, and asks for it once more", async () => {
    const { client, connect, provider, proxy } = await setUp();
    provider.answer({ steps: ["a", "stall"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    const other = connect();
    await other.bots.list();
    proxy.pause();
    const cancelled = other.cancel(run.id);
    proxy.cut();
    proxy.resume();
    expect(await cancelled).toBe("cancelled");
  });

  test("that is dead without saying so is found out by its silence", async () => {
    const { client, provider, proxy } = await setUp({
      client: { pingAfterMs: 50, pongTimeoutMs: 100 },
    });
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    proxy.pause();
    middle.open();
    await untilState(client, "connecting");
    proxy.cut();
    proxy.resume();
    expect((await expectWhole(run)).at(-1)).toMatchObject({ status: "completed", text: "ab" });
  });

  test("loses no question", async () => {
    const { client, proxy } = await setUp();
    await client.bots.list();
    proxy.pause();
    const arrival = proxy.arrival("toServer");
    const lost = client.bots.list();
    await arrival;
    proxy.cut();
    proxy.resume();
    expect(await lost).toHaveLength(1);
  });

  test("may lose a change, which is not made a second time", async () => {
    const { client, proxy } = await setUp();
    await client.bots.list();
    proxy.pause();
    const arrival = proxy.arrival("toServer");
    const lost = client.conversations.create({ botId: "test" });
    lost.catch(() => {});
    await arrival;
    proxy.cut();
    await expect(lost).rejects.toMatchObject({ code: "UNREACHABLE", retryable: true });
    proxy.resume();
    expect((await client.conversations.list()).items).toEqual([]);
  });
});

test("closing does not wait for a server that has gone silent", async () => {
  const { client, proxy } = await setUp();
  await client.bots.list();
  proxy.pause();
  const arrival = proxy.arrival("toServer");
  const calls = [client.bots.list(), client.conversations.create({ botId: "test" })];
  const refused = Promise.allSettled(calls);
  await arrival;
  await client.close();
  expect(await refused).toMatchObject([
    { reason: { code: "CLOSED" } },
    { reason: { code: "CLOSED" } },
  ]);
});

describe("a server that is not there", () => {
  test("is waited for", async () => {
    const { client, proxy } = await setUp();
    proxy.refuse();
    const run = client.send(hello);
    const bots = client.bots.list();
    await untilState(client, "connecting");
    proxy.accept();
    await expectWhole(run);
    expect(await bots).toHaveLength(1);
  });

  test("and comes back: what it had done is told, and how the run ended", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "client-restart-"));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    await using provider = await startMockProvider();
    const bots = [openaiBot(provider.baseUrl)];
    const first = await startTestServer({ bots, dataDir });
    const { port, url } = first;
    await using client = createClient({ url, backoff: { baseMs: 20, maxMs: 100 } });
    provider.answer({ steps: ["half", "stall"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    await first[Symbol.asyncDispose]();
    await using _second = await startTestServer({ bots, dataDir, port });
    await expect(run.text).rejects.toMatchObject({
      code: "SERVER_RESTARTED",
      retryable: true,
      partialText: "half",
    });
    expect(await client.send({ ...hello, conversationId: run.conversationId }).text).toBe(
      "You said: hello",
    );
  });
});

describe("the connection's state", () => {
  test("says that there is no server, where and why, while it goes on trying", async () => {
    const port = await freePort();
    await using client = createClient({ url: `ws://127.0.0.1:${port}/trpc` });
    const run = client.send(hello);
    const told = Promise.withResolvers<void>();
    const where = `The server cannot be reached at http://127.0.0.1:${port}`;
    const notices: string[] = [];
    client.connection.subscribe(({ error }) => {
      if (error === undefined) return;
      notices.push(error.message);
      if (error.message === `${where}: connection refused.`) told.resolve();
    });
    await told.promise;
    // The first is from before the server was asked why.
    expect(notices[0]).toBe(`${where}.`);
    expect(notices.filter((notice) => !notice.startsWith(where))).toEqual([]);
    expect(client.connection).toMatchObject({ error: { code: "UNREACHABLE", retryable: true } });
    const runnable = RunnableLambda.from(() => "at last");
    const bots = [defineBot({ id: hello.botId, title: "Test", description: "", runnable })];
    await using _server = await startTestServer({ bots, port });
    expect(await run.text).toBe("at last");
  });

  test("is what kept a run and a call that were given up from the server", async () => {
    const port = await freePort();
    await using client = createClient({ url: `ws://127.0.0.1:${port}/trpc` });
    const leaving = new AbortController();
    const { signal } = leaving;
    const ended = [client.send(hello, { signal }).text, client.bots.list({ signal })];
    const settled = Promise.allSettled(ended);
    client.connection.subscribe(({ error }) => {
      if (error?.message.endsWith(": connection refused.")) leaving.abort();
    });
    const message = `The server cannot be reached at http://127.0.0.1:${port}: connection refused.`;
    for (const result of await settled) {
      expect(result).toMatchObject({
        reason: {
          code: "CLOSED",
          message: `Ended by this client. ${message}`,
          cause: signal.reason,
          connectionError: { code: "UNREACHABLE", message },
        },
      });
    }
  });

  test("is told as it changes", async () => {
    const { client, proxy, provider } = await setUp({ client: { idleMs: 60 } });
    const states: ConnectionState[] = [];
    client.connection.subscribe(({ state }) => {
      if (states.at(-1) !== state) states.push(state);
    });
    expect(client.connection.state).toBe("idle");
    provider.answer({ steps: ["a", "stall"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    expect(states).toEqual(["connecting", "open"]);
    proxy.cut();
    await untilState(client, "connecting");
    expect(client.connection.error).toMatchObject({ code: "UNREACHABLE" });
    await untilState(client, "open");
    expect(client.connection.error).toBeUndefined();
    await run.cancel();
    await untilState(client, "idle");
    await client.close();
    expect(states).toEqual(["connecting", "open", "connecting", "open", "idle", "closed"]);
  });

  test("of a socket that ends while nothing needs it is idle, and it opens when something does", async () => {
    const { client, server } = await setUp();
    await client.bots.list();
    for (const socket of server.server.app.websocketServer.clients) socket.close();
    await untilState(client, "idle");
    expect(await client.bots.list()).toHaveLength(1);
    expect(client.connection.state).toBe("open");
  });

  test("a listener that was taken off hears nothing more", async () => {
    const { client } = await setUp();
    let heard = 0;
    const stop = client.connection.subscribe(() => heard++);
    await client.bots.list();
    stop();
    const before = heard;
    await client.close();
    expect(heard).toBe(before);
  });
});

test("ids that the caller made are used as they are", async () => {
  const { client } = await setUp();
  const [runId, conversationId] = [randomUUID(), randomUUID()];
  const run = client.send({ ...hello, runId, conversationId });
  expect(run).toMatchObject({ id: runId, conversationId });
  expect(await run.ended).toMatchObject({ runId });
});
