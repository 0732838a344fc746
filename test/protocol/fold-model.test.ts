/**
 * A fold that is read on the way says what one says that is read at the end, whatever comes in whatever
 * order: what it keeps from read to read is never an old value, and never a new object for the same one.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { wasSaid } from "../../src/protocol/fold/answer-spans.ts";
import { RunFold } from "../../src/protocol/fold/run-fold.ts";

const runId = "r";
const at = "2026-01-01T00:00:00.000Z";

const spanId = fc.constantFrom("a", "b", "c");
const text = fc.constantFrom("x", " ", "\n", " y ", "z");
const found = fc.array(
  fc.oneof(
    fc.record(
      {
        type: fc.constant("source"),
        url: fc.constantFrom("https://a.example", "https://b.example"),
        title: text,
        quote: text,
      },
      { requiredKeys: ["type"] },
    ),
    fc.record({ type: fc.constant("file"), kind: fc.constant("image"), url: text }),
    fc.record({
      type: fc.constant("tool"),
      name: fc.constantFrom("web", "code"),
      id: fc.constantFrom("1", "2", undefined),
      data: text,
    }),
  ),
  { maxLength: 2 },
);
const event: fc.Arbitrary<ChatEvent> = fc.oneof(
  { weight: 6, arbitrary: spanned("token", { text }) },
  { weight: 4, arbitrary: spanned("reasoning", { text }) },
  { weight: 2, arbitrary: spanned("reset", {}) },
  { weight: 1, arbitrary: spanned("llmStart", { at: fc.constant(at), name: text }) },
  {
    weight: 1,
    arbitrary: spanned("llmEnd", {
      ...{ at: fc.constant(at), content: found },
      toolCalls: fc.array(
        fc.record({
          id: fc.constantFrom("1", "2", "3"),
          name: fc.constantFrom("search", "sum"),
          args: fc.constantFrom({ q: 1 }, undefined),
        }),
        { maxLength: 2 },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: spanned("error", {
      ...{ at: fc.constant(at), source: fc.constantFrom("llm", "tool"), message: text },
      ...{ code: fc.constant("PROVIDER_ERROR"), retryable: fc.boolean() },
    }),
  },
  {
    weight: 1,
    arbitrary: spanned("chainStart", {
      at: fc.constant(at),
      name: text,
      parentSpanId: fc.option(spanId, { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: spanned("toolStart", {
      at: fc.constant(at),
      name: fc.constantFrom("search", "sum"),
      toolCallId: fc.constantFrom("1", "2", undefined),
      parentSpanId: fc.option(spanId, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: spanned("toolProgress", { text }) },
  { weight: 1, arbitrary: spanned("toolProgress", { data: fc.constantFrom(1, "d") }) },
  {
    weight: 1,
    arbitrary: spanned("toolProgress", { text, data: fc.constantFrom(1, "d") }),
  },
  {
    weight: 2,
    arbitrary: spanned("toolInput", {
      toolCallId: fc.constantFrom("1", "2"),
      name: fc.option(fc.constantFrom("search", "sum"), { nil: undefined }),
      text: fc.option(text, { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: spanned("toolEnd", {
      ...{ at: fc.constant(at), output: text, content: found },
      artifact: fc.option(text, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: spanned("output", { value: text }) },
  {
    weight: 2,
    arbitrary: spanned("state", { channel: fc.constantFrom("todos", "page"), value: text }),
  },
  { weight: 1, arbitrary: spanned("custom", { name: text, data: text }) },
);

function spanned<Type extends ChatEvent["type"]>(
  type: Type,
  fields: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<ChatEvent> {
  const base = { type: fc.constant(type), runId: fc.constant(runId), spanId };
  return fc.record({ ...base, ...fields }) as unknown as fc.Arbitrary<ChatEvent>;
}

const end = fc.record({
  type: fc.constant("runEnd" as const),
  runId: fc.constant(runId),
  at: fc.constant(at),
  status: fc.constantFrom("completed" as const, "cancelled" as const),
  text: fc.constantFrom("", "x", "xz", " y ", "something else"),
});

const read = (fold: RunFold) => ({
  text: fold.text,
  answerSpans: fold.answerSpans,
  steps: fold.steps,
  reasoning: fold.reasoning,
  parts: fold.parts,
  output: fold.output,
  state: fold.state,
  spans: fold.spans,
  start: fold.start,
  end: fold.end,
});

function folded(events: readonly ChatEvent[]): RunFold {
  const fold = new RunFold();
  for (const one of events) fold.add(one);
  return fold;
}

test("read at any moment, it is what a fresh one is", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(event, fc.boolean()), { maxLength: 30, size: "max" }),
      fc.option(end, { nil: undefined }),
      (steps, last) => {
        const events: ChatEvent[] = [];
        const fold = new RunFold();
        const add = (one: ChatEvent, isRead: boolean): void => {
          events.push(one);
          fold.add(one);
          if (!isRead) return;
          const now = read(fold);
          expect(structuredClone(now)).toEqual(structuredClone(read(folded(events))));
          // Nothing came in between: no list is another one.
          const again = read(fold);
          for (const name of ["steps", "reasoning", "parts", "state", "spans"] as const) {
            expect(again[name]).toBe(now[name]);
          }
        };
        for (const [one, isRead] of steps) add(one, isRead);
        if (last === undefined) return;
        add(last, true);
        const ended = structuredClone(read(fold));
        for (const [one] of steps) fold.add(one);
        expect(structuredClone(read(fold))).toEqual(ended);
      },
    ),
    { numRuns: 300 },
  );
});

test("of what was said every character is in one part, also after a reset in the middle", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30, size: "max" }), (events) => {
      const fold = folded(events);
      // An answer that nobody said: all that was said is a step, and says whose.
      fold.add({ type: "runEnd", runId, at, status: "completed", text: "something else" });
      const joined = (kind: "text" | "reasoning", span: string): string =>
        fold.parts
          .map((one) => (one.type === kind && one.spanId === span ? one.text : ""))
          .join("");
      // By hand: what came since the span's last reset.
      const said = (type: "token" | "reasoning", span: string): string => {
        const text = events.reduce((whole, one) => {
          if (one.type === "reset" && one.spanId === span) return "";
          return one.type === type && one.spanId === span ? whole + one.text : whole;
        }, "");
        return /\S/.test(text) ? text : "";
      };
      for (const span of ["a", "b", "c"]) {
        expect(joined("text", span)).toBe(said("token", span));
        expect(joined("reasoning", span)).toBe(said("reasoning", span));
      }
    }),
    { numRuns: 500 },
  );
});

test("what has not changed is the same object, whatever else was said", () => {
  const fold = folded([
    { type: "reasoning", runId, spanId: "a", text: "hm" },
    { type: "token", runId, spanId: "a", text: "one" },
    { type: "llmEnd", runId, spanId: "a", at },
    { type: "token", runId, spanId: "b", text: "two" },
  ]);
  const before = read(fold);
  expect(before.steps.map(({ text }) => text)).toEqual(["one"]);
  fold.add({ type: "token", runId, spanId: "b", text: "!" });
  const after = read(fold);
  expect(after.steps).toBe(before.steps);
  expect(after.reasoning).toBe(before.reasoning);
  expect(after.parts[0]).toBe(before.parts[0]);
  expect(after.parts[2]).not.toBe(before.parts[2]);
});

test("a text of thousands of pieces is whole, and is read again for nothing", () => {
  const fold = new RunFold();
  let whole = "";
  for (let piece = 0; piece < 1_000; piece++) {
    whole += `${piece},`;
    fold.add({ type: "token", runId, spanId: "a", text: `${piece},` });
    if (piece % 255 === 0) expect(fold.text).toBe(whole);
  }
  expect(fold.text).toBe(whole);
});

test.each([
  ["a", ["a"], true],
  ["  a\n", ["a"], true],
  ["a", [" a "], true],
  ["a\n\nb", ["a", "b"], false],
  ["ab", ["a", "b"], true],
  ["", ["a"], true],
  [" \n", [], true],
  ["c", ["a"], false],
] as const)(
  "of the answer %j after %j it is known whether it was read along",
  (answer, said, was) => {
    const voices = {
      said: new Map(said.map((text, index) => [String(index), { text }])),
      speakers: said.map((_, index) => String(index)).slice(-1),
    };
    expect(wasSaid(voices, answer)).toBe(was);
  },
);
