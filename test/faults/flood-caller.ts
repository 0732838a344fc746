/**
 * One address that floods a server: whatever it may send and the server must look at. A process of its own:
 * `node flood-caller.ts <port> <conversationId> <runId> <flood> …`, until it is killed.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { type FloodName, floodNames } from "./flood-names.ts";

const port = Number(process.argv[2]);
const [conversationId, runId] = [String(process.argv[3]), String(process.argv[4])];
const kibibyte = 1024;
const text = 0x1;
const [continuation, binary, ping] = [0x0, 0x2, 0x9];

/** Opens connections again and again, each for as long as the server lets it. */
function connections(
  count: number,
  use: (socket: Socket, index: number) => Promise<unknown>,
): void {
  for (let index = 0; index < count; index++) void connection((socket) => use(socket, index));
}

async function connection(use: (socket: Socket) => Promise<unknown>): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.once("connect", () => void use(socket).catch(() => {}));
    await closed;
    await delay(20);
  }
}

/** Sends the same again and again, as fast as it is taken. */
async function pump(socket: Socket, bytes: Buffer): Promise<void> {
  while (!socket.destroyed) {
    if (!socket.write(bytes)) await once(socket, "drain");
    else await delay(0);
  }
}

function frame(opcode: number, payload: Buffer | string, fin = true): Buffer {
  const bytes = Buffer.from(payload);
  const short = bytes.length < 126;
  const head = Buffer.alloc(short ? 6 : 8);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (short ? bytes.length : 126);
  if (!short) head.writeUInt16BE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}

/** The beginning of a frame that says how long it will be. */
function longHead(opcode: number, length: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x80 | opcode;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** WebSockets of several users, since one may have a hundred. */
function webSockets(count: number, use: (socket: Socket) => Promise<unknown>): void {
  connections(count, async (socket, index) => {
    const key = randomBytes(16).toString("base64");
    const upgrade = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}`;
    socket.write(
      `GET /trpc?connectionParams=1 HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    await once(socket, "data");
    const data = { userId: `mallory${index % 10}` };
    socket.write(frame(text, JSON.stringify({ method: "connectionParams", data })));
    await use(socket);
  });
}

/** Fragments of one message that never ends, some thousand in a write. */
function fragments(count: number, size: number): void {
  const each = frame(continuation, " ".repeat(size), false);
  const many = Buffer.concat(Array<Buffer>(2_000).fill(each));
  webSockets(count, async (socket) => {
    socket.resume().write(frame(text, "{", false));
    await pump(socket, many);
  });
}

function request(method: string, path: string, headers = "", body: Buffer | string = ""): Buffer {
  const length = body.length === 0 ? "" : `content-length: ${Buffer.byteLength(body)}\r\n`;
  const type = body.length === 0 ? "" : "content-type: application/json\r\n";
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nx-user-id: mallory\r\n`;
  return Buffer.concat([Buffer.from(`${head}${headers}${type}${length}\r\n`), Buffer.from(body)]);
}

/** Requests sent behind one another, without waiting for answers. */
function requests(count: number, next: () => Buffer): void {
  connections(count, async (socket) => {
    socket.resume();
    while (!socket.destroyed) {
      if (!socket.write(next())) await once(socket, "drain");
      else await delay(0);
    }
  });
}

/** A body in chunks of one byte. */
function chunks(count: number, pauseMs: number): void {
  const head = request(
    "POST",
    "/trpc/conversations.rename",
    "transfer-encoding: chunked\r\ncontent-type: application/json\r\n",
  );
  const many = Buffer.from("1\r\nx\r\n".repeat(10_000));
  connections(count, async (socket) => {
    socket.resume().write(head);
    for (; !socket.destroyed; await delay(pauseMs)) {
      if (!socket.write(many)) await once(socket, "drain");
    }
  });
}

function call(id: number, path: string, input: object): string {
  const method = path.startsWith("chat.") ? "subscription" : "query";
  return JSON.stringify({ id, method, params: { path, input: { json: input } } });
}

/** Sockets that ask for something long and read nothing of it. */
function readersOfNothing(count: number, asks: readonly string[]): void {
  webSockets(count, async (socket) => {
    socket.pause();
    for (const ask of asks) socket.write(frame(text, ask));
    await once(socket, "close");
  });
}

const title = "x".repeat(250_000);
const rename = () =>
  request(
    "POST",
    "/trpc/conversations.rename",
    "",
    JSON.stringify({ json: { conversationId: randomUUID(), title } }),
  );
const watch = () =>
  request(
    "GET",
    `/trpc/chat.watch?input=${encodeURIComponent(JSON.stringify({ json: { conversationId } }))}`,
    "accept: text/event-stream\r\n",
  );

const floods: Record<FloodName, () => void> = {
  "fragments of one byte": () => fragments(100, 1),
  "fragments of two bytes": () => fragments(100, 2),
  "fragments of no byte": () => fragments(100, 0),
  "fragments of 256 bytes": () => fragments(100, 256),
  "fragments of 512 bytes": () => fragments(100, 512),
  "messages of one byte": () =>
    webSockets(100, (socket) =>
      pump(socket.resume(), Buffer.concat(Array<Buffer>(5_000).fill(frame(text, "1")))),
    ),
  pings: () =>
    webSockets(100, (socket) =>
      pump(socket.resume(), Buffer.concat(Array<Buffer>(1_000).fill(frame(ping, "x".repeat(125))))),
    ),
  "frames that are filled slowly": () =>
    webSockets(1_000, async (socket) => {
      socket.resume().write(longHead(binary, 262_000));
      for (let part = 0; part < 255 && !socket.destroyed; part++, await delay(15)) {
        socket.write(Buffer.alloc(kibibyte));
      }
    }),
  "frames that come by the byte": () =>
    webSockets(100, async (socket) => {
      socket.setNoDelay(true).resume().write(longHead(binary, 250_000));
      for (; !socket.destroyed; await delay(0))
        for (let byte = 0; byte < 20; byte++) socket.write(" ");
    }),
  "frames of enormous length": () =>
    webSockets(100, async (socket) => {
      socket.resume().write(longHead(binary, 2 ** 40));
      await pump(socket, Buffer.alloc(64 * kibibyte));
    }),
  "large messages": () => {
    const ask = call(1, "bots.list", { padding: "y".repeat(60_000) });
    webSockets(100, (socket) => pump(socket.resume(), frame(text, ask)));
  },
  "requests behind one another": () => requests(200, rename),
  headers: () => {
    const headers = Array.from({ length: 80 }, (_, at) => `x-h${at}: ${"v".repeat(150)}\r\n`);
    requests(200, () => request("GET", "/healthz", headers.join("")));
  },
  "bodies in chunks of one byte": () => chunks(200, 0),
  "chunks of one byte that stop": () => chunks(256, 100),
  "bodies that never end": () =>
    connections(256, async (socket) => {
      socket
        .resume()
        .write(
          request(
            "POST",
            "/trpc/conversations.create",
            "content-length: 262000\r\ncontent-type: application/json\r\n",
          ),
        );
      for (let part = 0; part < 260 && !socket.destroyed; part++, await delay(10)) {
        socket.write("x".repeat(1_000));
      }
    }),
  "bodies nobody asked for": () =>
    connections(200, async (socket) => {
      socket.resume().write(request("POST", "/nothing", "content-length: 250000000\r\n"));
      await pump(socket, Buffer.alloc(64 * kibibyte));
    }),
  "gzipped bodies": () => {
    const body = gzipSync(Buffer.alloc(200_000_000, 32));
    requests(100, () =>
      request("POST", "/trpc/conversations.create", "content-encoding: gzip\r\n", body),
    );
  },
  "large batches": () => {
    const path = `/trpc/${Array(120).fill("bots.list").join(",")}?batch=1&input=%7B%7D`;
    requests(60, () => request("GET", path));
  },
  "event streams opened and closed": () =>
    connections(100, async (socket) => {
      socket.resume().write(watch());
      await delay(5);
      socket.destroy();
    }),
  "sockets opened and closed": () =>
    webSockets(100, async (socket) => {
      socket.write(frame(text, call(1, "bots.list", {})));
      await delay(5);
      socket.destroy();
    }),
  "readers of a long archive that read nothing": () =>
    readersOfNothing(
      200,
      Array.from({ length: 5 }, (_, id) => call(id, "chat.follow", { runId, lastEventId: "0" })),
    ),
  "readers of a long history that read nothing": () =>
    readersOfNothing(
      200,
      Array.from({ length: 20 }, (_, id) =>
        call(id, "conversations.messages", { conversationId, limit: 100 }),
      ),
    ),
};

const asked = floodNames.filter((name) => process.argv.slice(5).includes(name));
for (const name of asked) floods[name]();
process.on("disconnect", () => process.exit());
process.send?.("flooding");
