/** What a message is made of where nobody, or somebody else, said its answer; and what changes nothing. */
import { describe, expect, test } from "vitest";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { RunFold } from "../../src/protocol/fold/run-fold.ts";
import type { Part } from "../../src/protocol/parts.ts";

const at = "2026-01-01T00:00:00.000Z";
const on = (spanId: string) => ({ runId: "r", spanId });
const token = (spanId: string, text: string): ChatEvent => ({ type: "token", ...on(spanId), text });
const thought = (spanId: string, text: string): ChatEvent => ({
  ...{ type: "reasoning", ...on(spanId), text },
});
const ends = (text: string): ChatEvent => ({
  ...{ type: "runEnd", runId: "r", at, status: "completed", text },
});
const answer = (text: string): Part => ({ type: "text", text, final: true });

function folded(...events: readonly ChatEvent[]): RunFold {
  const fold = new RunFold();
  for (const event of events) fold.add(event);
  return fold;
}

test.each<[string, ChatEvent[], string, Part[]]>([
  ["nobody said it, and it is one word", [], "Yes.", [answer("Yes.")]],
  ["nobody said it, and it is blank", [], " \n", []],
  ["it is what one said, but for the blanks", [token("a", "Yes.")], "Yes.\n", [answer("Yes.\n")]],
  [
    "it is what one said, who thought before",
    [thought("a", "Hm."), token("a", "Yes.")],
    "Yes.\n",
    [{ type: "reasoning", text: "Hm.", spanId: "a" }, answer("Yes.\n")],
  ],
  [
    "it is what one only thought",
    [thought("a", "Yes.")],
    "Yes.",
    [{ type: "reasoning", text: "Yes.", spanId: "a" }, answer("Yes.")],
  ],
])("an answer: %s", (_what, events, end, parts) => {
  expect(folded(...events, ends(end)).parts).toStrictEqual(parts);
});

describe("the parts are the same list", () => {
  const told: ChatEvent[] = [
    { type: "chainStart", ...on("root"), at, name: "chain" },
    { type: "llmStart", ...on("b"), at, name: "model", parentSpanId: "root" },
    { type: "output", ...on("b"), value: { a: 1 } },
    { type: "agentAction", ...on("root"), tool: "add" },
    { type: "text", ...on("root"), text: "note" },
    { type: "toolProgress", ...on("nobody"), text: "late" },
    { type: "toolInput", ...on("b"), toolCallId: "9", text: "of no call" },
    { type: "llmEnd", ...on("b"), at },
    { type: "chainEnd", ...on("root"), at },
  ];
  test.each(told.map((event) => [event.type, event] as const))("after %s", (_type, event) => {
    const fold = folded(thought("a", "Hm."), token("a", "Yes."));
    const { parts, steps, reasoning, state } = fold;
    fold.add(event);
    expect(fold.parts).toBe(parts);
    expect([fold.steps, fold.reasoning, fold.state]).toEqual([steps, reasoning, state]);
    fold.add(token("a", " No."));
    expect(fold.parts).not.toBe(parts);
    expect(fold.parts[0]).toBe(parts[0]);
  });
});

test("before anything has come there is nothing, the same nothing each time", () => {
  const fold = new RunFold();
  const { parts, steps, reasoning, state, spans, text, output } = fold;
  expect([parts, steps, reasoning, state, spans]).toEqual([[], [], [], {}, []]);
  expect([text, output, fold.start, fold.end]).toEqual(["", undefined, undefined, undefined]);
  expect([fold.parts, fold.steps, fold.reasoning, fold.spans]).toEqual([[], [], [], []]);
});

test("a span that fails has its failure, with the detail where the server tells it", () => {
  const failure = { code: "TOOL_FAILED", message: "It broke.", retryable: false } as const;
  const broken = (more: { detail?: string; retryAfterMs?: number }) =>
    folded(
      { type: "toolStart", ...on("t"), at, name: "add" },
      { type: "error", ...on("t"), at, source: "tool", ...failure, ...more },
    ).spans[0]?.error;
  expect(broken({})).toEqual(failure);
  expect(Object.keys(broken({}) ?? {})).not.toContain("detail");
  expect(broken({ detail: "at x.ts:1", retryAfterMs: 5 })).toEqual({
    ...failure,
    ...{ detail: "at x.ts:1", retryAfterMs: 5 },
  });
});
