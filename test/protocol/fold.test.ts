import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as generatedAnswer from "../../client/generated/fold/answer-fold.js";
import * as generatedMessage from "../../client/generated/fold/message-fold.js";
import * as generated from "../../client/generated/fold/run-fold.js";
import { Turn } from "../../client/src/react/turn.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { AnswerFold } from "../../src/protocol/fold/answer-fold.ts";
import { wasSaid } from "../../src/protocol/fold/answer-spans.ts";
import { MessageFold } from "../../src/protocol/fold/message-fold.ts";
import { RunFold, type Span } from "../../src/protocol/fold/run-fold.ts";
import { joined } from "../../src/protocol/fold/text-pieces.ts";
import { foldVectors, type SpanOutline } from "./fold-vectors.ts";
import { type PartVector, partVectors } from "./part-vectors.ts";

const runId = crypto.randomUUID();
const at = new Date(0).toISOString();

/** As much of the tree as the outline names, and every span of it. */
function outlineOf(spans: readonly Span[], outlines: readonly SpanOutline[]): unknown[] {
  return spans.map((span, index) => {
    const outline = outlines[index] ?? { id: "none", status: "running" };
    const names = Object.keys(outline).filter((name) => name in span) as (keyof Span)[];
    const facts = Object.fromEntries(names.map((name) => [name, span[name]]));
    return { ...facts, children: outlineOf(span.children, outline.children ?? []) };
  });
}

function whole(outlines: readonly SpanOutline[]): unknown[] {
  return outlines.map((one) => ({ ...one, children: whole(one.children ?? []) }));
}

function folded(events: readonly ChatEvent[], fold = new RunFold()): RunFold {
  for (const event of events) fold.add(event);
  return fold;
}

/** All that can be read of it. */
function readingOf(fold: RunFold) {
  const { start, end, text, answerSpans, parts, output, state, steps, reasoning, spans } = fold;
  return { start, end, text, answerSpans, parts, output, state, steps, reasoning, spans };
}

describe.each([
  ["the server's fold", RunFold, AnswerFold],
  ["the fold that clients have", generated.RunFold, generatedAnswer.AnswerFold],
] as const)("%s", (_name, Fold, Answer) => {
  test.each(foldVectors.map((vector) => [vector.name, vector] as const))("%s", (_title, vector) => {
    const fold = new Fold();
    const answer = new Answer();
    for (const event of vector.events) {
      fold.add(event);
      answer.add(event);
      // Reading on the way changes nothing.
      readingOf(fold as RunFold);
    }
    expect(fold.text).toBe(vector.text);
    expect(answer.text).toBe(vector.text);
    expect(fold.answerSpans).toEqual(vector.answerSpans);
    expect(fold.steps).toEqual(vector.steps ?? []);
    expect(fold.reasoning).toEqual(vector.reasoning ?? []);
    expect(fold.parts).toStrictEqual(vector.parts);
    expect(outlineOf(fold.spans, vector.spans)).toEqual(whole(vector.spans));
    expect(fold.end?.status).toBe(vector.status);
    expect(readingOf(folded(vector.events))).toEqual(readingOf(fold as RunFold));
  });
});

function eventsOf({ events, end }: PartVector): ChatEvent[] {
  const start: ChatEvent = {
    ...{ type: "runStart", runId, at, conversationId: runId, botId: "test", userId: "ann" },
    message: "hello",
  };
  const last: ChatEvent = { type: "runEnd", runId, at, status: "completed", text: end ?? "" };
  return [start, ...events, ...(end === undefined ? [] : [last])];
}

describe.each([
  ["the server's fold", RunFold, MessageFold],
  ["the fold that clients have", generated.RunFold, generatedMessage.MessageFold],
] as const)("what a message is made of, by %s", (_name, Fold, Message) => {
  test.each(partVectors.map((vector) => [vector.name, vector] as const))("%s", (_title, vector) => {
    const fold = new Fold();
    const message = new Message();
    for (const event of eventsOf(vector)) {
      fold.add(event);
      message.add(event);
      readingOf(fold as RunFold);
    }
    expect(fold.parts).toStrictEqual(vector.parts);
    expect(message.parts).toStrictEqual(vector.parts);
    expect(fold.output).toEqual(vector.output);
    expect(fold.state).toEqual(vector.state ?? {});
    // It is stored as JSON, and is the same again.
    expect(JSON.parse(JSON.stringify(fold.parts))).toStrictEqual(vector.parts);
  });
});

describe("the store that pages draw", () => {
  const begun = foldVectors.filter(({ events }) => events.some(({ type }) => type === "runStart"));
  test.each(begun.map((vector) => [vector.name, vector] as const))("%s", (_title, vector) => {
    const turn = new Turn("run");
    for (const event of vector.events) {
      turn.add(event);
      void turn.messages;
    }
    const message = turn.messages.at(-1);
    if (message?.role !== "ai") throw new Error("no answer");
    expect(message.text).toBe(vector.text);
    expect(message.steps).toEqual(vector.steps ?? []);
    expect(message.reasoning).toBe((vector.reasoning ?? []).map(({ text }) => text).join("\n\n"));
    expect(outlineOf(message.spans, vector.spans)).toEqual(whole(vector.spans));
    expect(message.status).toBe(vector.status ?? "streaming");
  });
});

test.each([
  ["by the newest", { a: "One.", b: "Two." }, "Two.", true],
  ["by an earlier one", { a: "One.", b: "Two." }, "One.", true],
  ["by all together", { a: "One. ", b: "Two." }, "One. Two.", true],
  ["but for the blanks around it", { a: "\n One. " }, "One.", true],
  ["not whole", { a: "One. Two." }, "Two.", false],
  ["by nobody", {}, "One.", false],
  ["by nobody, and it is nothing", {}, "", true],
])("an answer was said %s", (_how, said: Record<string, string>, answer, expected) => {
  const spans = new Map(Object.entries(said).map(([spanId, text]) => [spanId, { text }]));
  const speakers = [...spans.keys()].slice(-1);
  expect(wasSaid({ said: spans, speakers }, answer)).toBe(expected);
});

describe("what is merged on the way makes no difference", () => {
  const pieces = fc.constantFrom("a", " ", "b\n", "", "é");
  const spanIds = fc.constantFrom("m1", "m2", "t1", "t2");
  const event: fc.Arbitrary<ChatEvent> = fc
    .tuple(spanIds, pieces, fc.nat({ max: 14 }))
    .map(([spanId, text, which]): ChatEvent => {
      const inSpan = { runId, spanId };
      const isTool = spanId.startsWith("t");
      switch (which) {
        case 0:
          return { type: "reset", ...inSpan };
        case 1:
          return { type: isTool ? "toolEnd" : "llmEnd", ...inSpan, at };
        case 2:
          return { type: isTool ? "toolStart" : "llmStart", ...inSpan, at, name: "x" };
        case 3:
          return { type: "toolProgress", ...inSpan, data: text };
        case 4:
          return { type: "toolProgress", ...inSpan, text, data: 1 };
        case 5:
          return { type: "toolInput", ...inSpan, toolCallId: text, name: "x", text };
        case 6:
        case 7:
          return { type: "toolInput", ...inSpan, toolCallId: "a", text };
        case 8:
          return { type: "reasoning", ...inSpan, text };
        default:
          return isTool
            ? { type: "toolProgress", ...inSpan, text }
            : { type: "token", ...inSpan, text };
      }
    });

  test("folding one by one is folding merged neighbours, wherever they are cut", () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 60 }),
        fc.infiniteStream(fc.boolean()),
        (some, cuts) => {
          const opened: ChatEvent[] = ["m1", "m2"].map((spanId) => ({
            ...{ type: "llmStart" as const, runId, spanId, at, name: "x" },
          }));
          const events = [...opened, ...some];
          const merged: ChatEvent[] = [];
          for (const next of events) {
            const last = merged.at(-1);
            const both = last && cuts.next().value ? joined(last, next) : undefined;
            if (both === undefined) merged.push(next);
            else merged[merged.length - 1] = both;
          }
          expect(readingOf(folded(merged))).toEqual(readingOf(folded(events)));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("only pieces of one text are joined", () => {
    const token = { type: "token", runId, spanId: "m1", text: "a" } as const;
    const tool = { type: "toolProgress", runId, spanId: "m1", text: "a" } as const;
    expect(joined(token, { ...token, text: "b" })).toEqual({ ...token, text: "ab" });
    expect(joined(tool, { ...tool, text: "b" })).toEqual({ ...tool, text: "ab" });
    const others: ChatEvent[] = [
      { ...token, spanId: "m2" },
      { ...token, runId: crypto.randomUUID() },
      { ...token, type: "reasoning" },
      tool,
      { type: "text", runId, spanId: "m1", text: "a" },
    ];
    for (const other of others) expect(joined(token, other)).toBeUndefined();
    const input = { type: "toolInput", runId, spanId: "m1", toolCallId: "1", text: "a" } as const;
    expect(joined(input, { ...input, text: "b" })).toEqual({ ...input, text: "ab" });
    for (const other of [{ ...input, toolCallId: "2" }, { ...input, name: "x" }, token]) {
      expect(joined(input, other)).toBeUndefined();
    }
    expect(joined({ ...input, name: "x" }, input)).toBeUndefined();
    expect(joined(token, undefined)).toBeUndefined();
    expect(joined(tool, { ...tool, data: 1 })).toBeUndefined();
    expect(joined({ ...tool, data: 1 }, tool)).toBeUndefined();
    expect(joined(others[4] as ChatEvent, others[4])).toBeUndefined();
  });
});

describe("what has not changed is the same object", () => {
  const agent = foldVectors.find(({ name }) => name.startsWith("what it said before its tools"));
  const events = agent?.events ?? [];
  const inSpan = (spanId: string) => ({ runId: events[0]?.runId ?? "", spanId });

  test("read twice, all of it", () => {
    const fold = folded(events);
    const first = readingOf(fold);
    for (const [name, value] of Object.entries(readingOf(fold))) {
      if (name !== "answerSpans") expect(value, name).toBe(first[name as keyof typeof first]);
    }
  });

  test("after a token, all but its span, those around it, and what has its text", () => {
    const fold = folded(events.slice(0, -2));
    const before = readingOf(fold);
    fold.add({ type: "token", ...inSpan("b"), text: " Sharp." });
    const after = readingOf(fold);
    expect(after.text).toBe("It is noon. Sharp.");
    expect(after.spans.map((span, at) => span === before.spans[at])).toEqual([true, true, false]);
    expect(after.spans[2]?.notes).toBe(before.spans[2]?.notes);
    expect(after.steps).toBe(before.steps);
    expect(after.reasoning).toBe(before.reasoning);
    expect(after.parts.map((one, at) => one === before.parts[at])).toEqual([
      ...[true, true, true, true, false],
    ]);
  });

  test("after a tool's progress, the notes that were there", () => {
    const fold = folded(events.slice(0, 6));
    const says = (text: string): ChatEvent => ({ type: "toolProgress", ...inSpan("clock"), text });
    fold.add(says("a"));
    const first = fold.spans[1]?.notes[0];
    fold.add({ type: "toolProgress", ...inSpan("clock"), data: 1 });
    expect(fold.spans[1]?.notes[0]).toBe(first);
    fold.add(says("b"));
    const before = fold.spans[1]?.notes ?? [];
    fold.add(says("c"));
    const after = fold.spans[1]?.notes ?? [];
    expect(before.map(({ text }) => text)).toEqual(["a", undefined, "b"]);
    expect(after.map(({ text }) => text)).toEqual(["a", undefined, "bc"]);
    expect(after.map((note, at) => note === before[at])).toEqual([true, true, false]);
  });
});
