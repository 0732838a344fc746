/** What a socket holds of the server while nothing happens on it. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { startChildServer, temporaryFolder } from "../faults/child-server.ts";
import { openSocket, type TestSocket } from "../security/socket.ts";
import { secret, sharedSecretToken } from "../security/tokens.ts";

const count = 1_000;

test("an idle socket holds a few kilobytes, and nothing once it is closed", async () => {
  await using folder = await temporaryFolder();
  await using server = await startChildServer({ DATA_DIR: folder.path, AUTH_SECRET: secret });
  const token = await sharedSecretToken("anna", { expiresInS: 600 });

  async function open(): Promise<TestSocket> {
    const socket = await openSocket(`${server.url}?connectionParams=1`);
    socket.send({ method: "connectionParams", data: { token } });
    // Answered once the caller is known.
    socket.sendText("PING");
    await socket.frame(({ method }) => method === "PONG");
    return socket;
  }

  /** A conversation of its own. */
  async function watch(socket: TestSocket): Promise<void> {
    const input = { json: { conversationId: randomUUID(), botId: "chat" } };
    socket.send({ id: 1, method: "mutation", params: { path: "conversations.create", input } });
    await socket.frame(({ id, result }) => id === 1 && result !== undefined);
    socket.send({ id: 2, method: "subscription", params: { path: "chat.watch", input } });
    await socket.frame(({ result }) => result?.type === "started");
  }

  const each = async (what: (socket: TestSocket) => Promise<unknown>, on: TestSocket[]) => {
    for (const socket of on) await what(socket);
  };
  const openMany = (number: number) => Promise.all(Array.from({ length: number }, open));
  const close = async (socket: TestSocket) => {
    socket[Symbol.dispose]();
    await socket.closed;
  };
  const perSocket = async (before: number) => ((await server.memory()).held - before) / count;

  // As many: what V8 compiles of the code is there by then.
  const first = await openMany(count);
  await each(watch, first);
  await each(close, first);
  const before = (await server.memory()).held;
  const sockets = await openMany(count);
  const connected = await perSocket(before);
  await each(watch, sockets);
  const watching = await perSocket(before);
  await each(close, sockets);
  await expect.poll(() => perSocket(before)).toBeLessThan(300);
  expect(connected).toBeLessThan(6_000);
  expect(watching - connected).toBeLessThan(7_000);
});
