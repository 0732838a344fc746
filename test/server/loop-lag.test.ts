/** How late the event loop is said to be: the median of a second, and of that second alone. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LoopLag } from "../../src/server/metrics/loop-lag.ts";

let delays: number[] = [];
let enabled = false;

vi.mock("node:perf_hooks", async (original) => ({
  ...(await original<typeof import("node:perf_hooks")>()),
  monitorEventLoopDelay: () => ({
    enable: () => {
      enabled = true;
    },
    disable: () => {
      enabled = false;
    },
    percentile: (part: number) => {
      const index = Math.ceil((part / 100) * delays.length) - 1;
      return (delays.toSorted((one, other) => one - other)[Math.max(0, index)] ?? 0) * 1e6;
    },
    reset: () => {
      delays = [];
    },
  }),
}));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => void vi.useRealTimers());

const onTime = 20;

test.each<[string, perSecond: number[][], medianMs: number[]]>([
  ["nothing late", [[onTime, onTime, onTime]], [0]],
  ["one long pause", [[onTime, 900, onTime]], [0]],
  ["busy", [[320, 320, 320]], [300]],
  ["busy, and then no more", [[320, 320, 320], Array(50).fill(onTime), []], [300, 0, 0]],
  ["a clock that is early", [[onTime - 1]], [0]],
])("%s", (_what, perSecond, medianMs) => {
  const lag = new LoopLag();
  expect([enabled, lag.medianMs]).toEqual([true, 0]);
  const told = perSecond.map((late) => {
    delays.push(...late);
    vi.advanceTimersByTime(1_000);
    return lag.medianMs;
  });
  expect(told).toEqual(medianMs);
  lag[Symbol.dispose]();
  expect([enabled, vi.getTimerCount()]).toEqual([false, 0]);
});
