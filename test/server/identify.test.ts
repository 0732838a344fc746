/** What is made of an application's answer to who is calling, and when it is waited for no more. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { AuthRequest } from "../../src/server/access/auth-request.ts";
import { type Authenticate, identifier } from "../../src/server/access/identify.ts";
import { withOwnClock } from "../support/own-clock.ts";

withOwnClock();

const facts = { connectionParams: null, headers: {}, address: "192.0.2.1", url: () => "http://a/" };
const timeoutMs = 5_000;

function setUp(authenticate: Authenticate) {
  const faults: string[] = [];
  const onFailure = (what: string, cause: unknown) => void faults.push(`${what}: ${cause}`);
  return { identify: identifier({ authenticate, timeoutMs, onFailure }), faults };
}

const aDay = 86_400_000;
const soon = Date.now() + aDay;

test.each<[string, object, number | undefined]>([
  ["a date", { expiresAt: new Date(soon) }, soon],
  ["an ISO time", { expiresAt: new Date(soon).toISOString() }, soon],
  ["milliseconds", { expiresAt: soon }, soon],
  ["milliseconds by their older name", { expiresAtMs: soon }, soon],
  ["both, of which the newer name counts", { expiresAt: soon, expiresAtMs: 1 }, soon],
  ["null", { expiresAt: null }, undefined],
  ["nothing", {}, undefined],
])("a proof that ends at %s", async (_what, given, expected) => {
  const { identify, faults } = setUp(() => ({ userId: "ann", ...given }));
  expect((await identify(facts)).expiresAtMs).toBe(expected);
  expect(faults).toEqual([]);
});

test.each<[string, object, boolean]>([
  ["seconds, as tokens have them", { expiresAt: Math.floor(soon / 1_000) }, true],
  ["no time", { expiresAt: "soon" }, true],
  ["no number", { expiresAt: Number.NaN }, true],
  ["before it began", { expiresAt: -1 }, true],
  ["a moment ago", { expiresAt: Date.now() - 1 }, false],
  ["yesterday", { expiresAt: new Date(Date.now() - aDay).toISOString() }, false],
])("a proof that ends at %s proves nobody", async (_what, given, isFault) => {
  const { identify, faults } = setUp(() => ({ userId: "ann", ...given }));
  await expect(identify(facts)).rejects.toMatchObject({ code: "UNAUTHORIZED", retryable: false });
  expect(faults).toHaveLength(isFault ? 1 : 0);
  if (isFault) expect(faults[0]).toContain("expiresAt that is no time");
});

describe("an answer that comes later", () => {
  async function asked(settle: (answer: PromiseWithResolvers<{ userId: string } | null>) => void) {
    const answer = Promise.withResolvers<{ userId: string } | null>();
    let signal: AuthRequest["signal"] | undefined;
    const { identify, faults } = setUp((request) => {
      ({ signal } = request);
      return answer.promise;
    });
    const identified = identify(facts).catch((cause: { code: string }) => cause.code);
    await turn();
    vi.advanceTimersByTime(timeoutMs - 1);
    settle(answer);
    const outcome = await identified;
    return { outcome, faults, late: () => signal?.aborted };
  }

  test.each<[string, Parameters<typeof asked>[0], unknown]>([
    ["a caller", ({ resolve }) => resolve({ userId: "ann" }), { userId: "ann" }],
    ["nobody", ({ resolve }) => resolve(null), "UNAUTHORIZED"],
    ["a fault", ({ reject }) => reject(new TypeError("no")), "UNAUTHORIZED"],
  ])("in time, with %s, is never told that it was late", async (_what, settle, expected) => {
    const { outcome, late } = await asked(settle);
    expect(outcome).toEqual(expected);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60_000);
    expect(late()).toBe(false);
  });

  test("too late is AUTH_UNAVAILABLE, is told so, and counts no more", async () => {
    const { outcome, faults, late } = await asked(({ resolve }) => {
      vi.advanceTimersByTime(1);
      resolve({ userId: "ann" });
    });
    expect([outcome, late(), faults, vi.getTimerCount()]).toEqual([
      "AUTH_UNAVAILABLE",
      true,
      [],
      0,
    ]);
  });
});
