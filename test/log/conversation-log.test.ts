/** A conversation's events as they are taken back from storage, and what is known of its last run. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConversationLog } from "../../src/log/conversation-log.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";

const at = "2026-01-01T00:00:00.000Z";
const start = (runId: string): ChatEvent => ({
  ...{ type: "runStart", runId, at, conversationId: "c" },
  ...{ botId: "b", userId: "u", message: "m" },
});
const custom = (runId: string, name = "x"): ChatEvent => ({
  ...{ type: "custom", runId, spanId: "s", name },
});
const end = (runId: string): ChatEvent => ({
  ...{ type: "runEnd", runId, at, status: "completed", text: "" },
});

/** Takes back what is at the numbers. @returns the numbers that it has then */
function restored(events: readonly (readonly [number, ChatEvent])[]) {
  const log = new ConversationLog("c");
  let bytes = 0;
  for (const [seq, event] of events) bytes += log.restore(seq, event);
  const { entries, oldest, isLast } = log.read(0);
  expect(isLast).toBe(true);
  const seqs = entries.map(({ seq }) => seq);
  expect(log.committedSeq).toBe(log.lastSeq);
  expect([log.isEmpty, log.hasPending, log.pending.length]).toEqual([seqs.length === 0, false, 0]);
  // What it says to have grown by is what it shrinks by.
  const { unended, ends } = log;
  expect(log.dropThrough(log.lastSeq)).toBe(bytes);
  return { seqs, oldest, unended, ends: ends.map(({ seq }) => seq) };
}

describe("taken back:", () => {
  test.each<[string, (readonly [number, ChatEvent])[], ReturnType<typeof restored>]>([
    ["nothing", [], { seqs: [], oldest: undefined, unended: "none", ends: [] }],
    [
      "a run that has ended",
      [
        [1, start("a")],
        [2, custom("a")],
        [3, end("a")],
      ],
      { seqs: [1, 2, 3], oldest: 1, unended: "none", ends: [3] },
    ],
    [
      "one that has not, behind one that has",
      [
        [1, start("a")],
        [2, end("a")],
        [3, start("b")],
        [4, custom("b")],
      ],
      { seqs: [1, 2, 3, 4], oldest: 1, unended: "whole", ends: [2] },
    ],
    [
      "one whose start is gone",
      [
        [5, custom("a")],
        [6, custom("a")],
      ],
      { seqs: [5, 6], oldest: 5, unended: "part", ends: [] },
    ],
    [
      "one whose start is gone, behind one that has ended",
      [
        [5, end("a")],
        [6, custom("b")],
      ],
      { seqs: [5, 6], oldest: 5, unended: "part", ends: [5] },
    ],
    [
      "one whose start is gone, behind one that is whole",
      [
        [1, start("a")],
        [2, end("a")],
        [3, custom("b")],
      ],
      { seqs: [1, 2, 3], oldest: 1, unended: "part", ends: [2] },
    ],
    [
      "what was written twice",
      [
        [1, start("a")],
        [2, custom("a")],
        [1, start("a")],
        [2, custom("a")],
        [3, custom("a")],
      ],
      { seqs: [1, 2, 3], oldest: 1, unended: "whole", ends: [] },
    ],
    [
      "a run with a hole: what is before it",
      [
        [1, start("a")],
        [2, custom("a")],
        [4, custom("a")],
        [5, custom("a")],
      ],
      { seqs: [1, 2], oldest: 1, unended: "whole", ends: [] },
    ],
    [
      "a run with a hole and an end: the end",
      [
        [1, start("a")],
        [2, custom("a")],
        [4, custom("a")],
        [5, end("a")],
      ],
      { seqs: [5], oldest: 5, unended: "none", ends: [5] },
    ],
    [
      "a later run, far ahead: that alone",
      [
        [1, start("a")],
        [2, end("a")],
        [1_000, start("b")],
        [1_001, custom("b")],
      ],
      { seqs: [1_000, 1_001], oldest: 1_000, unended: "whole", ends: [] },
    ],
  ])("%s", (_what, events, expected) => {
    expect(restored(events)).toEqual(expected);
  });
});

test("readers are woken by what is committed, and by what leaves, and by nothing else", () => {
  const log = new ConversationLog("c");
  let woken = 0;
  log.listeners.add(() => {
    woken += 1;
  });
  expect(log.read(0)).toMatchObject({ entries: [], oldest: undefined });
  log.placeAfter(4);
  expect(log.read(0)).toMatchObject({ entries: [], oldest: 5 });
  for (const name of ["x", "y"]) log.append(custom("a", name));
  expect([woken, log.hasPending, log.pending.map(({ seq }) => seq)]).toEqual([0, true, [5, 6]]);
  log.commit();
  expect([woken, log.hasPending, log.read(0).entries.length]).toEqual([1, false, 2]);
  log.dropThrough(4);
  expect(woken).toBe(1);
  log.dropThrough(5);
  expect([woken, log.oldest]).toEqual([2, 6]);
});

test("a place that is behind is nothing new; one that is ahead drops what is before the gap", () => {
  fc.assert(
    fc.property(fc.nat(5), fc.nat(4), fc.nat(12), (first, count, next) => {
      const log = new ConversationLog("c");
      expect(log.placeAfter(first)).toBe(0);
      let bytes = 0;
      for (let added = 0; added < count; added++) bytes += log.append(custom("a", `${added}`));
      const { lastSeq } = log;
      expect(lastSeq).toBe(first + count);
      expect(log.placeAfter(next)).toBe(next > lastSeq ? bytes : 0);
      expect([log.lastSeq, log.isEmpty]).toEqual([
        ...[Math.max(lastSeq, next), next > lastSeq || count === 0],
      ]);
    }),
  );
});

test("the slice behind which nothing can be read says so, and no other", () => {
  const log = new ConversationLog("c");
  log.placeAfter(0);
  const append = (count: number) => {
    for (let at = 0; at < count; at++)
      log.append({ type: "custom", runId: "r", spanId: "s", name: "x" });
  };
  const flags = () => {
    const read = [];
    for (let after = 0; ; ) {
      const { entries, isLast } = log.read(after);
      read.push([entries.length, isLast]);
      after = entries.at(-1)?.seq ?? after;
      if (entries.length === 0) return read;
    }
  };
  append(600);
  log.commit();
  // What waits for its commit cannot be read.
  append(10);
  const slices = [
    [256, false],
    [256, false],
    [88, true],
    [0, true],
  ];
  expect(flags()).toEqual(slices);
  log.commit();
  expect(flags()).toEqual([...slices.slice(0, 2), [98, true], [0, true]]);
});
