/** Many who come back at once: let in a few in a turn of the event loop, so that those who are connected go on. */
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { type ChatServer, createServer } from "../../src/server/app.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/test-server.ts";

const crowd = 100;
/** Sixteen where the turn reads, and sixteen where it goes on with what waits. */
const fewInTurn = 32;

/** Counts what happens in a turn of the event loop. */
class TurnCounter {
  most = 0;
  all = 0;
  #thisTurn = 0;

  readonly count = (): void => {
    this.all += 1;
    if (this.#thisTurn++ === 0) {
      void setImmediate().then(() => {
        this.#thisTurn = 0;
      });
    }
    this.most = Math.max(this.most, this.#thisTurn);
  };
}

async function startCounting(options: Partial<TestServerOptions> = {}) {
  const authentications = new TurnCounter();
  const server = await startTestServer({
    bots: [],
    authenticate: ({ connectionParams, headers }) => {
      authentications.count();
      return { userId: String(connectionParams?.userId ?? headers.authorization) };
    },
    ...options,
  });
  return Object.assign(server, { authentications });
}

const handshake = (userId: string): string =>
  [
    "GET /trpc HTTP/1.1",
    "Host: 127.0.0.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Authorization: ${userId}`,
    "\r\n",
  ].join("\r\n");

test("sockets that open at the same moment are opened a few in a turn", async () => {
  await using server = await startCounting();
  let accepted = 0;
  server.server.app.server.on("connection", () => accepted++);
  const sockets = Array.from({ length: crowd }, () => connect(server.port, "127.0.0.1"));
  // What is accepted is read at once, so that all of it comes in one turn.
  while (accepted < crowd) await setImmediate();
  for (const [index, socket] of sockets.entries()) socket.write(handshake(`user${index}`));
  const answers = await Promise.all(sockets.map((socket) => once(socket, "data")));
  expect(answers.map(([data]) => String(data).slice(0, 12))).toEqual(
    Array.from({ length: crowd }, () => "HTTP/1.1 101"),
  );
  expect(server.authentications.all).toBe(crowd);
  expect(server.authentications.most).toBeLessThanOrEqual(fewInTurn);
  for (const socket of sockets) socket.destroy();
});

test("callers who name themselves at the same moment are authenticated a few in a turn", async () => {
  await using server = await startCounting();
  const sockets = await Promise.all(
    Array.from({ length: crowd }, async () => {
      const socket = new WebSocket(`${server.url}?connectionParams=1`);
      await once(socket, "open");
      return socket;
    }),
  );
  for (const [index, socket] of sockets.entries()) {
    socket.send(JSON.stringify({ method: "connectionParams", data: { userId: `user${index}` } }));
    socket.send(JSON.stringify({ id: 1, method: "query", params: { path: "bots.list" } }));
  }
  await Promise.all(sockets.map((socket) => once(socket, "message")));
  expect(server.authentications.all).toBe(crowd);
  expect(server.authentications.most).toBeLessThanOrEqual(fewInTurn);
  for (const socket of sockets) socket.terminate();
});

async function listening(port = 0): Promise<ChatServer & { port: number } & AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const langwire = starting.use(await openLangwire({ bots: [] }));
  const server = await createServer({ langwire });
  starting.defer(() => server.close(0));
  await server.listen({ host: "127.0.0.1", port });
  const started = starting.move();
  const { port: taken } = server.app.server.address() as AddressInfo;
  return { ...server, port: taken, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

test("several connections are accepted in a turn, and each is served", async () => {
  await using server = await listening();
  const accepted = new TurnCounter();
  server.app.server.on("connection", accepted.count);
  const answers = Array.from({ length: crowd }, async () => {
    const socket = connect(server.port, "127.0.0.1");
    socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    const [answer] = await once(socket, "data");
    return String(answer).slice(0, 12);
  });
  expect(await Promise.all(answers)).toEqual(answers.map(() => "HTTP/1.1 200"));
  expect(accepted.all).toBe(crowd);
  expect(accepted.most).toBeGreaterThan(1);
});

test("a port that a server listens at is refused to another, and free once it has closed", async () => {
  const { port } = await (async () => {
    await using first = await listening();
    await expect(listening(first.port)).rejects.toMatchObject({ code: "EADDRINUSE" });
    return first;
  })();
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  await using again = await listening(port);
  expect((await fetch(`http://127.0.0.1:${again.port}/healthz`)).status).toBe(200);
});

test("a port that is taken while a server still starts is refused to it", async () => {
  const { port } = await (async () => {
    await using free = await listening();
    return free;
  })();
  await using late = new AsyncDisposableStack();
  const server = await createServer({ langwire: late.use(await openLangwire({ bots: [] })) });
  late.defer(() => server.close(0));
  server.app.addHook("onReady", async () => {
    late.use(await listening(port));
  });
  const listened = server.listen({ host: "127.0.0.1", port });
  await expect(listened).rejects.toMatchObject({ code: "EADDRINUSE" });
});
