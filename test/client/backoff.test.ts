import { describe, expect, test } from "vitest";
import { createBackoff } from "../../client/src/connection/backoff.ts";
import { uuid } from "../../client/src/uuid.ts";

describe("waits between attempts", () => {
  test("have bounds that double up to the longest", () => {
    const bounds = [100, 200, 400, 400];
    for (let repeat = 0; repeat < 200; repeat++) {
      const backoff = createBackoff({ baseMs: 100, maxMs: 400 });
      for (const bound of bounds) {
        const waitMs = backoff.next();
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThan(bound);
      }
    }
  });

  test("spread many clients evenly over the whole time", () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let client = 0; client < 10_000; client++) {
      const tenth = Math.floor(createBackoff({ baseMs: 10 }).next());
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const clients of tenths) {
      expect(clients).toBeGreaterThan(800);
      expect(clients).toBeLessThan(1_200);
    }
  });

  test("are short again after success", () => {
    const backoff = createBackoff({ baseMs: 1, maxMs: 1_000_000 });
    for (let attempt = 0; attempt < 20; attempt++) backoff.next();
    backoff.reset();
    expect(backoff.next()).toBeLessThan(1);
  });
});

test("ids are made where browsers offer no randomUUID, too", () => {
  const { randomUUID } = crypto;
  try {
    Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
    const ids = Array.from({ length: 100 }, uuid);
    for (const id of ids) {
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    }
    expect(new Set(ids).size).toBe(100);
  } finally {
    Object.defineProperty(crypto, "randomUUID", { value: randomUUID, configurable: true });
  }
});
