/** When finished runs leave the log: at their time and not before, oldest first, and no more than must. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LogBounds } from "../../src/log/log.ts";
import { Retention } from "../../src/log/retention.ts";

const retentionMs = 1_000;
const archivedMs = 100;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Each run holds ten bytes. */
function start(maxBytes = 1_000, times: Partial<LogBounds> = {}) {
  const left: string[] = [];
  let bytes = 0;
  const retention = new Retention({
    bounds: { retentionMs, archivedMs, maxBytes, ...times },
    evict: ({ conversationId }) => {
      left.push(conversationId);
      bytes -= 10;
      return bytes;
    },
  });
  const add = (conversationId: string, endedAt?: Date, archived?: boolean) => {
    bytes += 10;
    retention.add({ conversationId, lastSeq: 1 }, { endedAt, archived });
  };
  const addArchived = (conversationId: string) => add(conversationId, undefined, true);
  return { retention, left, add, addArchived };
}

describe("the retention time", () => {
  test("is that of each run, from its own end", () => {
    const { left, add } = start();
    add("a");
    vi.advanceTimersByTime(400);
    add("b");
    vi.advanceTimersByTime(599);
    expect(left).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(left).toEqual(["a"]);
    vi.advanceTimersByTime(399);
    expect(left).toEqual(["a"]);
    vi.advanceTimersByTime(1);
    expect(left).toEqual(["a", "b"]);
  });

  test("has begun already for a run that ended before this process did", () => {
    const { left, add } = start();
    add("a", new Date(Date.now() - 700));
    vi.advanceTimersByTime(299);
    expect(left).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(left).toEqual(["a"]);
  });

  test("is no longer for an end that another clock puts into the future", () => {
    const { left, add } = start();
    add("a", new Date(Date.now() + 60_000));
    vi.advanceTimersByTime(retentionMs);
    expect(left).toEqual(["a"]);
  });

  test("keeps no process alive", () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    const { add, addArchived } = start();
    add("a");
    addArchived("b");
    expect(timers.mock.results.map(({ value }) => value.hasRef())).toEqual([false, false]);
  });

  test("is waited for by one timer, and by none when nothing is left, or the log is closed", () => {
    const { retention, left, add } = start();
    for (const id of ["a", "b", "c"]) add(id);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(retentionMs);
    expect(vi.getTimerCount()).toBe(0);
    add("d");
    retention.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(left).toEqual(["a", "b", "c"]);
  });
});

describe("a run that is archived", () => {
  test("stays no longer than the retention time, where that is shorter than the grace", () => {
    const { left, addArchived } = start(1_000, { retentionMs: 50 });
    addArchived("a");
    vi.advanceTimersByTime(49);
    expect(left).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(left).toEqual(["a"]);
  });

  test("leaves no timer behind in a log that is closed", () => {
    const { retention, left, add, addArchived } = start();
    addArchived("a");
    add("b");
    retention.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(2 * retentionMs);
    expect(left).toEqual([]);
  });

  test("leaves after a short grace, and takes none along that is not", () => {
    const { left, add, addArchived } = start();
    add("a");
    addArchived("b");
    vi.advanceTimersByTime(archivedMs - 1);
    expect(left).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(left).toEqual(["b"]);
    vi.advanceTimersByTime(retentionMs);
    expect(left).toEqual(["b", "a"]);
  });

  test("stays as long as one before it that the log alone has, and not longer for it afterwards", () => {
    const { left, add, addArchived } = start();
    add("a");
    addArchived("a");
    vi.advanceTimersByTime(retentionMs - 1);
    expect(left).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(left).toEqual(["a", "a"]);
    addArchived("a");
    vi.advanceTimersByTime(archivedMs);
    expect(left).toEqual(["a", "a", "a"]);
  });

  test("makes room, and where that is enough, no other leaves", () => {
    const { retention, left, add, addArchived } = start(100);
    for (let run = 1; run <= 9; run++) add(`kept ${run}`);
    for (const id of ["a", "b"]) addArchived(id);
    retention.fit(110);
    expect(left).toEqual(["a", "b"]);
  });

  test("makes room before those that are not", () => {
    const { retention, left, add, addArchived } = start(30);
    add("a");
    for (const id of ["b", "c"]) addArchived(id);
    retention.fit(30);
    expect(left).toEqual(["b", "c"]);
    retention.fit(10, 0);
    expect(left).toEqual(["b", "c", "a"]);
  });

  test("stays for its grace while the log holds an eighth of what it may, and no more", () => {
    const { retention, left, add, addArchived } = start(160);
    for (const id of ["a", "b"]) addArchived(id);
    retention.fit(20);
    expect(left).toEqual([]);
    add("c");
    retention.fit(30);
    expect(left).toEqual(["a"]);
  });
});

describe("over its size", () => {
  test("the log loses the oldest runs until it fits, and a log that fits loses none", () => {
    const { retention, left, add } = start(30);
    for (const id of ["a", "b", "c"]) add(id);
    retention.fit(30);
    expect(left).toEqual([]);
    add("d");
    add("e");
    retention.fit(50);
    expect(left).toEqual(["a", "b"]);
  });

  test("what is in progress may hold more than the log may have: then all that is finished goes", () => {
    const { retention, left, add } = start(30);
    add("a");
    retention.fit(1_000);
    retention.fit(1_000);
    expect(left).toEqual(["a"]);
    // Its time has passed without it.
    vi.advanceTimersByTime(retentionMs);
    expect(left).toEqual(["a"]);
  });

  test("may be another for the moment, as at a boot", () => {
    const { retention, left, add } = start(30);
    for (const id of ["a", "b"]) add(id);
    retention.fit(20, 10);
    expect(left).toEqual(["a"]);
  });
});
