/** When a chat tells that something has changed: where frames are drawn, where none are, and where there are none. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FrameBatch } from "../../client/src/react/frame-batch.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function frames() {
  const waiting = new Map<number, () => void>();
  let last = 0;
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => {
    waiting.set(++last, callback);
    return last;
  });
  vi.stubGlobal("cancelAnimationFrame", (handle: number) => waiting.delete(handle));
  return {
    waiting,
    draw: () => {
      for (const [handle, callback] of [...waiting]) {
        waiting.delete(handle);
        callback();
      }
    },
  };
}

test("at the next frame, once for however many changes", () => {
  const { draw, waiting } = frames();
  let notices = 0;
  const batch = new FrameBatch(() => notices++);
  for (let change = 0; change < 5; change++) batch.schedule();
  expect([notices, waiting.size]).toEqual([0, 1]);
  draw();
  vi.advanceTimersByTime(1_000);
  expect(notices).toBe(1);
  batch.schedule();
  draw();
  expect(notices).toBe(2);
});

test("a window that draws no frames is told all the same, soon", () => {
  const { waiting } = frames();
  let notices = 0;
  const batch = new FrameBatch(() => notices++);
  batch.schedule();
  vi.advanceTimersByTime(250);
  expect([notices, waiting.size]).toEqual([1, 0]);
});

test("without frames it is told soon, and now where that is asked for, not twice", () => {
  let notices = 0;
  const batch = new FrameBatch(() => notices++);
  batch.schedule();
  vi.advanceTimersByTime(20);
  expect(notices).toBe(1);
  batch.schedule();
  batch.flush();
  vi.advanceTimersByTime(1_000);
  expect(notices).toBe(2);
});
