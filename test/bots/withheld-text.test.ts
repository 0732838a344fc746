/** What readers are told of a bot that withholds its models' text, event by event. */
import { expect, test } from "vitest";
import { WithheldText } from "../../src/bots/exposure/withheld-text.ts";
import type { SpanEvent } from "../../src/bots/run/span-writer.ts";
import { chatEvent } from "../../src/protocol/events.ts";

const on = { runId: "r", spanId: "s" };
const at = "2026-01-01T00:00:00.000Z";
const secret = "what the model said";

/** Each type of event as it comes, and as it is told: as it is, where that is not said. */
const rows: readonly (readonly [SpanEvent, ("nothing" | SpanEvent)?])[] = [
  [{ type: "token", ...on, text: secret }, "nothing"],
  [{ type: "reasoning", ...on, text: secret }, "nothing"],
  [{ type: "reset", ...on }, "nothing"],
  [{ type: "text", ...on, text: secret }, "nothing"],
  [{ type: "output", ...on, value: secret }, "nothing"],
  [{ type: "toolInput", ...on, toolCallId: "1", text: secret }, "nothing"],
  [{ type: "toolProgress", ...on, text: secret }, "nothing"],
  [{ type: "toolInput", ...on, toolCallId: "1", name: "add" }],
  [
    { type: "toolInput", ...on, toolCallId: "1", name: "add", text: secret },
    { type: "toolInput", ...on, toolCallId: "1", name: "add" },
  ],
  [{ type: "toolProgress", ...on, data: 1 }],
  [
    { type: "agentAction", ...on, tool: "add", input: 1, log: secret },
    { type: "agentAction", ...on, tool: "add", input: 1 },
  ],
  [
    { type: "agentFinish", ...on, output: secret, log: secret },
    { type: "agentFinish", ...on },
  ],
  [{ type: "chainStart", ...on, at, name: "x" }],
  [{ type: "chainEnd", ...on, at, output: "what the guard made of it" }],
  [{ type: "llmStart", ...on, at, name: "x" }],
  [{ type: "llmEnd", ...on, at, toolCalls: [{ name: "add" }] }],
  [{ type: "toolStart", ...on, at, name: "add", input: 1 }],
  [{ type: "toolEnd", ...on, at, output: 2 }],
  [{ type: "toolUpdate", ...on, data: 1 }],
  [{ type: "retrieverStart", ...on, at, name: "x", query: "q" }],
  [{ type: "retrieverEnd", ...on, at, documents: [] }],
  [{ type: "custom", ...on, name: "x", data: 1 }],
  [{ type: "state", ...on, channel: "todos", value: [] }],
  [
    {
      ...{ type: "error", ...on, at, source: "tool", code: "TOOL_FAILED" },
      ...{ message: "It failed.", retryable: false },
    },
  ],
];

test.each(rows.map(([event, told = event]) => [event.type, event, told] as const))(
  "%s",
  (_type, event, told) => {
    const seen: SpanEvent[] = [];
    new WithheldText({ emit: (it) => seen.push(it), hasOutput: false }).emit(event);
    expect(seen).toStrictEqual(told === "nothing" ? [] : [told]);
  },
);

test("what a chain returned is told only where nothing else makes the answer of it", () => {
  const seen: SpanEvent[] = [];
  const withheld = new WithheldText({ emit: (it) => seen.push(it), hasOutput: true });
  withheld.emit({ type: "chainEnd", ...on, at, output: secret });
  expect(seen).toStrictEqual([{ type: "chainEnd", ...on, at }]);
});

test("the text that is withheld is the answer, without what was taken back", () => {
  const withheld = new WithheldText({ emit: () => {}, hasOutput: false });
  withheld.emit({ type: "token", ...on, text: "void" });
  withheld.emit({ type: "reset", ...on });
  withheld.emit({ type: "token", ...on, text: secret });
  expect(withheld.text).toBe(secret);
});

test("every type of event is in the table", () => {
  const types: string[] = chatEvent.options.map((option) => option.shape.type.value);
  const told = new Set<string>([...rows.map(([{ type }]) => type), "runStart", "runEnd"]);
  expect([...told].sort()).toEqual(types.sort());
});
