/** What the meter in front of ws lets through: every message, however it comes; no flood, and nothing of one. */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameMeter } from "../../src/server/connections/frames/frame-meter.ts";

const text = 0x1;
const [continuation, ping, pong] = [0x0, 0x9, 0xa];

function frame(opcode: number, payload: Buffer, { fin = true } = {}): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + lengthBytes + 4);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(length, 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** One message in fragments of the given sizes. */
function fragments(sizes: readonly number[]): Buffer[] {
  return sizes.map((size, index) =>
    frame(index === 0 ? text : continuation, Buffer.alloc(size, 120), {
      fin: index === sizes.length - 1,
    }),
  );
}

class MeteredSocket {
  readonly floods: string[] = [];
  passed = Buffer.alloc(0);
  held = 0;
  mostHeld = 0;
  readonly meter: FrameMeter;
  readonly #socket = new EventEmitter();

  constructor() {
    this.#socket.on("data", (read: Buffer) => {
      this.passed = Buffer.concat([this.passed, read]);
    });
    this.meter = new FrameMeter(this.#socket as Socket, {
      flood: (reason) => this.floods.push(reason),
      holdPartial: (bytes) => {
        this.held = bytes;
        this.mostHeld = Math.max(this.mostHeld, bytes);
      },
    });
  }

  read(bytes: Buffer): void {
    this.#socket.emit("data", bytes);
  }

  /** In reads of the given size. */
  readAll(bytes: Buffer, size: number): void {
    for (let at = 0; at < bytes.length; at += size) this.read(bytes.subarray(at, at + size));
  }
}

/** Messages as honest clients send them: whole or in fragments of some size, with pings in between. */
const messages = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 70_000 }).map((size) => fragments([size])),
    fc.array(fc.integer({ min: 256, max: 4_096 }), { minLength: 1, maxLength: 40 }).map(fragments),
    fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 }).map(fragments),
    fc.integer({ min: 0, max: 125 }).map((size) => [frame(ping, Buffer.alloc(size))]),
    fc.constant([frame(pong, Buffer.alloc(0))]),
  ),
  { maxLength: 12, size: "max" },
);

describe("what is no flood", () => {
  test("all of it comes, wherever reads begin and end, and nothing is held in the end", () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 512, max: 66_000 }), (sent, readSize) => {
        const socket = new MeteredSocket();
        const bytes = Buffer.concat(sent.flat());
        socket.readAll(bytes, readSize);
        expect(socket.floods).toEqual([]);
        expect(socket.passed.equals(bytes)).toBe(true);
        expect(socket.held).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test("of headers, reads may begin and end anywhere", () => {
    const socket = new MeteredSocket();
    const sent = [...fragments([1, 2, 300]), frame(ping, Buffer.alloc(3)), ...fragments([70_000])];
    for (const each of sent) {
      const headerBytes = each.length - Math.max(0, each.length - 14);
      socket.readAll(each.subarray(0, headerBytes), 1);
      socket.readAll(each.subarray(headerBytes), 4_096);
    }
    expect(socket.floods).toEqual([]);
    expect(socket.held).toBe(0);
  });

  test("a ping that comes in two reads is no piece of a message", () => {
    const socket = new MeteredSocket();
    for (let count = 0; count < 200; count++) socket.readAll(frame(pong, Buffer.alloc(4)), 5);
    socket.meter.checked();
    for (let count = 0; count < 200; count++) socket.readAll(frame(pong, Buffer.alloc(4)), 5);
    expect(socket.floods).toEqual([]);
  });

  test("a message's bytes are held until it is whole, and its pieces count", () => {
    const socket = new MeteredSocket();
    const [first, second] = fragments([10_000, 10_000]);
    socket.read(first ?? Buffer.alloc(0));
    expect(socket.held).toBeGreaterThan(10_000);
    expect(socket.held).toBeLessThan(12_000);
    socket.read(second ?? Buffer.alloc(0));
    expect(socket.held).toBe(0);
  });
});

describe("a flood ends, and nothing more of it comes to ws", () => {
  const many = (count: number, each: Buffer) => Buffer.concat(Array<Buffer>(count).fill(each));
  const one = Buffer.from("x");
  const begun = frame(text, one, { fin: false });

  test.each([
    ["fragments of one byte", many(1_000, frame(continuation, one, { fin: false })), "pieces"],
    ["of two", many(1_000, frame(continuation, Buffer.from("xx"), { fin: false })), "pieces"],
    ["of none", many(1_000, frame(continuation, Buffer.alloc(0), { fin: false })), "pieces"],
    ["pings between fragments", many(1_000, frame(ping, one)), "pings"],
    ["pongs", many(1_000, frame(pong, Buffer.alloc(0))), "pings"],
    [
      "whole messages",
      Buffer.concat([frame(continuation, one), many(5_000, frame(text, Buffer.alloc(0)))]),
      "messages",
    ],
  ])("%s", (_what, flood, reason) => {
    const socket = new MeteredSocket();
    socket.read(begun);
    socket.read(flood);
    expect(socket.floods).toEqual([expect.stringContaining(reason)]);
    socket.read(flood);
    expect(socket.floods).toHaveLength(1);
    expect(socket.passed.equals(begun)).toBe(true);
    expect(socket.held).toBe(0);
  });

  test("one long frame that comes by the byte", () => {
    const socket = new MeteredSocket();
    socket.readAll(frame(text, Buffer.alloc(10_000)), 1);
    expect(socket.floods).toEqual([expect.stringContaining("pieces")]);
    expect(socket.passed.length).toBeLessThan(200);
    expect(socket.mostHeld).toBeLessThan(64 * 1_024);
  });
});
