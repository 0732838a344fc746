/** The places of subscriptions over HTTP beside a count of them, and how each of them is ended. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LangwireError } from "../../src/protocol/errors.ts";
import { Connections } from "../../src/server/connections/connections.ts";

const limits = { maxSockets: 6, maxSocketsPerAddress: 4, maxSocketsPerUser: 3 };

interface Step {
  readonly what: "open" | "close";
  readonly userId: string;
  readonly address: string;
  readonly which: number;
}

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom("open", "open", "close"),
    userId: fc.constantFrom("ann", "bob", "cem"),
    address: fc.constantFrom("192.0.2.1", "192.0.2.2", "192.0.2.3"),
    which: fc.nat(5),
  }),
  { maxLength: 40, size: "max" },
);

let connections: Connections;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
  connections = new Connections(limits);
});
afterEach(() => {
  connections.closeAll();
  vi.useRealTimers();
});

function open(userId: string, address: string, expiresAtMs?: number) {
  const leave = vi.fn();
  const identity = { userId, ...(expiresAtMs !== undefined && { expiresAtMs }) };
  return { leave, release: connections.addHttpSubscription(identity, { address, leave }) };
}

test("each is let in as long as there is a place for all, its address and its user, and gives all back", () => {
  const counts = (all: Step[]) => {
    const held: (Step & { readonly release: () => void })[] = [];
    for (const step of all) {
      const { userId, address } = step;
      if (step.what === "close") {
        held.splice(step.which, 1)[0]?.release();
      } else {
        const of = (same: (it: Step) => boolean) => held.filter(same).length;
        const refusal =
          held.length >= limits.maxSockets
            ? "OVERLOADED"
            : of((it) => it.address === address) >= limits.maxSocketsPerAddress ||
                of((it) => it.userId === userId) >= limits.maxSocketsPerUser
              ? "RATE_LIMITED"
              : undefined;
        let refused: string | undefined;
        try {
          held.push({ ...step, release: open(userId, address).release });
        } catch (cause) {
          refused = (cause as LangwireError).code;
        }
        expect(refused).toBe(refusal);
      }
      expect(connections.subscriptions).toBe(held.length);
    }
    for (const { release } of held) release();
    expect(connections.subscriptions).toBe(0);
  };
  fc.assert(fc.property(steps, counts), { numRuns: 300 });
});

test("one is ended when its token expires, and one that is over is left alone", () => {
  const expiresAtMs = Date.now() + 60_000;
  const [lasting, over] = [
    open("ann", "192.0.2.1", expiresAtMs),
    open("ann", "192.0.2.1", expiresAtMs),
  ];
  const forever = open("bob", "192.0.2.1");
  vi.advanceTimersByTime(58_000);
  over.release();
  expect(lasting.leave).not.toHaveBeenCalled();
  vi.advanceTimersByTime(600_000);
  expect([lasting, over, forever].map(({ leave }) => leave.mock.calls.length)).toEqual([1, 0, 0]);
});

test("all are sent away where another process can do more for them, and those that are over are not", () => {
  const [here, over] = [open("ann", "192.0.2.1"), open("ann", "192.0.2.1")];
  over.release();
  connections.sendAway();
  expect([here, over].map(({ leave }) => leave.mock.calls.length)).toEqual([1, 0]);
});

test("nothing goes on once all are closed", () => {
  open("ann", "192.0.2.1", Date.now() + 1_000);
  connections.closeAll();
  expect(vi.getTimerCount()).toBe(0);
});
