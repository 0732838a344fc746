/** What waits for the other end of a socket: how long, in how small pieces, and what is left of waiting. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LogEntry } from "../../src/log/entry.ts";
import { LongTexts } from "../../src/server/pacing/long-texts.ts";
import { writeInPieces } from "../../src/server/pacing/pieces.ts";
import { SocketPacer } from "../../src/server/pacing/socket-pacer.ts";
import { StallClock } from "../../src/server/pacing/stall-clock.ts";
import { FakeSocket } from "./fake-socket.ts";

const maxStallMs = 1_000;
const mebibyte = 1024 * 1024;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
});
afterEach(() => void vi.useRealTimers());

describe("a pacer", () => {
  function setUp() {
    const socket = new FakeSocket();
    let stuck = 0;
    const onStuck = () => {
      stuck += 1;
    };
    const pacer = new SocketPacer(socket.asSocket, { maxBacklogBytes: 100, maxStallMs, onStuck });
    return { socket, pacer, stuck: () => stuck };
  }
  const left = (socket: FakeSocket) =>
    socket.listenerCount("drain") + socket.listenerCount("close");

  test("lets more be sent up to a backlog, and then when all of it was taken", async () => {
    const { socket, pacer } = setUp();
    expect(pacer.ready()).toBeUndefined();
    socket.send(100);
    expect(pacer.ready()).toBeUndefined();
    socket.send(1);
    const waits = [pacer.ready(), pacer.ready()];
    // All who wait for one socket wait together.
    expect(waits[0]).toBe(waits[1]);
    expect([waits[0] === undefined, left(socket)]).toEqual([false, 2]);
    socket.take();
    await Promise.all(waits);
    expect([pacer.ready(), left(socket), vi.getTimerCount()]).toEqual([undefined, 0, 0]);
  });

  test.each([1, 3])(
    "waits no more for one that has closed, at the wait number %d",
    async (times) => {
      const { socket, pacer } = setUp();
      for (let index = 0; index < times; index++) {
        socket.send(200);
        const waiting = pacer.ready();
        if (index < times - 1) socket.take();
        else socket.destroy();
        await waiting;
        expect([left(socket), vi.getTimerCount()]).toEqual([0, 0]);
      }
      expect(pacer.ready()).toBeUndefined();
    },
  );

  test("says when a socket has taken nothing for so long, and not of one that takes little", async () => {
    const { socket, pacer, stuck } = setUp();
    socket.send(1_000);
    const waiting = pacer.ready();
    for (let seconds = 0; seconds < 5; seconds++) {
      socket.take(1);
      vi.advanceTimersByTime(maxStallMs);
    }
    expect(stuck()).toBe(0);
    vi.advanceTimersByTime(maxStallMs);
    expect(stuck()).toBe(1);
    socket.take();
    await waiting;
    vi.advanceTimersByTime(10 * maxStallMs);
    expect(stuck()).toBe(1);
  });

  test("counts what the kernel takes of one large write, too", () => {
    const { socket, pacer, stuck } = setUp();
    socket.send(1_000);
    socket._handle.writeQueueSize = 1_000;
    void pacer.ready();
    for (let seconds = 0; seconds < 3; seconds++) {
      socket._handle.writeQueueSize -= 1;
      vi.advanceTimersByTime(maxStallMs);
    }
    expect(stuck()).toBe(0);
  });
});

test("a stall is as long as nothing is taken of what waits", () => {
  const socket = new FakeSocket();
  socket.send(100);
  const clock = new StallClock(socket.asSocket);
  const after = (ms: number) => {
    vi.advanceTimersByTime(ms);
    return clock.stalledMs();
  };
  expect([after(0), after(700), after(700)]).toEqual([0, 700, 1_400]);
  socket.take(1);
  expect([after(500), after(500)]).toEqual([0, 500]);
  socket.send(1);
  expect(after(500)).toBe(1_000);
  // Who has nothing to take is not slow.
  socket.take();
  expect([after(500), after(5_000)]).toEqual([0, 0]);
  socket.send(10);
  expect([after(500), after(500)]).toEqual([500, 1_000]);
});

test("a long text leaves whole, in small pieces, each when the one before was taken", async () => {
  const parts = fc.array(fc.constantFrom(0, 1, 1_000, 32 * 1024, 32 * 1024 + 1, 100_000), {
    maxLength: 4,
  });
  const property = fc.asyncProperty(parts, fc.nat(12), async (lengths, goneAfter) => {
    const all = lengths.map((length, index) => Buffer.alloc(length, index + 1));
    const written: Buffer[] = [];
    const lasts: boolean[] = [];
    let taken = true;
    await writeInPieces(all, {
      get gone() {
        return goneAfter > 0 && written.length >= goneAfter;
      },
      ready: async () => {
        await Promise.resolve();
        taken = true;
      },
      write: (piece, last) => {
        expect([taken, piece.length <= 32 * 1024]).toEqual([true, true]);
        taken = false;
        written.push(piece);
        lasts.push(last);
      },
    });
    const whole = Buffer.concat(all);
    const sent = Buffer.concat(written);
    if (goneAfter > 0 && sent.length < whole.length) {
      expect(written).toHaveLength(goneAfter);
      expect(whole.subarray(0, sent.length).equals(sent)).toBe(true);
      expect(lasts).not.toContain(true);
      return;
    }
    expect(sent.equals(whole)).toBe(true);
    expect(lasts.indexOf(true)).toBe(lasts.length - 1);
  });
  await fc.assert(property, { numRuns: 100 });
});

describe("long texts", () => {
  const entryOf = (seq: number, jsonBytes: number) =>
    ({ seq, runId: "r", jsonBytes, json: "x", jsonPieces: () => ["x"] }) as unknown as LogEntry;
  const holderOf = (stalledMs = 0) => ({ stalledMs: () => stalledMs, cut: vi.fn() });

  test("are held once for all who are sent the same, until the last of them", () => {
    const texts = new LongTexts();
    const [long, longer] = [entryOf(1, 1_000), entryOf(2, 2_000)];
    const held = [long, long, longer].map((entry) => texts.hold(entry, holderOf()));
    expect(texts.bytes).toBe(3_000);
    held[2]?.release();
    expect(texts.bytes).toBe(1_000);
    held[0]?.release();
    expect(texts.bytes).toBe(1_000);
    // Whoever comes by then shares it, too.
    const again = texts.hold(long, holderOf());
    expect([...again.pieces][0]).toBe([...(held[1]?.pieces ?? [])][0]);
    held[1]?.release();
    again.release();
    expect([texts.bytes, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test("past the limit those are cut of which all readers take nothing, as many as are too much", () => {
    const texts = new LongTexts();
    const takesNone = [holderOf(5_000), holderOf(6_000)];
    const some = [holderOf(5_000), holderOf(0)];
    const slow = [holderOf(4_999)];
    const behind = [holderOf(5_000)];
    const groups = [some, takesNone, slow, behind];
    const held = groups.flatMap((holders, index) => {
      const entry = entryOf(index, 17 * mebibyte);
      return holders.map((holder) => texts.hold(entry, holder));
    });
    vi.advanceTimersByTime(1_000);
    const cuts = groups.map((holders) => holders.map(({ cut }) => cut.mock.calls.length));
    // Without the first of them it is within the limit.
    expect(cuts).toEqual([[0, 0], [1, 1], [0], [0]]);
    for (const { release } of held) release();
    vi.advanceTimersByTime(1_000);
    expect([texts.bytes, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
