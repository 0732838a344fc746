/** How long a statement waits for somebody else's lock, after what others have waited in vain for. */
import { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { BusyTimeout } from "../../src/store/sqlite/busy-timeout.ts";

let database: DatabaseSync;
let timeout: BusyTimeout;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  database = new DatabaseSync(":memory:");
  timeout = new BusyTimeout(database);
  onTestFinished(() => {
    vi.useRealTimers();
    if (database.isOpen) database.close();
  });
});

const waitMs = () => Number(database.prepare("pragma busy_timeout").get()?.timeout);
const failed = (errcode: number) => Object.assign(new Error("SQLite"), { errcode });

test.each<[string, unknown, boolean]>([
  ["a lock that another holds", failed(5), true],
  ["what has been written since it was read, for which nobody waits", failed(5 | (2 << 8)), false],
  ["a full disk", failed(13), false],
  ["a constraint", failed(19 | (8 << 8)), false],
  ["what is no failure of SQLite's", new TypeError("no"), false],
])(
  "after %s was waited for in vain: whether nobody waits for a moment",
  (_what, error, refuses) => {
    expect(waitMs()).toBe(50);
    timeout.failed(error);
    expect(waitMs()).toBe(refuses ? 0 : 50);
    vi.advanceTimersByTime(99);
    expect(waitMs()).toBe(refuses ? 0 : 50);
    vi.advanceTimersByTime(1);
    expect(waitMs()).toBe(50);
  },
);

test("what is refused in that moment makes it no longer, and after it one waits again", () => {
  for (let round = 0; round < 3; round++) {
    timeout.failed(failed(5));
    vi.advanceTimersByTime(60);
    timeout.failed(failed(5));
    expect(waitMs()).toBe(0);
    vi.advanceTimersByTime(40);
    expect([waitMs(), vi.getTimerCount()]).toEqual([50, 0]);
  }
});

test("a database that is closed meanwhile is left alone", () => {
  timeout.failed(failed(5));
  database.close();
  expect(() => vi.advanceTimersByTime(100)).not.toThrow();
});
