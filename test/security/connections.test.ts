/** TCP connections: those that say nothing keep nobody out, and hold nothing for long. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { TcpConnections } from "../../src/server/http/tcp-connections.ts";
import { PartialInput } from "../../src/server/pacing/partial-input.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/test-server.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { openSocket, request } from "./socket.ts";

function start(options: Partial<TestServerOptions> = {}) {
  return startTestServer({ bots: [scriptedBot()], ...options });
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

function textOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    socket.once("close", () => resolve(text));
  });
}

test.each([
  ["of one address", { maxHttpConnectionsPerAddress: 10 }],
  ["in all", { maxConnections: 10 }],
])("silent ones beyond the number %s make room, the oldest first", async (_what, limits) => {
  await using server = await start({ connectionLimits: limits });
  const silent: Socket[] = [];
  for (let index = 0; index < 30; index++) silent.push(await open(server.port));
  await expect.poll(() => silent.filter(({ closed }) => closed).length).toBeGreaterThanOrEqual(20);
  expect(silent.findIndex(({ closed }) => !closed)).toBeGreaterThanOrEqual(20);
  expect((await fetch(`${server.httpUrl}/bots.list`)).status).toBe(200);
  using socket = await openSocket(server.url);
  socket.send(request(1, "bots.list"));
  expect(await socket.frame(({ id }) => id === 1)).toHaveProperty("result");
  for (const it of silent) it.destroy();
});

test("whoever hangs up in the middle of a request counts no more", async () => {
  const known = Promise.withResolvers<{ userId: string }>();
  let asked = 0;
  await using server = await start({
    connectionLimits: { maxHttpConnectionsPerAddress: 3 },
    authenticate: () => {
      asked += 1;
      return known.promise;
    },
  });
  for (let count = 1; count <= 10; count++) {
    const socket = await open(server.port);
    socket.write(
      "GET /trpc/bots.list HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n",
    );
    await expect.poll(() => asked).toBe(count);
    socket.destroy();
    const connections = () =>
      new Promise<number>((resolve) => {
        server.server.app.server.getConnections((_error, count) => resolve(count));
      });
    await expect.poll(connections).toBe(0);
  }
  known.resolve({ userId: "ann" });
  expect((await fetch(`${server.httpUrl}/bots.list`)).status).toBe(200);
});

test("a connection on which requests are piled up is closed, and what it sent is not worked off", async () => {
  let asked = 0;
  const authenticate = async () => {
    asked += 1;
    return { userId: "mallory" };
  };
  await using server = await start({ authenticate });
  let parsed = 0;
  server.server.app.server.on("request", () => {
    parsed += 1;
  });
  const socket = await open(server.port);
  const closed = textOf(socket);
  socket.write("GET /trpc/bots.list HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(2_000));
  await closed;
  expect((await fetch(`${server.httpUrl}/bots.list`)).status).toBe(200);
  expect(asked).toBeLessThan(100);
  expect(parsed).toBeLessThan(100);
});

test("where each is being answered, one more is refused, and does not keep its connection", async () => {
  const gate = Promise.withResolvers<void>();
  const authenticate = async () => {
    await gate.promise;
    return { userId: "ann" };
  };
  const connectionLimits = { maxHttpConnectionsPerAddress: 3 };
  await using server = await start({ authenticate, connectionLimits });
  const answers = Array.from({ length: 3 }, () => fetch(`${server.httpUrl}/bots.list`));
  const { server: http } = server.server.app;
  let requests = 0;
  http.on("request", () => requests++);
  await expect.poll(() => requests).toBe(3);
  const refused = await textOf(await open(server.port));
  expect(refused).toMatch(/^HTTP\/1\.1 429 /);
  expect(refused).toContain('"RATE_LIMITED"');
  gate.resolve();
  for (const answer of answers) expect((await answer).status).toBe(200);
});

test("sockets and streams are counted as such, and make no room", async () => {
  await using server = await start({ connectionLimits: { maxHttpConnectionsPerAddress: 2 } });
  const sockets = await Promise.all(Array.from({ length: 6 }, () => openSocket(server.url)));
  const silent = await Promise.all(Array.from({ length: 6 }, () => open(server.port)));
  for (const socket of sockets) {
    socket.send(request(1, "bots.list"));
    expect(await socket.frame(({ id }) => id === 1)).toHaveProperty("result");
    socket[Symbol.dispose]();
  }
  for (const it of silent) it.destroy();
});

test("those of a proxy that is trusted are not one address's", async () => {
  await using server = await start({
    trustedProxies: ["127.0.0.0/8"],
    connectionLimits: { maxHttpConnectionsPerAddress: 2 },
  });
  const silent = await Promise.all(Array.from({ length: 10 }, () => open(server.port)));
  expect((await fetch(`${server.httpUrl}/bots.list`)).status).toBe(200);
  expect(silent.filter(({ closed }) => closed)).toEqual([]);
  for (const it of silent) it.destroy();
});

test("whoever is refused for asking too often is let go of, and a socket that is, too", async () => {
  await using server = await start({
    connectionLimits: { maxHttpRequestsPerSecond: 1, maxSocketsPerAddress: 1 },
  });
  const ask = async () => {
    const socket = await open(server.port);
    socket.write("GET /trpc/bots.list HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const [first] = (await once(socket, "data")) as [Buffer];
    return { socket, status: String(first).slice(9, 12) };
  };
  await ask();
  const refused = await ask();
  expect(refused.status).toBe("429");
  if (!refused.socket.closed) await once(refused.socket, "close");
});

test("an answer of which nothing is taken is given up, and one that is read slowly is not", async () => {
  const http = createServer(
    (_request, response) => void response.end(Buffer.alloc(8 * 1024 * 1024)),
  );
  using tcp = new TcpConnections(http, {
    maxConnections: 10,
    maxHttpConnectionsPerAddress: 10,
    slowReaderMs: 1_500,
    partialInput: new PartialInput(),
    isProxy: () => false,
    refuse: (socket) => void socket.destroy(),
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const [stalled, slow] = [await open(port), await open(port)];
  for (const socket of [stalled, slow]) socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const reading = setInterval(() => slow.read(64 * 1024), 20);
  await expect.poll(() => tcp.size).toBe(1);
  expect(slow.closed).toBe(false);
  clearInterval(reading);
  for (const socket of [stalled, slow]) socket.destroy();
  http.close();
});
