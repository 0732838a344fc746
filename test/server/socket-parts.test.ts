/** The parts of a WebSocket's connection alone: whether it is there, what it sends and when, what it is sent in a turn. */
import { EventEmitter } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { WebSocket } from "ws";
import { LogEntry } from "../../src/log/entry.ts";
import { Connections } from "../../src/server/connections/connections.ts";
import { FrameInlet, type FrameTaker } from "../../src/server/connections/frames/frame-inlet.ts";
import { SendingTurn } from "../../src/server/connections/frames/sending-turn.ts";
import { Liveness } from "../../src/server/connections/liveness.ts";
import { FakeSocket } from "./fake-socket.ts";

class FakeWebSocket extends EventEmitter {
  isPaused = false;
  pings = 0;
  terminated = false;
  pause = (): void => void Object.assign(this, { isPaused: true });
  resume = (): void => void Object.assign(this, { isPaused: false });
  ping = (): void => {
    this.pings += 1;
  };
  terminate = (): void => void Object.assign(this, { terminated: true });
  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}

describe("whether the other end is there", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  const slowReaderMs = 1_000;
  /** One check of the socket a second, each after something has happened. */
  function checks(...happenings: ((socket: FakeSocket, webSocket: FakeWebSocket) => void)[]) {
    const [socket, webSocket] = [new FakeSocket(), new FakeWebSocket()];
    const liveness = new Liveness(webSocket.asWebSocket, socket.asSocket);
    return happenings.map((happens) => {
      happens(socket, webSocket);
      vi.advanceTimersByTime(600);
      const isSlow = liveness.check({ slowReaderMs, closing: false });
      return [webSocket.pings, webSocket.terminated, isSlow];
    });
  }
  const nothing = () => {};

  test("one that answers each ping is", () => {
    const answers = (socket: FakeSocket) => socket.read(Buffer.alloc(6));
    expect(checks(nothing, answers, answers, answers)).toEqual([
      [1, false, false],
      [2, false, false],
      [3, false, false],
      [4, false, false],
    ]);
  });

  test("one that has answered no ping by the next is not", () => {
    expect(checks(nothing, nothing)).toEqual([
      [1, false, false],
      [1, true, false],
    ]);
  });

  test("one for which something waits is slow after a while, and not pinged behind it", () => {
    const sends = (socket: FakeSocket) => socket.send(1_000);
    const takes = (socket: FakeSocket) => socket.take(1);
    expect(checks(sends, nothing, takes, nothing, nothing)).toEqual([
      [0, false, false],
      [0, false, false],
      [0, false, false],
      [0, false, false],
      [0, false, true],
    ]);
  });

  test("one that is not read is not asked for an answer", () => {
    const pauses = (_: FakeSocket, webSocket: FakeWebSocket) => webSocket.pause();
    expect(checks(pauses, nothing, nothing)).toEqual([
      [0, false, false],
      [0, false, false],
      [0, false, true],
    ]);
  });
});

describe("what a socket sends", () => {
  function setUp() {
    const [socket, webSocket] = [new FakeSocket(), new FakeWebSocket()];
    // ws's own listener, which the meter takes the place of.
    socket.on("data", () => {});
    const world = {
      ...{ closing: false, received: [] as string[], charged: 0, floods: [] as string[] },
      ...{
        owed: undefined as Promise<void> | undefined,
        busy: undefined as Promise<void> | undefined,
      },
    };
    const taker: FrameTaker = {
      busy: () => world.busy,
      owed: () => world.owed,
      charge: (bytes) => {
        world.charged += bytes;
      },
      get closing() {
        return world.closing;
      },
      receive: (text) => void world.received.push(text),
      flood: (reason) => void world.floods.push(reason),
      holdPartial: () => {},
    };
    const inlet = new FrameInlet(webSocket.asWebSocket, { socket: socket.asSocket, taker });
    const sends = (text: string, isBinary = false) =>
      webSocket.emit("message", Buffer.from(text), isBinary);
    return { world, inlet, webSocket, sends };
  }

  test("is worked on at once where nothing is owed, and costs more than its length", () => {
    const { world, sends } = setUp();
    sends("abc");
    sends("binary", true);
    expect([world.received, world.charged]).toEqual([["abc", ""], 3 + 0 + 2 * 256]);
  });

  test("waits in order while time is owed, and nothing more is read", async () => {
    const { world, webSocket, sends } = setUp();
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    world.owed = first.promise;
    for (const text of ["a", "b", "c"]) sends(text);
    expect([world.received, webSocket.isPaused]).toEqual([[], true]);
    world.owed = second.promise;
    first.resolve();
    await turn();
    // Another of the user's sockets was quicker.
    expect([world.received, world.charged, webSocket.isPaused]).toEqual([[], 0, true]);
    world.owed = undefined;
    second.resolve();
    await turn();
    expect([world.received, webSocket.isPaused]).toEqual([["a", "b", "c"], false]);
    sends("d");
    expect(world.received).toEqual(["a", "b", "c", "d"]);
  });

  test("is a flood where too many wait, and nothing of it is worked on", async () => {
    const { world, sends } = setUp();
    world.owed = new Promise(() => {});
    for (let count = 0; count < 256; count++) sends("a");
    expect(world.floods).toEqual([]);
    for (let count = 0; count < 5; count++) sends("a");
    expect([world.floods.length, world.received]).toEqual([1, []]);
  });

  test("behind its close is passed over, and a flood after so many", () => {
    const { world, sends } = setUp();
    world.closing = true;
    for (let count = 0; count < 256; count++) sends("a");
    expect(world.floods).toEqual([]);
    sends("a");
    expect([world.floods.length, world.received]).toEqual([1, []]);
  });

  test("and waits when it closes is dropped", async () => {
    const { world, inlet, sends } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.owed = promise;
    for (const text of ["a", "b"]) sends(text);
    inlet.closed();
    world.owed = undefined;
    resolve();
    await turn();
    expect(world.received).toEqual([]);
  });

  test("is read again once everybody who has paused it says so, and its backlog has gone", async () => {
    const { world, inlet, webSocket, sends } = setUp();
    const releases = [inlet.holdReading(), inlet.holdReading()];
    releases[0]?.();
    expect(webSocket.isPaused).toBe(true);
    releases[1]?.();
    expect(webSocket.isPaused).toBe(false);
    const drained = Promise.withResolvers<void>();
    world.busy = drained.promise;
    sends("a");
    expect([world.received, webSocket.isPaused]).toEqual([["a"], true]);
    world.busy = undefined;
    drained.resolve();
    await turn();
    expect(webSocket.isPaused).toBe(false);
  });
});

test("a subscription that is left twice is left once", () => {
  const connections = new Connections({ maxSubscriptionsPerSocket: 2 });
  onTestFinished(() => connections.closeAll());
  const [socket, webSocket] = [new FakeSocket(), new FakeWebSocket()];
  // ws's own listener, which the meter takes the place of.
  socket.on("data", () => {});
  const connection = connections.add(webSocket.asWebSocket, socket.asSocket, "192.0.2.1");
  connection.listen({ receive: () => {}, end: () => {} });
  const [first] = [connection.openSubscription(), connection.openSubscription()];
  expect(() => connection.openSubscription()).toThrow(
    expect.objectContaining({ code: "RATE_LIMITED" }),
  );
  first?.();
  first?.();
  expect(connections.subscriptions).toBe(1);
  connection.openSubscription();
  expect(() => connection.openSubscription()).toThrow(
    expect.objectContaining({ code: "RATE_LIMITED" }),
  );
  expect(connections.subscriptions).toBe(2);
  webSocket.emit("close");
  expect(connections.size).toBe(0);
});

test("what is sent in one turn is made once for each head, and nothing of it is kept after the turn", async () => {
  const sending = new SendingTurn();
  const entry = LogEntry.of(1, { type: "token", runId: "r", spanId: "s", text: "a" });
  const [one, two] = ['{"id":1,', '{"id":2,'];
  const frames = () => [one, two, one, two].map((head) => sending.frameOf(head, entry));
  const made = frames();
  expect([made[0] === made[2], made[1] === made[3], made[0] === made[1]]).toEqual([
    true,
    true,
    false,
  ]);
  expect(made.map((frame) => String(frame).match(/"id":\d/)?.[0])).toEqual(
    [1, 2, 1, 2].map((id) => `"id":${id}`),
  );
  const { number } = sending;
  const uncorked = vi.fn();
  sending.add({ uncork: uncorked });
  expect([sending.number, uncorked.mock.calls.length]).toEqual([number, 0]);
  await turn();
  expect(uncorked).toHaveBeenCalledOnce();
  expect([frames()[0] === made[0], sending.number > number]).toEqual([false, true]);
  await turn();
  expect(uncorked).toHaveBeenCalledOnce();
});
