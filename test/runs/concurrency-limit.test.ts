/** A concurrency limit beside a count of it: slots that are taken, refused and given back, once and twice. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConcurrencyLimit } from "../../src/runs/admission/concurrency-limit.ts";

const max = 2;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

interface Step {
  readonly what: "take" | "enter" | "release" | "leave";
  readonly key: string;
  /** The key's own limit; undefined: everybody's. */
  readonly own: number | undefined;
  readonly which: number;
}

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom("take", "take", "enter", "release", "release", "leave"),
    key: fc.constantFrom("ann", "bob"),
    own: fc.constantFrom(undefined, undefined, 0, 1, 3, Number.POSITIVE_INFINITY),
    which: fc.nat(5),
  }),
  { maxLength: 40, size: "max" },
);

test("nothing is kept of those who hold no slot any more", () => {
  const limit = new ConcurrencyLimit(max);
  const keys = (count: number) => {
    for (let index = 0; index < count; index++) limit.take(`user ${index}`)?.();
  };
  // Once, for what is compiled and cached on the way.
  keys(1_000);
  const before = heapUsed();
  keys(100_000);
  expect(heapUsed() - before).toBeLessThan(2 * 1024 * 1024);
  expect(limit.taken("user 1")).toBe(0);
});

test("a slot is there as long as fewer are taken, of each key alone, and comes back once", () => {
  const counts = (all: Step[]) => {
    const limit = new ConcurrencyLimit(max);
    const taken = new Map([
      ["ann", 0],
      ["bob", 0],
    ]);
    const slots: { readonly key: string; readonly release: () => void; held: boolean }[] = [];
    const entered: string[] = [];
    const count = (key: string, change: number) => taken.set(key, (taken.get(key) ?? 0) + change);
    for (const { what, key, own, which } of all) {
      const isFull = (taken.get(key) ?? 0) >= (own ?? max);
      expect(limit.full(key, own)).toBe(isFull);
      switch (what) {
        case "take": {
          const release = limit.take(key, own);
          expect(release === undefined).toBe(isFull);
          if (release === undefined) break;
          slots.push({ key, release, held: true });
          count(key, 1);
          break;
        }
        case "enter":
          expect(limit.enter(key, own)).toBe(!isFull);
          if (isFull) break;
          entered.push(key);
          count(key, 1);
          break;
        case "release": {
          // Any of them, one that was given back before as well.
          const slot = slots[which];
          slot?.release();
          if (slot?.held) count(slot.key, -1);
          if (slot) slot.held = false;
          break;
        }
        case "leave": {
          const left = entered.shift();
          if (left === undefined) break;
          limit.leave(left);
          count(left, -1);
        }
      }
      for (const [name, wanted] of taken) expect(limit.taken(name)).toBe(wanted);
    }
  };
  fc.assert(fc.property(steps, counts), { numRuns: 300 });
});
