import { expect, onTestFinished, test, vi } from "vitest";
import { Notifier } from "../../client/src/notifier.ts";
import { now } from "./scripted-link.ts";

test("a notification wakes all who wait, once, and is not kept for who comes later", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const notifier = new Notifier();
  notifier.notify();
  const waiting = [notifier.next(), notifier.next()];
  for (const one of waiting) expect(await now(one)).toBe("waits");
  notifier.notify();
  const later = notifier.next();
  for (const one of waiting) expect(await now(one)).toBeUndefined();
  expect(await now(later)).toBe("waits");
  notifier.notify();
  expect(await now(later)).toBeUndefined();
});
