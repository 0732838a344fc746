/** Messages and requests that come in part and never whole: all callers' together are bounded. */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { startTestServer, type TestServerOptions } from "../../src/testing/test-server.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { openSocket } from "./socket.ts";

const start = (options: Partial<TestServerOptions> = {}) =>
  startTestServer({ bots: [scriptedBot()], ...options });

const part = Buffer.alloc(250_000, " ");
const flooding = Array.from({ length: 150 });

test("past the limit the WebSockets that hold most are closed by name, of the address that holds most", async () => {
  await using server = await start({ connectionLimits: { maxSocketsPerUser: 1_000 } });
  const url = `${server.url}?connectionParams=1`;
  using honest = await openSocket(url, { localAddress: "127.0.0.3" });
  honest.webSocket.send(part, { fin: false });
  const sockets = await Promise.all(flooding.map(() => openSocket(url)));
  for (const { webSocket } of sockets) webSocket.send(part, { fin: false });
  const closed = await Promise.race(sockets.map((socket) => socket.closed));
  expect(closed).toMatchObject({ code: 1013, reason: expect.stringContaining("rest") });
  await expect
    .poll(() => server.server.connections.partialInput.bytes)
    .toBeLessThan(33 * 1024 * 1024);
  expect(honest.webSocket.readyState).toBe(honest.webSocket.OPEN);
  for (const socket of sockets) socket[Symbol.dispose]();
});

test("so are HTTP connections", async () => {
  await using server = await start();
  const answers: string[] = [];
  const head = "POST /trpc/conversations.rename HTTP/1.1\r\nHost: localhost\r\n";
  const asked = `${head}content-type: application/json\r\ncontent-length: 260000\r\n\r\n`;
  const sockets = flooding.map(() => {
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    socket.on("data", (answer) => answers.push(String(answer)));
    socket.write(asked);
    socket.write(part);
    return socket;
  });
  await expect.poll(() => answers.length).toBeGreaterThan(0);
  expect(answers[0]).toContain("503");
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => server.server.connections.partialInput.bytes).toBe(0);
});
