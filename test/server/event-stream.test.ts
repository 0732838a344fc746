/** What a stream of server-sent events writes to a reader who takes it slowly, by the clock of a test. */
import { EventEmitter } from "node:events";
import type { FastifyReply } from "fastify";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TrackedEvents } from "../../src/api/subscription.ts";
import { LogEntry } from "../../src/log/entry.ts";
import { EventStream } from "../../src/server/http/event-stream.ts";
import { LongTexts } from "../../src/server/pacing/long-texts.ts";

const pingMs = 100;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A response whose socket takes nothing until it is told to, and what was written to it. */
function setUp() {
  const socket = Object.assign(new EventEmitter(), {
    ...{ writableNeedDrain: false, writableLength: 0, bytesWritten: 0, destroyed: false },
    end: () => {},
  });
  const written: string[] = [];
  const response = Object.assign(new EventEmitter(), {
    ...{ headersSent: false, writableEnded: false, destroyed: false, req: { socket } },
    writeHead: () => {
      response.headersSent = true;
    },
    write: (piece: string | Buffer) => {
      written.push(String(piece));
      socket.writableLength += piece.length;
      socket.bytesWritten += piece.length;
      socket.writableNeedDrain = true;
    },
    end: (text: string) => {
      written.push(text);
      response.writableEnded = true;
    },
  });
  const drain = async () => {
    socket.writableLength = 0;
    socket.writableNeedDrain = false;
    socket.emit("drain");
    await turn();
  };
  const reply = { raw: response, getHeaders: () => ({}) } as unknown as FastifyReply;
  const longTexts = new LongTexts();
  const limits = { pingMs, maxBacklogBytes: 0, slowReaderMs: 600_000, longTexts };
  const stream = new EventStream(reply, limits);
  /** Everything so far as a reader has it: the data of each event under its name. */
  const read = () =>
    written
      .join("")
      .split("\n\n")
      .filter((block) => block !== "")
      .map((block) => {
        const fields = new Map(block.split("\n").map((line) => line.split(/: (.*)/s, 2) as never));
        return [fields.get("event") ?? "message", fields.get("data") ?? ""] as [string, string];
      });
  return { stream, response, longTexts, drain, read };
}

/** A subscription that is given these, and is over when it is told to. */
function eventsOf(...entries: LogEntry[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const deliver = async (take: (entry: LogEntry) => void) => {
    for (const entry of entries) take(entry);
    await promise;
  };
  return { events: { position: 0, deliver } as unknown as TrackedEvents, end: resolve };
}

const token = (seq: number, text: string) =>
  LogEntry.of(seq, { type: "token", runId: "r", spanId: "s", text });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a long event comes whole: no ping is within it, nor an error that comes meanwhile", async () => {
  const { stream, response, longTexts, drain, read } = setUp();
  const text = "x".repeat(200 * 1024);
  const { events } = eventsOf(token(1, text));
  void stream.deliver(events);
  stream.fail('{"json":"too late"}');
  while (!response.writableEnded) {
    vi.advanceTimersByTime(pingMs);
    await drain();
  }
  const blocks = read();
  const [message, ...others] = blocks.filter(([name]) => name === "message");
  expect(JSON.parse(message?.[1] ?? "")).toMatchObject({ json: { type: "token", text } });
  expect(others).toEqual([]);
  expect(blocks.at(-1)).toEqual(["serialized-error", '{"json":"too late"}']);
  expect(blocks.map(([name]) => name)).not.toContain("ping");
  expect(longTexts.bytes).toBe(0);
});

test("one that is quiet has pings, and ends after some, so that its reader shows that it is there", async () => {
  const { stream, response, drain, read } = setUp();
  const { events } = eventsOf(token(1, "short"));
  void stream.deliver(events);
  await drain();
  const pings = () => read().filter(([name]) => name === "ping").length;
  for (let count = 1; count <= 4; count++) {
    vi.advanceTimersByTime(pingMs);
    expect([pings(), response.writableEnded]).toEqual([count, false]);
    await drain();
  }
  vi.advanceTimersByTime(pingMs);
  expect([pings(), response.writableEnded]).toEqual([4, true]);
  response.emit("close");
  expect(vi.getTimerCount()).toBe(0);
});
