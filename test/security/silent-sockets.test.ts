/** Sockets that the server closes, at whose other end nobody answers: nothing more is read, and they are ended. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { startTestServer } from "../../src/testing/test-server.ts";
import { encodeFrame, textFrame } from "./raw-socket.ts";
import { scriptedBot } from "./scripted-bot.ts";

const closeGraceMs = 1_000;
const closeFrame = 0x88;

async function start() {
  const server = await startTestServer({ bots: [scriptedBot()] });
  onTestFinished(() => server[Symbol.asyncDispose]());
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  return server;
}

/** Opens a WebSocket, and then answers nothing, not even the end. */
function openSilent(port: number) {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  const [opened, told, ended] = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  for (const event of ["end", "close"]) socket.once(event, () => ended?.resolve());
  let received = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd !== -1) opened?.resolve();
    if (received[headEnd + 4] === closeFrame) told?.resolve();
  });
  socket.write(
    "GET /trpc HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  return { socket, opened: opened?.promise, told: told?.promise, ended: ended?.promise };
}

test("one that is refused once it has opened", async () => {
  const server = await start();
  vi.spyOn(server.server.connections, "add").mockImplementationOnce(() => {
    throw new LangwireError("OVERLOADED");
  });
  const silent = openSilent(server.port);
  await silent.told;
  expect(vi.getTimerCount()).toBeGreaterThan(0);
  vi.advanceTimersByTime(closeGraceMs);
  await silent.ended;
});

test("one that has sent a malformed frame, and sends on and on", async () => {
  const server = await start();
  const connected = once(server.server.app.server, "connection");
  const silent = openSilent(server.port);
  const [atServer] = (await connected) as [Socket];
  await silent.opened;
  silent.socket.write(encodeFrame({ opcode: 1, payload: Buffer.from("hello"), reserved: 7 }));
  await silent.told;
  // Whole messages, of which none alone is a flood.
  const message = textFrame("x".repeat(200_000));
  for (let count = 0; count < 160; count++) silent.socket.write(message);
  // Whoever is read is read up to 256 KiB in a turn.
  for (let count = 0; count < 100; count++) {
    expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200);
  }
  expect(atServer.bytesRead).toBeLessThan(1024 * 1024);
  vi.advanceTimersByTime(closeGraceMs);
  await silent.ended;
});
