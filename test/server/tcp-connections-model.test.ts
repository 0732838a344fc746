/**
 * The connections of a server beside a list of them: who is let in, who is closed for whom, and who is refused, where
 * connections are idle, are answered, become WebSockets and event streams, and close.
 */
import { EventEmitter } from "node:events";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RequestMeter } from "../../src/server/http/request-meter.ts";
import { TcpConnections } from "../../src/server/http/tcp-connections.ts";
import { PartialInput } from "../../src/server/pacing/partial-input.ts";
import { FakeSocket } from "./fake-socket.ts";

const limits = { maxConnections: 5, maxHttpConnectionsPerAddress: 2, slowReaderMs: 3_000 };
const [proxy, ...others] = ["192.0.2.9", "192.0.2.1", "192.0.2.2"];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
});
afterEach(() => void vi.useRealTimers());

function setUp() {
  const server = new EventEmitter();
  const partialInput = new PartialInput();
  const refused: [FakeSocket, string][] = [];
  const connections = new TcpConnections(server as unknown as Server, {
    ...limits,
    partialInput,
    isProxy: (address) => address === proxy,
    refuse: (socket, why) => {
      refused.push([socket as unknown as FakeSocket, why]);
      socket.destroy();
    },
  });
  const connect = (address: string) => {
    const socket = new FakeSocket(address);
    server.emit("connection", socket);
    return socket;
  };
  /** A request comes. @returns answers it */
  const request = (socket: FakeSocket) => {
    const response = new EventEmitter();
    server.emit("request", { socket }, response);
    return () => void response.emit("close");
  };
  const upgrade = (socket: FakeSocket) => void server.emit("upgrade", { socket });
  return { connections, partialInput, refused, connect, request, upgrade };
}

interface Connection {
  readonly socket: FakeSocket;
  /** An event stream or a WebSocket does not count for its address. */
  kind: "http" | "stream" | "websocket";
  answers: (() => void)[];
}

const which = fc.nat(6);
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ connects: fc.constantFrom(proxy, ...others) }) },
  { weight: 5, arbitrary: fc.record({ asks: which }) },
  { weight: 5, arbitrary: fc.record({ isAnswered: which }) },
  { weight: 1, arbitrary: fc.record({ streams: which }) },
  { weight: 1, arbitrary: fc.record({ upgrades: which }) },
  { weight: 2, arbitrary: fc.record({ closes: which }) },
  { weight: 2, arbitrary: fc.record({ sendsPart: which }) },
);

/** Of any length up to that: without a size, of ten at most. */
const schedule = fc.array(happening, { maxLength: 40, size: "max" });

test("each is let in as long as there is room, or makes room of those that are idle", async () => {
  const property = fc.asyncProperty(schedule, async (happenings) => {
    const { connections, partialInput, refused, connect, request, upgrade } = setUp();
    let open: Connection[] = [];
    /** The longest idle first. */
    let idle: Connection[] = [];
    const drop = (gone: Connection) => {
      open = open.filter((it) => it !== gone);
      idle = idle.filter((it) => it !== gone);
    };
    const mayAsk = () => open.filter(({ kind }) => kind === "http");
    for (const it of happenings) {
      if ("connects" in it) {
        const address = it.connects ?? "";
        const ofAddress = mayAsk().filter(({ socket }) => socket.remoteAddress === address);
        const isOver = address !== proxy && ofAddress.length >= limits.maxHttpConnectionsPerAddress;
        const closed: Connection[] = [];
        let refusal: string | undefined;
        if (isOver) {
          const oldest = idle.find((one) => ofAddress.includes(one));
          if (oldest === undefined) refusal = "address";
          else closed.push(oldest);
        }
        const all = open.length - closed.length;
        if (refusal === undefined && all >= limits.maxConnections) {
          const [oldest] = idle.filter((one) => !closed.includes(one));
          if (oldest === undefined) refusal = "all";
          else closed.push(oldest);
        }
        const socket = connect(address);
        expect(refused.splice(0).map(([, why]) => why)).toEqual(refusal ? [refusal] : []);
        for (const one of closed) drop(one);
        const connection: Connection = { socket, kind: "http", answers: [] };
        if (refusal === undefined) open.push(connection);
        if (refusal === undefined) idle.push(connection);
        const isClosed = (one: Connection) => closed.includes(one);
        expect(closed.filter((one) => !one.socket.destroyed)).toEqual([]);
        expect(open.filter((one) => one.socket.destroyed !== isClosed(one))).toEqual([]);
      } else if ("asks" in it) {
        const connection = mayAsk()[it.asks];
        if (connection === undefined || connection.answers.length > 3) continue;
        idle = idle.filter((one) => one !== connection);
        connection.answers.push(request(connection.socket));
      } else if ("isAnswered" in it) {
        const connection = open.filter(({ answers }) => answers.length > 0)[it.isAnswered];
        connection?.answers.shift()?.();
        if (connection?.answers.length !== 0) continue;
        // An event stream that is over is a connection like any other again.
        if (connection.kind === "stream") connection.kind = "http";
        idle.push(connection);
      } else if ("streams" in it) {
        const connection = mayAsk().filter(({ answers }) => answers.length === 1)[it.streams];
        if (connection === undefined) continue;
        connection.kind = "stream";
        connections.removeFromHttp(connection.socket.asSocket);
      } else if ("upgrades" in it) {
        const connection = mayAsk().filter(({ answers }) => answers.length === 0)[it.upgrades];
        if (connection === undefined) continue;
        connection.kind = "websocket";
        idle = idle.filter((one) => one !== connection);
        upgrade(connection.socket);
      } else if ("sendsPart" in it) {
        mayAsk()[it.sendsPart]?.socket.read(Buffer.alloc(20_000, "x"));
      } else {
        const connection = open[it.closes];
        if (connection === undefined) continue;
        connection.socket.destroy();
        drop(connection);
        await turn();
        for (const answer of connection.answers) answer();
      }
      await turn();
      expect([it, connections.size]).toEqual([it, open.length]);
    }
    for (const { socket } of open) socket.destroy();
    await turn();
    connections[Symbol.dispose]();
    expect([connections.size, partialInput.bytes, vi.getTimerCount()]).toEqual([0, 0, 0]);
  });
  await fc.assert(property, { numRuns: 300 });
});

test("whoever takes nothing of an answer is closed, and nobody else", async () => {
  const { connect, request } = setUp();
  const [slow, taking, idle, waiting] = Array.from({ length: 4 }, () => connect(proxy ?? ""));
  for (const socket of [slow, taking, waiting]) request(socket ?? expect.fail());
  for (const socket of [slow, taking, idle]) socket?.send(1_000);
  for (let seconds = 0; seconds < 10; seconds++) {
    taking?.take(1);
    vi.advanceTimersByTime(1_000);
    const destroyed = [slow, taking, idle, waiting].map((socket) => socket?.destroyed);
    expect(destroyed).toEqual(
      [seconds > 3, false, false, false].map((it, at) => (at === 0 ? destroyed[0] : it)),
    );
    if (seconds < 3) expect(slow?.destroyed).toBe(false);
  }
  expect(slow?.destroyed).toBe(true);
});

test("whoever sends more requests than may be sent at once is closed", () => {
  const { connect, request } = setUp();
  const socket = connect(proxy ?? "");
  for (let count = 0; count < 16; count++) request(socket);
  expect(socket.destroyed).toBe(false);
  // What comes behind the first waits where it is.
  expect(socket.isRead).toBe(false);
  request(socket);
  expect(socket.destroyed).toBe(true);
});

const head = (path: string) => Buffer.from(`GET /${path} HTTP/1.1\r\nhost: a\r\n\r\n`);

test("what a connection holds of requests counts until they were answered, or it is gone", () => {
  const partialInput = new PartialInput();
  const refuse = vi.fn();
  const [one, two] = [new FakeSocket(), new FakeSocket()];
  const [first, second] = [one, two].map(
    (socket) => new RequestMeter(socket.asSocket, { partialInput, refuse }),
  );
  one.read(Buffer.alloc(10_000, "x"));
  expect(partialInput.bytes).toBe(0);
  one.read(Buffer.alloc(10_000, "x"));
  two.read(Buffer.alloc(30_000, "x"));
  expect(partialInput.bytes).toBe(50_000);
  first?.idle();
  expect(partialInput.bytes).toBe(30_000);
  // Counted anew, from nothing.
  one.read(Buffer.alloc(10_000, "x"));
  expect(partialInput.bytes).toBe(30_000);
  second?.remove();
  expect([partialInput.bytes, two.listenerCount("data")]).toEqual([0, 0]);
  first?.cutPartial();
  expect(refuse).toHaveBeenCalledExactlyOnceWith(one as unknown as Socket);
});

test.each([
  [
    "requests in one read",
    Buffer.concat(Array.from({ length: 17 }, (_, index) => head(`${index}`))),
    1,
  ],
  ["lines of a few bytes", Buffer.from("1\r\na\r\n".repeat(500)), 3],
])("a connection with too many %s is closed, and nothing of it is read", (_what, read, times) => {
  const socket = new FakeSocket();
  new RequestMeter(socket.asSocket, { partialInput: new PartialInput(), refuse: () => {} });
  let last = Buffer.alloc(0);
  for (let count = 0; count < times; count++) {
    expect(socket.destroyed).toBe(false);
    last = Buffer.from(read);
    socket.read(last);
  }
  expect(socket.destroyed).toBe(true);
  // Node's parser gets it all the same.
  expect(last.every((byte) => byte === 0)).toBe(true);
});

test("a connection that is answered in between may send as much as it likes", () => {
  const socket = new FakeSocket();
  const meter = new RequestMeter(socket.asSocket, {
    ...{ partialInput: new PartialInput(), refuse: () => {} },
  });
  for (let count = 0; count < 2_000; count++) {
    socket.read(head(`${count}`));
    meter.idle();
  }
  expect(socket.destroyed).toBe(false);
});
