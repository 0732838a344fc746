/** A process's end, signal by signal: what it waits for, what hurries it, and that it does end. */
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Shutdown } from "../../src/server/shutdown.ts";

const timeoutMs = 20_000;
/** Within this, a signal is the same wish as the one before. */
const sameMs = 200;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function start(close: () => Promise<number>) {
  const told: string[] = [];
  const handlers = new Map<string, () => void>();
  vi.spyOn(process, "on").mockImplementation((signal, handler) => {
    handlers.set(String(signal), handler as () => void);
    return process;
  });
  vi.spyOn(process, "exit").mockImplementation((code) => {
    told.push(`exit ${code}`);
    return undefined as never;
  });
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const shutdown = new Shutdown({
    logger: quiet as never,
    underWay: () => 2,
    graceMs: 10_000,
    close: () => {
      told.push("close");
      return close();
    },
    hurry: () => void told.push("hurry"),
    timeoutMs,
  });
  shutdown.listen();
  return { shutdown, told, signal: (name: string) => handlers.get(name)?.() };
}

const never = () => new Promise<never>(() => {});

test.each([
  // Milliseconds until the next signal.
  [["SIGTERM"], ["close"]],
  [["SIGHUP"], ["close"]],
  [["SIGQUIT"], ["close"]],
  [["SIGUSR2"], ["close"]],
  [["SIGINT", 0, "SIGTERM", sameMs - 1, "SIGINT"], ["close"]],
  [
    ["SIGINT", sameMs, "SIGINT"],
    ["close", "hurry"],
  ],
  [
    ["SIGINT", sameMs, "SIGTERM", sameMs - 1, "SIGINT"],
    ["close", "hurry"],
  ],
  [
    ["SIGINT", sameMs, "SIGINT", sameMs, "SIGINT"],
    ["close", "hurry", "exit 1"],
  ],
  [["SIGTERM", timeoutMs - 1], ["close"]],
  [
    ["SIGTERM", timeoutMs],
    ["close", "exit 1"],
  ],
])("%j", async (happenings, expected) => {
  const { told, signal } = start(never);
  for (const it of happenings) {
    if (typeof it === "number") {
      vi.advanceTimersByTime(it);
      await turn();
    } else signal(it);
  }
  expect(told).toEqual(expected);
});

test.each([
  ["in order", async () => 0, "exit 0"],
  ["with an error before it", async () => 7, "exit 7"],
  ["not in order", () => Promise.reject(new Error("stuck")), "exit 1"],
])("what closes %s", async (_how, close, exit) => {
  const { shutdown, told, signal } = start(close);
  shutdown.begin();
  shutdown.begin();
  await turn();
  expect(told).toEqual(["close", exit]);
  // What was begun is not begun again by a signal; it is hurried.
  signal("SIGTERM");
  expect(told).toEqual(["close", exit, "hurry"]);
});

test("the end of what started it begins its end, and hurries none that has begun", async () => {
  const { shutdown, told, signal } = start(never);
  shutdown.orphaned();
  expect(told).toEqual(["close"]);
  // What ends both may signal it, too: the same wish.
  signal("SIGTERM");
  vi.advanceTimersByTime(sameMs);
  await turn();
  shutdown.orphaned();
  expect(told).toEqual(["close"]);
});
