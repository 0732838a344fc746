/** Sockets and streams end in the second in which their token does. */
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { Expiries } from "../../src/server/connections/expiries.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"], now: 1_000_000 });
  onTestFinished(() => void vi.useRealTimers());
});

test("each ends once: at its moment, and not before; not where it has ended by itself", () => {
  using expiries = new Expiries();
  const ended: string[] = [];
  const add = (name: string, inMs: number) => {
    const expiring = { expire: () => ended.push(name) };
    expiries.add(expiring, Date.now() + inMs);
    return expiring;
  };
  add("long over", -60_000);
  add("at that moment", 1_000);
  add("a moment later", 1_001);
  expiries.delete(add("gone", 500));
  const again = add("renewed", 500);
  expiries.add(again, Date.now() + 2_500);
  const inEachSecond = [1, 2, 3, 4].map(() => {
    vi.advanceTimersByTime(1_000);
    return ended.splice(0);
  });
  expect(inEachSecond).toEqual([
    ["long over", "at that moment"],
    ["a moment later"],
    ["renewed"],
    [],
  ]);
});

test("its clock ends with it", () => {
  const expiries = new Expiries();
  expect(vi.getTimerCount()).toBe(1);
  expiries[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});
