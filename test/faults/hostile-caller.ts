/**
 * One caller who asks for all that the limits allow, over WebSockets and HTTP, of every procedure,
 * and takes nothing. A process of its own: `node hostile-caller.ts <port> <conversationId>`, until it
 * is killed.
 */
import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";

const [port, conversationId] = [Number(process.argv[2]), String(process.argv[3])];
const userId = "mallory";
const json = (value: object) => ({ json: value });

function frame(round: number): string {
  const queries = Array.from({ length: 60 }, (_, index) => ({
    id: index,
    method: "query",
    params: { path: "conversations.messages", input: json({ conversationId, limit: 100 }) },
  }));
  const others = [
    ["query", "conversations.list", { limit: 100 }],
    ["query", "conversations.get", { conversationId }],
    ["query", "bots.list", undefined],
    ["mutation", "conversations.create", { conversationId: randomUUID(), botId: "chat" }],
    ["mutation", "conversations.rename", { conversationId, title: "t".repeat(200) }],
    ["mutation", "conversations.share", { conversationId }],
    ["mutation", "conversations.unshare", { conversationId }],
    ["mutation", "conversations.join", { conversationId }],
    ["mutation", "conversations.leave", { conversationId: randomUUID() }],
    ["mutation", "conversations.delete", { conversationId: randomUUID() }],
    ["mutation", "chat.cancel", { runId: randomUUID() }],
    ["subscription", "chat.watch", { conversationId, lastEventId: "0" }],
    ["subscription", "chat.send", { ...newRun(), conversationId: randomUUID() }],
    ["subscription", "chat.follow", { runId: randomUUID() }],
  ] as const;
  const calls = others.map(([method, path, input], index) => ({
    id: round * 100 + 100 + index,
    method,
    params: { path, ...(input === undefined ? {} : { input: json(input) }) },
  }));
  return JSON.stringify([...calls, ...queries]);
}

function newRun() {
  return { runId: randomUUID(), botId: "chat", message: "m".repeat(1_000) };
}

/** A socket that asks, and never reads. */
async function askBySocket(): Promise<void> {
  for (;;) {
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}/trpc?connectionParams=1`);
    webSocket.on("error", () => {});
    const closed = new Promise((resolve) => webSocket.once("close", resolve));
    webSocket.once("open", async () => {
      webSocket.send(JSON.stringify({ method: "connectionParams", data: { userId } }));
      webSocket.pause();
      for (let round = 0; webSocket.readyState === WebSocket.OPEN; round++) {
        if (webSocket.bufferedAmount < 1_000_000) webSocket.send(frame(round));
        await delay(300);
      }
    });
    await closed;
    await delay(200);
  }
}

/** A connection over which requests are sent, and no answer is read. */
async function askOverHttp(path: () => string, headers: string): Promise<void> {
  for (;;) {
    const socket: Socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const ask = () => {
      socket.write(
        `GET ${path()} HTTP/1.1\r\nHost: localhost\r\nx-user-id: ${userId}\r\n${headers}\r\n`,
      );
    };
    socket.once("connect", ask);
    // What is not read is never found closed.
    const timer = setTimeout(() => socket.destroy(), 5_000);
    await closed;
    clearTimeout(timer);
  }
}

function batch(count: number): string {
  const inputs = Array.from({ length: count }, (_, at) => [at, json({ conversationId })]);
  const input = encodeURIComponent(JSON.stringify(Object.fromEntries(inputs)));
  return `/trpc/${Array(count).fill("conversations.messages").join(",")}?batch=1&input=${input}`;
}

function watch(): string {
  const input = encodeURIComponent(JSON.stringify(json({ conversationId, lastEventId: "0" })));
  return `/trpc/chat.watch?input=${input}`;
}

/** A socket that reads, and sends what costs a server most for its length. */
async function flood(next: (index: number) => string): Promise<void> {
  for (;;) {
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}/trpc?connectionParams=1`);
    webSocket.on("error", () => {});
    const closed = new Promise((resolve) => webSocket.once("close", resolve));
    webSocket.once("open", async () => {
      webSocket.send(JSON.stringify({ method: "connectionParams", data: { userId } }));
      for (let index = 0; webSocket.readyState === WebSocket.OPEN; index++) {
        if (webSocket.bufferedAmount < 300_000) webSocket.send(next(index));
        if (index % 20 === 0) await delay(1);
      }
    });
    await closed;
    await delay(200);
  }
}

const manyFields = JSON.stringify({
  id: 1,
  method: "query",
  params: {
    path: "bots.list",
    input: json(Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`field${at}`, at]))),
  },
});
const sameIds = JSON.stringify(
  Array.from({ length: 100 }, () => ({
    id: 1,
    method: "subscription",
    params: { path: "chat.watch", input: json({ conversationId }) },
  })),
);
const floods = ["PING", "{", manyFields, sameIds];
const probe = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

for (let index = 0; index < 20; index++) void flood((at) => floods[at % floods.length] ?? "");
for (let index = 0; index < 10; index++)
  void askOverHttp(() => "/healthz", `\r\n${probe.repeat(500)}`);
for (let index = 0; index < 80; index++) void askBySocket();
for (let index = 0; index < 60; index++) void askOverHttp(() => batch(100), "");
for (let index = 0; index < 40; index++) void askOverHttp(watch, "Accept: text/event-stream\r\n");
for (let index = 0; index < 40; index++) void askOverHttp(() => "/readyz", "");
for (let index = 0; index < 80; index++) connect(port, "127.0.0.1").on("error", () => {});
process.on("disconnect", () => process.exit());
process.send?.("asking");
