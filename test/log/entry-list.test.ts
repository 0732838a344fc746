/** The list of a log's entries beside a model of it: what is numbered, merged, settled, cut and given. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { EntryList } from "../../src/log/entry-list.ts";
import { sliceFrom } from "../../src/log/slice.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";

const token = (text: string, spanId = "s"): ChatEvent => ({
  type: "token",
  runId: "r",
  spanId,
  text,
});
const overheadBytes = 128;

/** The text of each entry by its number. */
interface Model {
  firstSeq: number;
  texts: { spanId: string; text: string }[];
  settled: number;
}

type Step =
  | { readonly append: string; readonly spanId: string }
  | { readonly settle: number }
  | { readonly drop: number }
  | { readonly restart: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ append: fc.string(), spanId: fc.constantFrom("a", "b") }) },
  { weight: 2, arbitrary: fc.record({ settle: fc.integer({ min: -2, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ drop: fc.integer({ min: -2, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ restart: fc.nat(5) }) },
);

const lastSeq = ({ firstSeq, texts }: Model) => firstSeq + texts.length - 1;

function follow(model: Model, list: EntryList, step: Step): void {
  if ("append" in step) {
    const { append: text, spanId } = step;
    const last = model.texts.at(-1);
    const isOpen = model.settled < model.texts.length;
    if (isOpen && last?.spanId === spanId) last.text += text;
    else model.texts.push({ spanId, text });
    list.append(token(text, spanId));
  } else if ("settle" in step) {
    // Numbers are counted from the first: also those that are not here yet, or not any more.
    const seq = model.firstSeq - 1 + step.settle;
    model.settled = Math.max(model.settled, Math.min(step.settle, model.texts.length));
    list.settleThrough(seq);
  } else if ("drop" in step) {
    const count = Math.max(0, Math.min(step.drop, model.texts.length));
    const seq = model.firstSeq - 1 + step.drop;
    model.texts.splice(0, count);
    model.firstSeq += count;
    model.settled = Math.max(0, model.settled - count);
    list.dropThrough(seq);
  } else {
    const after = lastSeq(model) + step.restart;
    Object.assign(model, { firstSeq: after + 1, texts: [], settled: 0 });
    list.restartAfter(after);
  }
}

const textsOf = (entries: readonly LogEntry[]) =>
  entries.map(({ event }) => (event.type === "token" ? event.text : event.type));

test("whatever is appended, settled and dropped", () => {
  fc.assert(
    fc.property(
      fc.nat(1_000),
      fc.array(anyStep, { maxLength: 40, size: "max" }),
      (after, steps) => {
        const list = new EntryList(after);
        const model: Model = { firstSeq: after + 1, texts: [], settled: 0 };
        for (const step of steps) {
          follow(model, list, step);
          const texts = model.texts.map(({ text }) => text);
          expect(textsOf(list.entries)).toEqual(texts);
          expect(list.entries.map(({ seq }) => seq)).toEqual(
            texts.map((_, index) => model.firstSeq + index),
          );
          expect([list.firstSeq, list.settledSeq, list.lastSeq]).toEqual([
            model.firstSeq,
            model.firstSeq + model.settled - 1,
            lastSeq(model),
          ]);
          const all = list.between(model.firstSeq - 1, lastSeq(model) + 1);
          expect(textsOf(all)).toEqual(texts);
          expect(textsOf(list.between(model.firstSeq + 1, lastSeq(model) - 1))).toEqual(
            texts.slice(1, -1),
          );
          expect(textsOf(list.settledAfter(model.firstSeq))).toEqual(texts.slice(1, model.settled));
        }
      },
    ),
  );
});

describe("bytes", () => {
  test("that it grew by, it shrinks by", () => {
    const list = new EntryList(0);
    const first = list.append(token("a"));
    expect(first).toBeGreaterThan(overheadBytes);
    expect(list.append(token("水"))).toBe(3);
    list.settleThrough(1);
    const second = list.append(token("b"));
    expect(list.dropThrough(1)).toBe(first + 3);
    expect(list.restartAfter(9)).toBe(second);
  });
});

describe("long texts", () => {
  const long = `"é😀\n${"x".repeat(1_200)}`;
  const jsonMade = (list: EntryList): number => {
    const made = vi.spyOn(JSON, "stringify");
    for (const { json } of list.entries) expect(json.length).toBeGreaterThan(0);
    const { length } = made.mock.calls;
    made.mockRestore();
    return length;
  };

  test("are JSON once until everybody has read them, and then made of what was said", () => {
    const list = new EntryList(0);
    for (const text of [long, long, "short", long]) list.append(token(text));
    list.append(token(long, "other"));
    list.append(token("y".repeat(2_000), "other"));
    list.settleThrough(2);
    list.append(token(long));
    const said = [`${long}${long}short${long}`, `${long}${"y".repeat(2_000)}`, long];
    expect(jsonMade(list)).toBe(0);
    list.holdAsSaid();
    // Of the one with a short piece, whose string may be a view into a longer one, the JSON stays; and of what may
    // still grow.
    expect(jsonMade(list)).toBe(2);
    list.append(token(long));
    list.settleThrough(3);
    list.holdAsSaid();
    expect(jsonMade(list)).toBe(4);
    expect(textsOf(list.entries)).toEqual([...said.slice(0, 2), `${long}${long}`]);
    for (const { json, jsonBytes } of list.entries) expect(Buffer.byteLength(json)).toBe(jsonBytes);
  });
});

describe("a slice", () => {
  const entries = Array.from({ length: 600 }, (_, index) =>
    LogEntry.of(index + 1, token("x", `${index}`)),
  );

  test("ends where it is told, or after so many", () => {
    expect(sliceFrom(entries, 10, 20)).toEqual(entries.slice(10, 20));
    expect(sliceFrom(entries, 0, 600)).toEqual(entries.slice(0, 256));
    expect(sliceFrom(entries, 599, 600)).toEqual(entries.slice(599));
    expect(sliceFrom(entries, 600, 600)).toEqual([]);
    expect(sliceFrom(entries, 601, 600)).toEqual([]);
  });

  test("ends with the entry by which it is large enough", () => {
    const large = [30, 34, 40, 1].map((kibibytes, index) =>
      LogEntry.of(index + 1, token("x".repeat(kibibytes * 1024), `${index}`)),
    );
    expect(sliceFrom(large, 0, 4)).toEqual(large.slice(0, 2));
    expect(sliceFrom(large, 2, 4)).toEqual(large.slice(2, 4));
    const ofBytes = (seq: number, bytes: number) => {
      const { bytes: own } = LogEntry.of(seq, token("", `${seq}`));
      return LogEntry.of(seq, token("x".repeat(bytes - own), `${seq}`));
    };
    for (const [second, given] of [
      [32 * 1024, 3],
      [32 * 1024 + 1, 2],
    ] as const) {
      const three = [ofBytes(1, 32 * 1024), ofBytes(2, second), ofBytes(3, 100)];
      expect(sliceFrom(three, 0)).toEqual(three.slice(0, given));
    }
  });
});
