/** Periodic work: never twice at a time, tried again soon where it failed, and over with its process. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Sweep } from "../../src/runs/lifecycle/sweep.ts";

const everyMs = 60_000;
const soonMs = 1_000;

/** Work whose ends are the test's. */
class Work {
  readonly failures: unknown[] = [];
  begun = 0;
  #end = Promise.withResolvers<void>();
  readonly sweep = new Sweep({
    ...{ what: "it could not be done", everyMs },
    observer: { failed: (what, cause) => void this.failures.push([what, cause]) },
    work: () => {
      this.begun += 1;
      this.#end = Promise.withResolvers();
      return this.#end.promise;
    },
  });

  async end(failure?: Error): Promise<void> {
    if (failure === undefined) this.#end.resolve();
    else this.#end.reject(failure);
    await vi.advanceTimersByTimeAsync(0);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("it is done each period, and once where a period is over before the last has ended", async () => {
  const work = new Work();
  await vi.advanceTimersByTimeAsync(everyMs - 1);
  expect(work.begun).toBe(0);
  await vi.advanceTimersByTimeAsync(3 * everyMs);
  expect(work.begun).toBe(1);
  await work.end();
  await vi.advanceTimersByTimeAsync(everyMs);
  expect(work.begun).toBe(2);
  expect(work.failures).toEqual([]);
});

test("whoever asks for it has it in a second, once, however many ask", async () => {
  const work = new Work();
  for (let count = 0; count < 3; count++) work.sweep.soon();
  await vi.advanceTimersByTimeAsync(soonMs);
  expect(work.begun).toBe(1);
  await work.end();
  await vi.advanceTimersByTimeAsync(soonMs);
  expect(work.begun).toBe(1);
  work.sweep.soon();
  await vi.advanceTimersByTimeAsync(soonMs);
  expect(work.begun).toBe(2);
});

test("what failed is reported, and tried again each second until it has succeeded", async () => {
  const work = new Work();
  const failure = new Error("away");
  work.sweep.soon();
  for (let tried = 1; tried <= 3; tried++) {
    await vi.advanceTimersByTimeAsync(soonMs);
    expect(work.begun).toBe(tried);
    await work.end(failure);
  }
  expect(work.failures).toEqual(Array(3).fill(["it could not be done", failure]));
  await vi.advanceTimersByTimeAsync(soonMs);
  await work.end();
  await vi.advanceTimersByTimeAsync(everyMs / 2);
  expect(work.begun).toBe(4);
});

test("a shutdown waits for the work under way, though not for ever, and begins none any more", async () => {
  const work = new Work();
  work.sweep.soon();
  await vi.advanceTimersByTimeAsync(soonMs);
  work.sweep.soon();
  let isOver = false;
  const closing = work.sweep[Symbol.asyncDispose]().then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(soonMs - 1);
  expect(isOver).toBe(false);
  await work.end(new Error("too late"));
  await closing;
  work.sweep.soon();
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(2 * everyMs);
  expect(work.begun).toBe(1);

  const stuck = new Work();
  stuck.sweep.soon();
  await vi.advanceTimersByTimeAsync(soonMs);
  const given = stuck.sweep[Symbol.asyncDispose]();
  await vi.advanceTimersByTimeAsync(soonMs);
  await given;
  await stuck.end(new Error("much too late"));
  stuck.sweep.soon();
  expect(vi.getTimerCount()).toBe(0);
});

test("a process that has nothing else to do is not kept for it", () => {
  const timers = [vi.spyOn(globalThis, "setInterval"), vi.spyOn(globalThis, "setTimeout")];
  const work = new Work();
  work.sweep.soon();
  const begun = timers.flatMap(({ mock }) => mock.results.map(({ value }) => value.hasRef()));
  expect(begun).toEqual([false, false]);
  for (const timer of timers) timer.mockRestore();
});
