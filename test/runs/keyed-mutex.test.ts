/** A mutex for each key beside what it promises, whoever comes when, and whatever becomes of their work. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyedMutex } from "../../src/runs/lifecycle/keyed-mutex.ts";

interface Call {
  readonly key: string;
  readonly end: "done" | "failed" | "refused";
  /** Calls that are settled before this one comes, of those that hold a key by then. */
  readonly settledBefore: number;
}

const calls = fc.array(
  fc.record<Call>({
    key: fc.constantFrom("a", "b"),
    end: fc.constantFrom("done", "done", "failed", "refused"),
    settledBefore: fc.nat(2),
  }),
  { maxLength: 12, size: "max" },
);

/** Lets everybody go on who can, however many promises are in between. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("one holds a key at a time, each has their turn in order, and none is held at the end", async () => {
  const holds = async (all: Call[]) => {
    const mutex = new KeyedMutex();
    const held: { readonly key: string; readonly settle: () => void }[] = [];
    const [began, ended]: [number[], Promise<unknown>[]] = [[], []];
    const settleOldest = async () => {
      held.shift()?.settle();
      await turn();
      const keys = held.map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
      expect(mutex.size).toBe(keys.length);
      expect(keys.every((key) => mutex.has(key))).toBe(true);
    };
    for (const [index, { key, end, settledBefore }] of all.entries()) {
      for (let count = 0; count < settledBefore; count++) await settleOldest();
      const work = async () => {
        began.push(index);
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        held.push({ key, settle: () => (end === "failed" ? reject(new Error(end)) : resolve()) });
        await promise;
      };
      const refuse = () => {
        if (end === "refused") throw new Error(end);
      };
      const isFree = !mutex.has(key);
      ended.push(
        mutex.run(key, work, refuse).then(
          () => "done",
          (cause: Error) => cause.message,
        ),
      );
      // A free key is held before anybody else can ask for it.
      expect(mutex.has(key)).toBe(!isFree || end !== "refused");
    }
    let areAllFree = false;
    const free = mutex.allFree().then(() => {
      areAllFree = true;
    });
    const [holdersNow] = [held.length];
    await turn();
    expect(areAllFree).toBe(holdersNow === 0);
    while (held.length > 0) await settleOldest();
    await free;
    expect(await Promise.all(ended)).toEqual(all.map(({ end }) => end));
    for (const wanted of ["a", "b"]) {
      const turns = all.flatMap(({ key, end }, index) =>
        key === wanted && end !== "refused" ? [index] : [],
      );
      expect(began.filter((index) => all[index]?.key === wanted)).toEqual(turns);
    }
    expect([mutex.size, mutex.has("a"), mutex.has("b")]).toEqual([0, false, false]);
    await Promise.all([mutex.free("a"), mutex.allFree()]);
  };
  await fc.assert(fc.asyncProperty(calls, holds), { numRuns: 150 });
});
