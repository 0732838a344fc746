/** What a chat tries again: when, until when, and what it leaves behind. By the clock of a test. */
import { getEventListeners } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { Delay } from "../../client/src/connection/backoff.ts";
import { retry } from "../../client/src/react/retry.ts";
import { now, wait } from "../client/scripted-link.ts";

function setUp(failures: number, waitMs: number | undefined = 100, fails = (): unknown => "lost") {
  vi.useFakeTimers();
  let listening = 0;
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", (type: string, listener: () => void) => {
    listening++;
    page.addEventListener(type, listener);
  });
  vi.stubGlobal("removeEventListener", (type: string, listener: () => void) => {
    listening--;
    page.removeEventListener(type, listener);
  });
  onTestFinished(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const startedAtMs = performance.now();
  const attempts: number[] = [];
  let refusals = 0;
  const ending = new AbortController();
  const { signal } = ending;
  const done = retry(
    async () => {
      attempts.push(performance.now() - startedAtMs);
      if (attempts.length <= failures) throw new Error(String(await fails()));
    },
    {
      signal,
      waitAfter: () => {
        refusals++;
        return waitMs < 0 ? undefined : new Delay(waitMs);
      },
    },
  );
  const left = () => [listening, getEventListeners(signal, "abort").length, vi.getTimerCount()];
  return {
    done,
    attempts,
    refusals: () => refusals,
    ending,
    left,
    wake: () => page.dispatchEvent(new Event("online")),
  };
}

test("it tries until it is done, after a wait each time, and leaves nothing behind", async () => {
  const { done, attempts, left } = setUp(2);
  await wait(150);
  expect(left()).toEqual([2, 1, 1]);
  await wait(1_000);
  expect(await now(done)).toBe(true);
  expect(attempts).toEqual([0, 100, 200]);
  expect(left()).toEqual([0, 0, 0]);
});

test("where there is no wait there is no other attempt, and it was not done", async () => {
  const { done, attempts, left } = setUp(2, -1);
  expect(await now(done)).toBe(false);
  expect(attempts).toEqual([0]);
  expect(left()).toEqual([0, 0, 0]);
});

test("a page that comes back to the front waits no longer", async () => {
  const { done, attempts, wake } = setUp(1);
  await wait(10);
  wake();
  expect(await now(done)).toBe(true);
  expect(attempts).toEqual([0, 10]);
});

test("who leaves in the middle of a wait ends it, and tries no more", async () => {
  const { done, attempts, ending, left } = setUp(9);
  await wait(10);
  ending.abort();
  expect(await now(done)).toBe(true);
  expect(attempts).toEqual([0]);
  expect(left()).toEqual([0, 0, 0]);
});

test("who leaves in the middle of an attempt is told of no refusal, and waits for none", async () => {
  const failing = Promise.withResolvers<string>();
  const { done, attempts, refusals, ending, left } = setUp(9, 100, () => failing.promise);
  await wait(10);
  ending.abort();
  failing.resolve("left");
  expect(await now(done)).toBe(true);
  expect([attempts, refusals(), left()]).toEqual([[0], 0, [0, 0, 0]]);
});
