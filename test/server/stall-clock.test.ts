/** How long the other end of a socket has taken nothing of what waits for it. */
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { StallClock } from "../../src/server/pacing/stall-clock.ts";
import { FakeSocket } from "./fake-socket.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
});

const nothing = () => {};
const sends = (socket: FakeSocket) => socket.send(100);
const takesSome = (socket: FakeSocket) => socket.take(10);
/** The kernel takes some of it at once. */
const begins = (socket: FakeSocket) => {
  sends(socket);
  takesSome(socket);
};
const takesAll = (socket: FakeSocket) => socket.take();

test.each<[string, ((socket: FakeSocket) => void)[], number[]]>([
  ["nothing waits, for however long", [nothing, nothing, nothing], [0, 0, 0]],
  ["nothing of what waits is taken", [sends, nothing, nothing], [0, 1_000, 2_000]],
  ["more waits, and nothing is taken", [sends, sends, nothing], [0, 1_000, 2_000]],
  ["some is taken now and then", [sends, nothing, takesSome, nothing], [0, 1_000, 0, 1_000]],
  ["all has been taken", [sends, nothing, takesAll, nothing, nothing], [0, 1_000, 0, 0, 0]],
  ["what comes after a rest", [nothing, nothing, begins, nothing], [0, 0, 0, 1_000]],
])("%s", (_what, happenings, expected) => {
  const socket = new FakeSocket();
  const clock = new StallClock(socket.asSocket);
  const told = happenings.map((happens, index) => {
    if (index > 0) vi.advanceTimersByTime(1_000);
    happens(socket);
    return clock.stalledMs();
  });
  expect(told).toEqual(expected);
});
