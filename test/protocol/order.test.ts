/** The judge of every transcript: each of its rules lets the legal through and refuses the rest. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type ChatEvent, chatEvent } from "../../src/protocol/events.ts";
import { beforeRun, nextOrder, OrderViolation, type RunOrder } from "../../src/protocol/order.ts";

const runId = randomUUID();
const at = new Date(0).toISOString();
const inSpan = (spanId: string) => ({ runId, spanId });
const failure = { code: "PROVIDER_ERROR", message: "It broke.", retryable: true } as const;

const runStart: ChatEvent = {
  type: "runStart",
  runId,
  at,
  conversationId: randomUUID(),
  botId: "test",
  userId: "ann",
  message: "hello",
};
const runEnd = (status: "completed" | "cancelled" | "failed" = "completed"): ChatEvent => ({
  type: "runEnd",
  runId,
  at,
  status,
  text: "",
});
type Kind = "chain" | "llm" | "tool" | "retriever";
const opens = (kind: Kind, spanId = "a", parentSpanId?: string): ChatEvent => ({
  type: `${kind}Start`,
  ...inSpan(spanId),
  parentSpanId,
  at,
  name: kind,
});
const closes = (kind: Kind, spanId = "a"): ChatEvent => ({
  type: `${kind}End`,
  ...inSpan(spanId),
  at,
});
const fails = (source: Kind, spanId = "a"): ChatEvent => ({
  type: "error",
  ...inSpan(spanId),
  at,
  source,
  ...failure,
});
const token = (spanId = "a"): ChatEvent => ({ type: "token", ...inSpan(spanId), text: "x" });
const reset = (spanId = "a"): ChatEvent => ({ type: "reset", ...inSpan(spanId) });

/** What a span may say: by the kind of span that alone may say it, or by any. */
const said: readonly (readonly [ChatEvent, Kind | "any"])[] = [
  [token(), "llm"],
  [{ type: "reasoning", ...inSpan("a"), text: "hm" }, "llm"],
  [reset(), "llm"],
  [{ type: "toolInput", ...inSpan("a"), toolCallId: "c", name: "clock" }, "llm"],
  [{ type: "output", ...inSpan("a"), value: {} }, "llm"],
  [{ type: "toolProgress", ...inSpan("a"), text: "half" }, "tool"],
  [{ type: "toolUpdate", ...inSpan("a"), data: 1 }, "tool"],
  [{ type: "agentAction", ...inSpan("a"), tool: "clock" }, "any"],
  [{ type: "agentFinish", ...inSpan("a") }, "any"],
  [{ type: "text", ...inSpan("a"), text: "plan" }, "any"],
  [{ type: "custom", ...inSpan("a"), name: "mine" }, "any"],
  [{ type: "state", ...inSpan("a"), channel: "todos", value: [] }, "any"],
];
const kinds: readonly Kind[] = ["chain", "llm", "tool", "retriever"];

/** @throws OrderViolation */
function order(events: readonly ChatEvent[]): RunOrder["phase"] {
  let state = beforeRun;
  for (const event of events) state = nextOrder(state, chatEvent.parse(event));
  return state.phase;
}

describe("legal:", () => {
  test.each<[string, readonly ChatEvent[]]>([
    ["a run of nothing", [runStart, runEnd()]],
    ...kinds.map((kind): [string, ChatEvent[]] => [
      `a ${kind} span, twice`,
      [runStart, opens(kind), closes(kind), opens(kind, "b"), closes(kind, "b"), runEnd()],
    ]),
    ...kinds.map((kind): [string, ChatEvent[]] => [
      `a ${kind} span that fails`,
      [runStart, opens(kind), fails(kind), runEnd()],
    ]),
    ...said.flatMap(([event, by]) =>
      kinds
        .filter((kind) => by === "any" || by === kind)
        .map((kind): [string, ChatEvent[]] => [
          `${event.type} of a ${kind} span`,
          [runStart, opens(kind), event, closes(kind), runEnd()],
        ]),
    ),
    [
      "spans inside and beside each other",
      [
        runStart,
        opens("chain", "root"),
        opens("llm", "a", "root"),
        opens("tool", "b", "root"),
        token("a"),
        closes("tool", "b"),
        closes("llm", "a"),
        closes("chain", "root"),
        runEnd(),
      ],
    ],
    [
      "a reset after its span has failed",
      [runStart, opens("llm"), fails("llm"), reset(), runEnd()],
    ],
    ["a cancelled run with open spans", [runStart, opens("llm"), runEnd("cancelled")]],
    ["a failed run with open spans", [runStart, opens("llm"), runEnd("failed")]],
  ])("%s", (_name, events) => {
    expect(order(events)).toBe("ended");
  });
});

describe("refused:", () => {
  test.each<[string, readonly ChatEvent[], RegExp]>([
    ["an event before the start", [opens("llm")], /before runStart/],
    ["an end before the start", [runEnd()], /before runStart/],
    ["a second start", [runStart, runStart], /comes twice/],
    ["an event after the end", [runStart, runEnd(), opens("llm")], /after runEnd/],
    ["a second end", [runStart, runEnd(), runEnd()], /after runEnd/],
    [
      "another run's event",
      [runStart, { ...opens("llm"), runId: randomUUID() } as ChatEvent],
      /inside run/,
    ],
    [
      "another run's end",
      [runStart, { ...runEnd(), runId: randomUUID() } as ChatEvent],
      /inside run/,
    ],
    ["a span that opens twice", [runStart, opens("llm"), opens("llm")], /opened before/],
    [
      "a span that opens again",
      [runStart, opens("llm"), closes("llm"), opens("llm")],
      /opened before/,
    ],
    ["an unknown parent", [runStart, opens("llm", "a", "root")], /parent root is not open/],
    [
      "a parent that is over",
      [runStart, opens("chain", "root"), closes("chain", "root"), opens("llm", "a", "root")],
      /parent root is not open/,
    ],
    ...kinds.flatMap((kind): [string, ChatEvent[], RegExp][] => [
      [`the end of a ${kind} that never opened`, [runStart, closes(kind)], /is not open/],
      [`the failure of a ${kind} that never opened`, [runStart, fails(kind)], /is not open/],
      [
        `a ${kind} that ends twice`,
        [runStart, opens(kind), closes(kind), closes(kind)],
        /is not open/,
      ],
      [
        `a ${kind} that ends and fails`,
        [runStart, opens(kind), closes(kind), fails(kind)],
        /is not open/,
      ],
      ...kinds
        .filter((other) => other !== kind)
        .flatMap((other): [string, ChatEvent[], RegExp][] => [
          [
            `a ${kind} that ends as a ${other}`,
            [runStart, opens(kind), closes(other)],
            /was opened by/,
          ],
          [
            `a ${kind} that fails as a ${other}`,
            [runStart, opens(kind), fails(other)],
            /was opened by/,
          ],
        ]),
      [`a completed run with an open ${kind}`, [runStart, opens(kind), runEnd()], /leaves open/],
    ]),
    ...said.flatMap(([event, by]): [string, ChatEvent[], RegExp][] => [
      [`${event.type} of no span`, [runStart, event], /is not open/],
      ...kinds
        .filter((kind) => by !== "any" && by !== kind)
        .map((kind): [string, ChatEvent[], RegExp] => [
          `${event.type} of a ${kind} span`,
          [runStart, opens(kind), event],
          /was opened by/,
        ]),
    ]),
    ...said
      .filter(([{ type }]) => type !== "reset")
      .map(([event, by]): [string, ChatEvent[], RegExp] => {
        const kind = by === "any" ? "chain" : by;
        return [
          `${event.type} after its span has closed`,
          [runStart, opens(kind), closes(kind), event],
          /is not open/,
        ];
      }),
  ])("%s", (_name, events, why) => {
    // All but the last event are legal: it is the last one that is refused.
    expect(() => order(events.slice(0, -1))).not.toThrow();
    expect(() => order(events)).toThrow(OrderViolation);
    expect(() => order(events)).toThrow(why);
  });
});

test("a refusal says which event of which run, and why", () => {
  const other = { ...opens("llm", "b"), runId: randomUUID() };
  const told: [ChatEvent[], string][] = [
    [[runStart, opens("tool"), opens("llm", "b"), runEnd()], "leaves open toolStart, llmStart"],
    [[runStart, other], `comes inside run ${runId}`],
  ];
  for (const [events, why] of told) {
    const last = events.at(-1) ?? expect.fail();
    expect(() => order(events)).toThrow(
      expect.objectContaining({
        name: "OrderViolation",
        message: `${last.type} of run ${last.runId}: ${why}`,
      }),
    );
  }
});

test("every type of event that a span can say is in the table", () => {
  const told = new Set<string>([
    ...said.map(([{ type }]) => type),
    ...kinds.flatMap((kind) => [`${kind}Start`, `${kind}End`]),
    ...["runStart", "error", "runEnd"],
  ]);
  const types = chatEvent.options.map((option) => option.shape.type.value);
  expect([...told].sort()).toEqual([...types].sort());
});
