/** A WebSocket made by hand, for frames that no library sends. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Default: true. */
  readonly fin?: boolean;
  /** The three reserved bits, as a number from 0 to 7. Default: 0. */
  readonly reserved?: number;
  /** Clients have to mask. Default: true. */
  readonly masked?: boolean;
  /** What the header says of the payload's length, if not the truth. */
  readonly claimedLength?: bigint;
  /** Bytes of the length: 0 for within the second byte. Default: as few as do. */
  readonly lengthBytes?: 0 | 2 | 8;
}

export function encodeFrame(frame: RawFrame): Buffer {
  const { opcode, payload, fin = true, reserved = 0, masked = true } = frame;
  const length = frame.claimedLength ?? BigInt(payload.length);
  const lengthBytes = frame.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const short = lengthBytes === 0 ? Number(length & 0x7fn) : lengthBytes === 2 ? 126 : 127;
  const long = Buffer.alloc(lengthBytes);
  if (lengthBytes === 2) long.writeUInt16BE(Number(length & 0xffffn));
  if (lengthBytes === 8) long.writeBigUInt64BE(BigInt.asUintN(64, length));
  const header = Buffer.concat([Buffer.from([first, (masked ? 0x80 : 0) | short]), long]);
  if (!masked) return Buffer.concat([header, payload]);
  const mask = randomBytes(4);
  const body = Buffer.from(payload);
  for (let index = 0; index < body.length; index++) {
    body[index] = (body[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return Buffer.concat([header, mask, body]);
}

export function textFrame(text: string): Buffer {
  return encodeFrame({ opcode: 1, payload: Buffer.from(text) });
}

export interface RawSocket extends Disposable {
  readonly socket: Socket;
  /** Bytes that came after the handshake. */
  readonly received: () => number;
  /** Settles when these bytes have come, or the other end has closed: with whether they came. */
  waitFor(bytes: Buffer): Promise<boolean>;
  readonly closed: Promise<void>;
}

export async function openRawSocket(port: number, path = "/trpc"): Promise<RawSocket> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const key = randomBytes(16).toString("base64");
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  const [head] = (await once(socket, "data")) as [Buffer];
  const end = head.indexOf("\r\n\r\n");
  if (end === -1 || !head.toString("latin1").startsWith("HTTP/1.1 101 ")) {
    throw new Error(`no upgrade: ${head.toString("latin1")}`);
  }
  let bytes = 0;
  let tail = head.subarray(end + 4);
  const waiting = new Set<() => void>();
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    tail = Buffer.concat([tail, chunk]);
    // Much may have come behind what is waited for.
    for (const look of waiting) look();
    tail = tail.subarray(-4_096);
    if (endsWithClose(tail)) socket.end();
  });
  return {
    socket,
    received: () => bytes,
    waitFor: (expected) =>
      new Promise((resolve) => {
        const settle = (came: boolean) => {
          waiting.delete(look);
          resolve(came);
        };
        const look = () => {
          if (tail.includes(expected)) settle(true);
        };
        waiting.add(look);
        closed.then(() => settle(false));
        look();
      }),
    closed,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** Whether the last frame that came is one that closes: it asks for an answer, or for the end. */
function endsWithClose(tail: Buffer): boolean {
  for (let length = 0; length <= 125; length++) {
    const start = tail.length - 2 - length;
    if (tail[start] === 0x88 && tail[start + 1] === length) return true;
  }
  return false;
}

/** What the server sends for the text `PING`. */
export const pong = Buffer.from([0x81, 4, ...Buffer.from("PONG")]);
