/** Server-sent events: what a reader who is gone, asleep or no script at all may cost, and may start. */
import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { EventSource } from "eventsource";
import { describe, expect, test } from "vitest";
import { startTestServer, type TestServerOptions } from "../../src/testing/test-server.ts";
import { read, sseClient, wsClient } from "../support/stock-client.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { scriptedBot } from "./scripted-bot.ts";

function start(options: Partial<TestServerOptions> = {}) {
  return startTestServer({ bots: [scriptedBot()], ...options });
}

function newRun() {
  return { runId: randomUUID(), botId: "test", conversationId: randomUUID(), message: "hello" };
}

function pathOf(procedure: string, json: object, more = ""): string {
  return `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify({ json }))}${more}`;
}

/** A request whose answer the test reads, or does not. */
function ask(port: number, path: string, headers: readonly string[] = []): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: localhost",
    "Accept: text/event-stream",
    ...headers,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return socket;
}

describe("a plain GET starts nothing", () => {
  test.each([
    ["without an Accept header", {}],
    ["of an image", { accept: "image/avif,image/webp,*/*;q=0.8" }],
    ["of a link's preview", { accept: "text/html, */*" }],
    ["of a page that is opened", { accept: "text/event-stream", "sec-fetch-mode": "navigate" }],
    [
      "that a browser made for no script",
      { accept: "text/event-stream", "sec-fetch-dest": "image" },
    ],
  ])("%s: BAD_INPUT", async (_what, headers: Record<string, string>) => {
    let calls = 0;
    const bot = scriptedBot(() => {
      calls += 1;
      return { tokens: ["paid"] };
    });
    await using server = await start({ bots: [bot] });
    const url = `http://127.0.0.1:${server.port}${pathOf("chat.send", newRun())}`;
    for (const spelt of [url, url.replace("chat.send", "chat%2Esend"), url.replace("?", "/?")]) {
      const socket = connect(server.port, "127.0.0.1");
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const { pathname, search } = new URL(spelt);
      socket.end(
        `GET ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines.join("")}\r\n`,
      );
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk);
      const answer = Buffer.concat(chunks).toString();
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"BAD_INPUT"');
    }
    const twice = url.replace("%252E", ".").replace("chat.send", "chat%252Esend");
    expect((await fetch(twice, { headers })).status).toBeGreaterThanOrEqual(400);
    const batch = `http://127.0.0.1:${server.port}/trpc/chat.send,chat.send?batch=1`;
    expect((await fetch(batch, { headers })).status).toBeGreaterThanOrEqual(400);
    expect(calls).toBe(0);
    const { items } = await server.langwire.store.conversations.list("local", { limit: 10 });
    expect(items).toEqual([]);
  });

  test("an EventSource is a script's", async () => {
    await using server = await start();
    const run = newRun();
    const types: string[] = [];
    const source = new EventSource(`${server.httpUrl}${pathOf("chat.send", run).slice(5)}`);
    await new Promise<void>((resolve) => {
      source.addEventListener("message", ({ data }) => types.push(JSON.parse(data).json.type));
      source.addEventListener("return", () => resolve());
    });
    source.close();
    expect(types[0]).toBe("runStart");
    expect(types.at(-1)).toBe("runEnd");
  });
});

describe("places", () => {
  test.each([
    ["parameters", `&connectionParams=${encodeURIComponent('{"userId":"ann"}')}`, []],
    ["a header", "", ["Authorization: Bearer x"]],
  ])("whoever hangs up while %s are looked up holds none", async (_what, more, headers) => {
    const gates: (() => void)[] = [];
    const authenticate = async () => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return { userId: "ann" };
    };
    await using server = await start({ authenticate });
    const path = pathOf("chat.watch", { conversationId: randomUUID() }, more);
    const hungUp = Array.from({ length: 20 }, () => ask(server.port, path, headers));
    await expect.poll(() => gates.length).toBe(20);
    for (const socket of hungUp) socket.resetAndDestroy();
    const { server: http } = server.server.app;
    const open = () =>
      new Promise((resolve) => http.getConnections((_error, count) => resolve(count)));
    await expect.poll(open).toBe(0);
    for (const open of gates) open();
    // Whoever comes after them finds the caller looked up, and so finds them looked up before.
    const last = ask(server.port, path, headers);
    await expect.poll(() => gates.length).toBe(21);
    gates.at(-1)?.();
    await new Promise((resolve) => last.once("data", resolve));
    last.destroy();
    await expect.poll(() => server.server.connections.subscriptions).toBe(0);
  });

  test("a reader who takes nothing of what waits for it is cut", async () => {
    const text = "x".repeat(16 * 1024);
    const bot = scriptedBot(() => ({ tokens: Array<string>(2_000).fill(text) }));
    await using server = await start({
      bots: [bot],
      runLimits: { maxRunBytes: 64 * 1024 * 1024 },
      connectionLimits: { slowReaderMs: 200 },
    });
    const reader = ask(server.port, pathOf("chat.send", newRun()));
    await expect.poll(() => server.server.connections.subscriptions).toBe(1);
    await expect.poll(() => server.server.connections.subscriptions).toBe(0);
    reader.destroy();
  });

  test("one who is gone without a word gives its place back, though nothing is to be told", async () => {
    await using server = await start({ connectionLimits: { pingMs: 100 } });
    await using proxy = await startTcpProxy({ port: server.port });
    const conversationId = randomUUID();
    await server.langwire.store.conversations.create({
      conversationId,
      botId: "test",
      userId: "local",
    });
    const reader = ask(proxy.port, pathOf("chat.watch", { conversationId }));
    await new Promise((resolve) => reader.once("data", resolve));
    proxy.pause();
    await expect.poll(() => server.server.connections.subscriptions).toBe(0);
    reader.destroy();
  });
});

describe("a stream that is quiet", () => {
  test("has pings, ends after some, and its reader comes back and misses nothing", async () => {
    await using server = await start({ connectionLimits: { pingMs: 40 } });
    const { conversationId } = newRun();
    using sender = wsClient(server.url);
    await sender.api.conversations.create.mutate({ conversationId, botId: "test" });
    const path = pathOf("chat.watch", { conversationId }).slice(5);
    const source = new EventSource(`${server.httpUrl}${path}`);
    let pings = 0;
    let connected = 0;
    const types: string[] = [];
    source.addEventListener("ping", () => pings++);
    source.addEventListener("connected", () => connected++);
    const gap = Promise.withResolvers<void>();
    source.addEventListener("error", () => gap.resolve());
    source.addEventListener("message", ({ data }) => types.push(JSON.parse(data).json.type));
    await gap.promise;
    expect(pings).toBeGreaterThan(1);
    // A whole run between two connections, of which the first has seen no event.
    const run = { ...newRun(), conversationId };
    await read((options) => sender.api.chat.send.subscribe(run, options)).completed;
    await expect.poll(() => types.at(-1)).toBe("runEnd");
    source.close();
    expect(types[0]).toBe("runStart");
    expect(connected).toBeGreaterThan(1);
  });

  test("a stock client notices one that died without a word, and misses nothing", async () => {
    const gate = Promise.withResolvers<void>();
    const bot = scriptedBot(() => ({ tokens: ["a", "b"], until: gate.promise }));
    await using server = await start({ bots: [bot], connectionLimits: { pingMs: 100 } });
    await using proxy = await startTcpProxy({ port: server.port });
    using client = sseClient(`http://127.0.0.1:${proxy.port}/trpc`);
    const reading = read((options) => client.api.chat.send.subscribe(newRun(), options));
    await reading.until(({ type }) => type === "token");
    proxy.pause();
    // What is said meanwhile is lost with the connection.
    gate.resolve();
    await proxy.connected();
    proxy.cut();
    proxy.resume();
    expect(expectWholeRun(await reading.completed).text).toBe("ab");
  });

  test("a stock client waits for a long event as long as a slow link may take", async () => {
    const text = "x".repeat(160 * 1024);
    const bot = scriptedBot(() => ({ tokens: [text] }));
    const connectionLimits = { pingMs: 100, slowReaderMs: 10_000 };
    await using server = await start({ bots: [bot], connectionLimits });
    await using proxy = await startTcpProxy({ port: server.port });
    proxy.throttle(320 * 1024);
    using client = sseClient(`http://127.0.0.1:${proxy.port}/trpc`);
    const reading = read((options) => client.api.chat.send.subscribe(newRun(), options));
    expect(expectWholeRun(await reading.completed).text).toBe(text);
    // As an event and in the run's end: neither was begun again.
    expect(proxy.carried.toClient).toBeLessThan(1.5 * 2 * text.length);
  });

  test("a stock client reads a run through several of them, each event once", async () => {
    const gate = Promise.withResolvers<void>();
    const bot = scriptedBot(() => ({ tokens: ["a", "b"], until: gate.promise }));
    await using server = await start({ bots: [bot], connectionLimits: { pingMs: 20 } });
    using client = sseClient(server.httpUrl);
    const reading = read((options) => client.api.chat.send.subscribe(newRun(), options));
    await reading.until(({ type }) => type === "token");
    let streams = 0;
    for (; streams < 2; streams++) {
      await expect.poll(() => server.server.connections.subscriptions, { interval: 1 }).toBe(0);
      await expect.poll(() => server.server.connections.subscriptions, { interval: 1 }).toBe(1);
    }
    gate.resolve();
    expect(expectWholeRun(await reading.completed).text).toBe("ab");
  });
});
