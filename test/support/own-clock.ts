/** Time-outs, intervals and `performance` by a clock of the test's own; turns of the event loop, and what sockets do, are real. */
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, vi } from "vitest";

/** Turns that what is begun in a step takes. */
const turnsAStep = 5;

/** For each test of the file. */
export function withOwnClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
      fakeNodeBuiltins: true,
    });
  });
  afterEach(() => void vi.useRealTimers());
}

/** @param stepMs so that what is begun in between has its turns; without it, all at once */
export async function pass(ms: number, stepMs = Number.POSITIVE_INFINITY): Promise<void> {
  for (let left = ms; left >= 0; left -= stepMs) {
    await vi.advanceTimersByTimeAsync(Math.min(left, stepMs));
    for (let turns = 0; turns < turnsAStep; turns++) await turn();
  }
}
