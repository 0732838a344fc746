/** For how long a provider may be silent: the idle timeout alone, by a clock of the test's. */
import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { IdleTimeout } from "../../src/event-fetch/idle-timeout.ts";

function start(limits = { firstByteTimeoutMs: 1_000, stallTimeoutMs: 100 }) {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  const clock = vi.spyOn(performance, "now").mockImplementation(() => Date.now());
  onTestFinished(() => {
    clock.mockRestore();
    vi.useRealTimers();
  });
  const verdicts: string[] = [];
  const timeout = new IdleTimeout(limits, ({ phase, timeoutMs }) => {
    verdicts.push(`${phase} ${timeoutMs}`);
  });
  /** Time passes, and the event loop has its turn. */
  const pass = async (ms: number): Promise<void> => {
    vi.advanceTimersByTime(ms);
    await nextTurn();
  };
  return { timeout, verdicts, pass };
}

describe("before the first byte", () => {
  test("a provider has one limit, which no header begins anew", async () => {
    const { timeout, verdicts, pass } = start();
    await pass(600);
    timeout.pause();
    timeout.resume();
    await pass(399);
    expect(verdicts).toEqual([]);
    await pass(1);
    expect(verdicts).toEqual(["firstByte 1000"]);
  });

  test("the time in which nobody waits is not the provider's, as long as it lasts", async () => {
    const { timeout, verdicts, pass } = start();
    timeout.pause();
    await pass(5_000);
    expect(verdicts).toEqual([]);
    timeout.resume();
    await pass(1_000);
    expect(verdicts).toEqual(["firstByte 1000"]);
  });
});

describe("between two reads", () => {
  test("each wait has the whole limit, and only waits count", async () => {
    const { timeout, verdicts, pass } = start();
    timeout.answerBegun();
    for (let count = 0; count < 5; count++) {
      timeout.resume();
      await pass(90);
      timeout.pause();
      await pass(500);
    }
    expect(verdicts).toEqual([]);
    timeout.resume();
    // The timer looks now and then: a stall is noticed within two limits.
    await pass(100);
    await pass(100);
    expect(verdicts).toEqual(["stall 100"]);
  });

  test("what came while the process was busy counts, and what stalls after that is noticed", async () => {
    const { timeout, verdicts, pass } = start();
    timeout.answerBegun();
    timeout.resume();
    vi.advanceTimersByTime(100);
    // The timer was late, and the read comes in the same turn of the event loop.
    timeout.pause();
    timeout.resume();
    await nextTurn();
    expect(verdicts).toEqual([]);
    await pass(99);
    expect(verdicts).toEqual([]);
    await pass(1);
    expect(verdicts).toEqual(["stall 100"]);
  });

  test("a limit that is longer than a timer can be is waited for in several", async () => {
    const { verdicts, pass } = start({ firstByteTimeoutMs: 2 ** 33, stallTimeoutMs: 100 });
    // Node fires at once, and so again and again, what is set for longer.
    const startedAt = Date.now();
    vi.advanceTimersToNextTimer();
    expect(Date.now() - startedAt).toBe(2 ** 31 - 1);
    await pass(1);
    expect(verdicts).toEqual([]);
    await pass(2 ** 33 - 2 ** 31);
    expect(verdicts).toEqual([`firstByte ${2 ** 33}`]);
  });
});

test.each([0, 1_000])("an answer that ended after %d ms has no verdict", async (ms) => {
  const { timeout, verdicts, pass } = start();
  vi.advanceTimersByTime(ms);
  timeout.stop();
  await pass(10_000);
  expect([verdicts, vi.getTimerCount()]).toEqual([[], 0]);
});
