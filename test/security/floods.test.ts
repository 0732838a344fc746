/** Callers who send more than anybody needs: each ends its own connection, and holds up nobody else. */
import { EventEmitter, once } from "node:events";
import { Agent, request as httpRequest, IncomingMessage, ServerResponse } from "node:http";
import { connect, Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import type { Identity } from "../../src/server/access/callers.ts";
import { FrameInlet, type FrameTaker } from "../../src/server/connections/frames/frame-inlet.ts";
import { RequestTurns } from "../../src/server/http/request-turns.ts";
import { BeginTurns } from "../../src/server/pacing/begin-turns.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/test-server.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { codeOf, openSocket, request, type TestSocket } from "./socket.ts";

const start = (options: Partial<TestServerOptions> = {}) =>
  startTestServer({ bots: [scriptedBot()], ...options });

async function as(userId: string, url: string): Promise<TestSocket> {
  const socket = await openSocket(`${url}?connectionParams=1`);
  socket.send({ method: "connectionParams", data: { userId } });
  socket.send(request("hello", "bots.list"));
  await socket.frame(({ id }) => id === "hello");
  return socket;
}

async function expectServed(socket: TestSocket): Promise<void> {
  for (const id of ["a", "b", "c"]) {
    socket.send(request(id, "bots.list"));
    await socket.frame((frame) => frame.id === id);
  }
}

function repeat(times: number, what: () => void): void {
  for (let index = 0; index < times; index++) what();
}

/** In one write, so that they are read together: one by one, a server that reads no more sees no flood. */
function atOnce({ webSocket }: TestSocket, what: () => void): void {
  const tcp: Socket = Reflect.get(webSocket, "_socket");
  tcp.cork();
  what();
  tcp.uncork();
}

describe("over a WebSocket", () => {
  test("frames that come faster than the caller may send end the socket", async () => {
    await using server = await start({
      connectionLimits: { maxAnswerBytesPerSecondPerUser: 10_000 },
    });
    using flooding = await as("mallory", server.url);
    using honest = await as("ann", server.url);
    atOnce(flooding, () => repeat(5_000, () => flooding.sendText("PING")));
    expect(await flooding.closed).toMatchObject({ code: 4429 });
    await expectServed(honest);
  });

  test.each(["ping", "pong"] as const)("so do thousands of frames of %s", async (type) => {
    await using server = await start();
    using flooding = await as("mallory", server.url);
    repeat(50, () => flooding.webSocket[type]());
    await expectServed(flooding);
    repeat(5_000, () => flooding.webSocket[type]());
    expect(await flooding.closed).toMatchObject({ code: 4429 });
  });

  test("a message in some dozens of fragments is one; one in thousands of single bytes ends the socket", async () => {
    await using server = await start();
    using socket = await as("mallory", server.url);
    const inFragments = (text: string, size: number) => {
      for (let at = 0; at < text.length; at += size) {
        socket.webSocket.send(text.slice(at, at + size), { fin: at + size >= text.length });
      }
    };
    inFragments(JSON.stringify(request("few", "bots.list", { padding: "x".repeat(800) })), 16);
    await socket.frame(({ id }) => id === "few");
    inFragments(JSON.stringify(request("long", "bots.list", { padding: "x".repeat(50_000) })), 512);
    await socket.frame(({ id }) => id === "long");
    inFragments(JSON.stringify(request("bytes", "bots.list", { padding: "x".repeat(500) })), 1);
    expect(await socket.closed).toMatchObject({
      code: 4429,
      reason: expect.stringContaining("pieces"),
    });
  });

  test("a fragment that comes by itself is one piece, not a read's end besides", async () => {
    await using server = await start();
    using socket = await as("ann", server.url);
    const fragments = JSON.stringify(request("slow", "bots.list", { padding: "x".repeat(800) }));
    for (let at = 0; at < fragments.length; at += 16) {
      socket.webSocket.send(fragments.slice(at, at + 16), { fin: at + 16 >= fragments.length });
      socket.webSocket.ping();
      await Promise.race([once(socket.webSocket, "pong"), socket.closed]);
    }
    await socket.frame(({ id }) => id === "slow");
  });

  test("requests that are refused count as calls do", async () => {
    await using server = await start({ connectionLimits: { maxCallsPerSecondPerUser: 10 } });
    using flooding = await as("mallory", server.url);
    using honest = await as("ann", server.url);
    flooding.send(Array.from({ length: 100 }, (_, id) => ({ id })));
    await flooding.frame(({ id }) => id === 99);
    flooding.send({ id: "next" });
    await expectServed(honest);
    expect(flooding.frames.filter(({ id }) => id === "next")).toEqual([]);
  });

  test("a subscription under an id that is in use is such a request", async () => {
    await using server = await start({ connectionLimits: { maxCallsPerSecondPerUser: 10 } });
    using flooding = await as("mallory", server.url);
    using honest = await as("ann", server.url);
    const conversationId = crypto.randomUUID();
    flooding.send(
      request("create", "conversations.create", { conversationId, botId: "test" }, "mutation"),
    );
    await flooding.frame(({ id }) => id === "create");
    const watch = request(1, "chat.watch", { conversationId }, "subscription");
    flooding.send(Array(100).fill(watch));
    const refused = await flooding.frame((frame) => frame.id === 1 && frame.error !== undefined);
    expect(codeOf(refused)).toBe("BAD_INPUT");
    flooding.send({ id: "next" });
    await expectServed(honest);
    expect(flooding.frames.filter(({ id }) => id === "next")).toEqual([]);
  });

  test("nothing is worked off before the caller is known, and not much is kept", async () => {
    const known = Promise.withResolvers<Identity>();
    await using server = await start({ authenticate: () => known.promise });
    const url = `${server.url}?connectionParams=1`;
    const [patient, flooding] = [await openSocket(url), await openSocket(url)];
    for (const socket of [patient, flooding]) {
      socket.send({ method: "connectionParams", data: { token: "t" } });
    }
    repeat(3, () => patient.send({ id: 1 }));
    atOnce(flooding, () => repeat(5_000, () => flooding.send({ id: 1 })));
    expect(await flooding.closed).toMatchObject({ code: 4429 });
    expect([patient.frames, flooding.frames]).toEqual([[], []]);
    known.resolve({ userId: "ann" });
    await expectServed(patient);
    expect(patient.frames.filter(({ id }) => id === 1)).toHaveLength(3);
    patient[Symbol.dispose]();
  });

  test("what comes behind a close is not read for long", () => {
    const flooded: number[] = [];
    let sent = 0;
    const webSocket = new EventEmitter();
    const socket = new Socket().on("data", () => {});
    const taker: FrameTaker = {
      busy: () => undefined,
      owed: () => undefined,
      charge: () => {},
      closing: true,
      receive: () => {},
      flood: () => flooded.push(sent),
      holdPartial: () => {},
    };
    new FrameInlet(webSocket as unknown as WebSocket, { socket, taker });
    while (sent++ < 1_000) webSocket.emit("message", Buffer.from("{}"), false);
    expect(flooded).toHaveLength(1);
    expect(flooded[0]).toBeLessThan(500);
  });
});

/** A request that has arrived, on a connection of its own unless on the given one. */
function arrived(address: string, socket = new Socket()): [IncomingMessage, ServerResponse] {
  Object.defineProperty(socket, "remoteAddress", { value: address, configurable: true });
  const incoming = new IncomingMessage(socket);
  return [incoming, new ServerResponse(incoming)];
}

describe("over HTTP", () => {
  const post = (server: { readonly port: number }) => {
    const asked = httpRequest({
      host: "127.0.0.1",
      port: server.port,
      method: "POST",
      path: "/trpc/conversations.rename",
      headers: { "content-type": "application/json", "x-user-id": "mallory" },
    });
    // Each write is a chunk of its own, also those that are sent together.
    asked.setNoDelay(true);
    return asked;
  };

  test("a body in chunks is one, and in thousands of single bytes it ends the connection", async () => {
    await using server = await start();
    const input = { conversationId: crypto.randomUUID(), title: "t".repeat(100_000) };
    const body = JSON.stringify({ json: input });
    const honest = post(server);
    for (let at = 0; at < body.length; at += 256) honest.write(body.slice(at, at + 256));
    const [answer] = await once(honest.end(), "response");
    expect(answer.statusCode).toBe(400);
    const flooding = post(server);
    for (const byte of body.slice(0, 10_000)) flooding.write(byte);
    const [error] = await once(flooding, "error");
    expect(error).toMatchObject({ code: "ECONNRESET" });
  });

  test("a connection may send as many requests as it likes, one after another", async () => {
    await using server = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const asked: Socket[] = [];
    for (let count = 0; count < 800; count++) {
      const asking = httpRequest({ host: "127.0.0.1", port: server.port, path: "/healthz", agent });
      const [answer] = await once(asking.end(), "response");
      asked.push(answer.socket);
      await once(answer.resume(), "end");
    }
    agent.destroy();
    expect(new Set(asked).size).toBe(1);
  });

  test("nothing is read of a connection while requests of it wait", async () => {
    const known = Promise.withResolvers<Identity>();
    await using server = await start({ authenticate: () => known.promise });
    const accepted = once(server.server.app.server, "connection");
    const client = connect(server.port, "127.0.0.1").resume();
    const [connection] = (await accepted) as [Socket];
    const head = "GET /trpc/bots.list HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\n";
    const asked = `${head}x-long: ${"x".repeat(12_000)}\r\n\r\n`;
    for (let count = 0; count < 100; count++) client.write(asked);
    await expect.poll(() => connection.bytesRead).toBeGreaterThan(2 * asked.length);
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    expect(connection.bytesRead).toBeLessThan(100 * 1024);
    client.destroy();
    known.resolve({ userId: "ann" });
  });

  test("of a connection, a request begins when the one before has been answered", async () => {
    const begun: ServerResponse[] = [];
    const turns = new RequestTurns(new BeginTurns(), (_request, response) => begun.push(response));
    const socket = new Socket();
    repeat(3, () => turns.take(...arrived("10.0.0.1", socket)));
    for (const count of [1, 2, 3]) {
      await setImmediate();
      expect(begun).toHaveLength(count);
      begun.at(-1)?.emit("close");
    }
    turns.take(...arrived("10.0.0.1", socket));
    await setImmediate();
    expect(begun).toHaveLength(4);
  });

  test("of those that come at once some begin in a turn, and each address is next", async () => {
    const begun: (string | undefined)[] = [];
    const turns = new RequestTurns(new BeginTurns(), ({ socket }) =>
      begun.push(socket.remoteAddress),
    );
    repeat(500, () => turns.take(...arrived("10.0.0.1")));
    const atOnce = begun.length;
    expect(atOnce).toBeLessThan(20);
    turns.take(...arrived("10.0.0.2"));
    await setImmediate();
    expect(begun).toContain("10.0.0.2");
    expect(begun.length).toBeLessThan(2 * atOnce + 1);
    while (begun.length < 501) await setImmediate();
  });

  test("a connection that has gone keeps nobody waiting", async () => {
    const begun: IncomingMessage[] = [];
    const turns = new RequestTurns(new BeginTurns(), (request) => begun.push(request));
    repeat(100, () => {
      const [request, response] = arrived("10.0.0.1");
      turns.take(request, response);
      request.socket.destroy();
    });
    const [request, response] = arrived("10.0.0.1");
    turns.take(request, response);
    await setImmediate();
    await setImmediate();
    expect(begun.at(-1)).toBe(request);
  });
});
