/** What a writer holds of its run against what Redis has of it: less, more, or another process's. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { RunTail } from "../../src/log/redis/run-tail.ts";
import { WriteLease } from "../../src/log/redis/write-lease.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";

const bounds = { maxEntries: 3, maxBytes: 10_000 };
const piece = (spanId: string): ChatEvent => ({ type: "token", runId: "r", spanId, text: "x" });
const step = fc.oneof(
  fc.record({ say: fc.constantFrom("a", "b") }),
  fc.record({ send: fc.constant(true) }),
  // Redis lost some of what was sent, or has what this process did not write.
  fc.record({ has: fc.integer({ min: 0, max: 30 }) }),
);

test("whatever Redis has, the run goes on behind it, whole, and what was sent stays as it was", () => {
  const before = 10;
  const property = fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
    const tail = new RunTail(before);
    const sent = new Map<number, string>();
    const seal = (of: typeof bounds) => {
      const { firstSeq, entries } = tail.seal(of);
      const count = Math.min(of.maxEntries, tail.lastSeq - tail.acknowledgedSeq);
      expect([firstSeq, entries.length]).toEqual([tail.acknowledgedSeq + 1, count]);
      for (const [index, { seq, json }] of entries.entries()) {
        expect([seq, sent.get(seq) ?? json]).toEqual([firstSeq + index, json]);
        sent.set(seq, json);
      }
    };
    for (const it of steps) {
      if ("say" in it) {
        tail.append(piece(it.say));
        expect(tail.isAcknowledged).toBe(false);
      } else if ("has" in it) {
        seal({ maxEntries: 1_000, maxBytes: 1_000_000 });
        tail.acknowledge(it.has);
        const has = Math.max(before, Math.min(it.has, tail.lastSeq));
        expect([tail.acknowledgedSeq, tail.isAcknowledged]).toEqual([has, has === tail.lastSeq]);
      } else seal(bounds);
    }
  });
  fc.assert(property, { numRuns: 200 });
});

test("a lease that Redis has lost is taken again for the place where the run began", async () => {
  const asked: unknown[] = [];
  // An earlier process of the run's had written two events.
  const answers = [
    ["opened", 7],
    ["opened", 5],
  ];
  const send = async (_key: string, [, , , , , , ...args]: readonly string[]) => {
    asked.push(args.slice(0, 4));
    return answers.shift();
  };
  const lease = await WriteLease.take({
    link: { send } as never,
    keys: { events: "e", lease: "l", ended: "n" } as never,
    ...{ runId: "r", fencingToken: "here", after: 5, takeOver: false, isOurs: async () => true },
    times: { retentionMs: 1, maxConversationBytes: 1, liveMs: 1, timeoutMs: 1 },
  });
  expect(await lease.reclaim("lost")).toBe(5);
  expect(asked).toEqual([
    ["r", "here", "5", "0"],
    ["r", "here", "7", "0"],
  ]);
});
