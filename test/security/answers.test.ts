/** What answers of queries may cost: in turn, as fast as they are taken, bounded for a user and in all. */
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { startTestServer, type TestServerOptions } from "../../src/testing/test-server.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { openSocket, request, subscription } from "./socket.ts";

const mebibyte = 1024 * 1024;

function start(options: Partial<TestServerOptions> = {}) {
  return startTestServer({ bots: [scriptedBot()], ...options });
}

/** A conversation with a page of about a MiB. */
async function fill(server: Awaited<ReturnType<typeof start>>): Promise<string> {
  const conversationId = randomUUID();
  using socket = await openSocket(server.url);
  for (let id = 1; id <= 40; id++) {
    const run = { runId: randomUUID(), botId: "test", conversationId, message: "m".repeat(30_000) };
    socket.send(subscription(id, "chat.send", { ...run, only: ["runEnd"] }));
    await socket.frame((frame) => frame.id === id && frame.result?.type === "stopped");
  }
  return conversationId;
}

function pages(conversationId: string, count: number) {
  const input = { conversationId, limit: 100 };
  return Array.from({ length: count }, (_, id) => request(id, "conversations.messages", input));
}

function batchOf(conversationId: string, count: number): string {
  const inputs = Array.from({ length: count }, (_, at) => [at, { json: { conversationId } }]);
  const input = encodeURIComponent(JSON.stringify(Object.fromEntries(inputs)));
  return `/trpc/${Array(count).fill("conversations.messages").join(",")}?batch=1&input=${input}`;
}

describe("over a socket", () => {
  test("a frame of 128 pages is answered whole, in order, to whoever reads", async () => {
    await using server = await start();
    const conversationId = await fill(server);
    using socket = await openSocket(server.url);
    socket.send(pages(conversationId, 128));
    await socket.frame(({ id }) => id === 127);
    expect(socket.frames.map(({ id }) => id)).toEqual(Array.from({ length: 128 }, (_, id) => id));
    expect(socket.frames.every(({ result }) => result?.type === "data")).toBe(true);
  });

  test("who reads nothing is owed one answer, of which a piece waits; reading on brings the rest", async () => {
    await using server = await start();
    const conversationId = await fill(server);
    using socket = await openSocket(server.url);
    socket.webSocket.pause();
    socket.send(pages(conversationId, 20));
    const backlog = () => Math.max(...server.server.connections.backlogsBytes());
    await expect.poll(backlog).toBeGreaterThan(0);
    using other = await openSocket(`${server.url}`);
    other.send(request(1, "conversations.list", {}));
    expect(await other.frame(({ id }) => id === 1)).toHaveProperty("result");
    expect(backlog()).toBeLessThanOrEqual(128 * 1024);
    socket.webSocket.resume();
    await socket.frame(({ id }) => id === 19);
  });

  test("one user's queries wait for each other over all their sockets, and for nobody else's", async () => {
    await using server = await start({ connectionLimits: { maxQueriesPerUser: 2 } });
    const conversationId = await fill(server);
    const hostile = await Promise.all(Array.from({ length: 6 }, () => openSocket(server.url)));
    for (const { webSocket } of hostile) webSocket.pause();
    for (const socket of hostile) socket.send(pages(conversationId, 20));
    const stuck = () =>
      server.server.connections.backlogsBytes().filter((bytes) => bytes > 0).length;
    await expect.poll(stuck).toBe(2);
    using other = await openSocket(`${server.url}?connectionParams=1`);
    other.send({ method: "connectionParams", data: { userId: "ben" } });
    for (let id = 1; id <= 20; id++) {
      other.send(request(id, "conversations.list", {}));
      expect(await other.frame((frame) => frame.id === id)).toHaveProperty("result");
    }
    expect(stuck()).toBe(2);
    // Whoever holds what others wait for, and takes nothing, is cut; so the rest have their turn.
    const { connections } = server.server;
    await expect.poll(() => connections.size).toBeLessThan(7);
    for (const socket of hostile) socket[Symbol.dispose]();
  });

  test("a user who asks for more in a second than there is waits, and gets all of it", async () => {
    const connectionLimits = { maxAnswerBytesPerSecondPerUser: 2 * mebibyte };
    await using server = await start({ connectionLimits });
    const conversationId = await fill(server);
    using socket = await openSocket(server.url);
    const startedAt = performance.now();
    socket.send(pages(conversationId, 6));
    await socket.frame(({ id }) => id === 5);
    // Six MiB at two a second, of which one second's are there to begin with.
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect(socket.frames.every(({ result }) => result?.type === "data")).toBe(true);
  });
});

describe("over HTTP", () => {
  test("a batch is answered up to a bound, and refused by name beyond it", async () => {
    await using server = await start();
    const conversationId = await fill(server);
    const answer = await fetch(`http://127.0.0.1:${server.port}${batchOf(conversationId, 60)}`);
    const text = await answer.text();
    expect(text.length).toBeLessThan(6 * mebibyte);
    const parts = JSON.parse(text) as { result?: object; error?: { json: { message: string } } }[];
    expect(parts).toHaveLength(60);
    expect(parts.filter(({ result }) => result !== undefined).length).toBeGreaterThanOrEqual(3);
    expect(parts.at(-1)?.error?.json).toMatchObject({
      message: expect.stringContaining("bytes of answers to one request. Ask in several."),
      data: { httpStatus: 429, langwire: { code: "RATE_LIMITED", retryable: true } },
    });
  });

  test("each call of a batch counts against the address's limit", async () => {
    await using server = await start({ connectionLimits: { maxHttpRequestsPerSecond: 10 } });
    const path = `${server.httpUrl}/${Array(12).fill("bots.list").join(",")}?batch=1`;
    const answer = await fetch(path);
    expect(answer.status).toBe(429);
    expect(await answer.text()).toContain('"RATE_LIMITED"');
  });

  test("unread answers of one user are few, and cut when others of theirs wait", async () => {
    await using server = await start({ connectionLimits: { maxQueriesPerUser: 1 } });
    const conversationId = await fill(server);
    const unread = connect(server.port, "127.0.0.1");
    unread.on("error", () => {});
    const cut = new Promise((resolve) => unread.once("close", resolve));
    unread.write(`GET ${batchOf(conversationId, 60)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await new Promise((resolve) => unread.once("readable", resolve));
    const answer = await fetch(`${server.httpUrl}/bots.list`);
    expect(answer.status).toBe(200);
    unread.resume();
    await cut;
  });
});
