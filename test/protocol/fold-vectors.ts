/**
 * What runs are, by their events: the same vectors for the server's fold, the one that is generated for
 * clients, and the store that a page draws.
 */
import type { ChatEvent, Json, RunStatus, Usage } from "../../src/protocol/events.ts";
import type { BotState, Span, SpanNote, SpanText } from "../../src/protocol/fold/run-fold.ts";
import type { Part, PartOf } from "../../src/protocol/parts.ts";

export interface FoldVector {
  readonly name: string;
  readonly events: readonly ChatEvent[];
  readonly text: string;
  readonly steps?: readonly SpanText[];
  readonly reasoning?: readonly SpanText[];
  readonly parts: readonly Part[];
  readonly output?: Json;
  readonly state?: BotState;
  /** What has to be in the tree, which has no other spans. */
  readonly spans: readonly SpanOutline[];
  readonly status?: RunStatus;
  readonly answerSpans: readonly string[];
}

export interface SpanOutline extends Partial<Omit<Span, "children" | "notes">> {
  readonly id: string;
  readonly status: Span["status"];
  readonly notes?: readonly SpanNote[];
  readonly children?: readonly SpanOutline[];
}

const runId = "0b0e7f62-6a3e-4b7e-9a36-0d6d3c0a6a10";
const usage: Usage = { inputTokens: 5, outputTokens: 4, totalTokens: 9 };
const failure = { code: "PROVIDER_ERROR", message: "It broke.", retryable: true } as const;
/** An ISO time, in seconds from the start of 2026. */
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const on = (spanId: string) => ({ runId, spanId });

const start: ChatEvent = {
  type: "runStart",
  runId,
  at: at(0),
  conversationId: runId,
  botId: "test",
  userId: "ann",
  message: "hello",
};
const end = (text: string, status: RunStatus = "completed"): ChatEvent => ({
  type: "runEnd",
  runId,
  at: at(9),
  status,
  text,
  ...(status === "failed" && { error: failure }),
});
const chain = (id: string, parentSpanId?: string): ChatEvent => ({
  type: "chainStart",
  ...on(id),
  parentSpanId,
  at: at(1),
  name: id,
  input: "in",
});
const model = (id: string, parentSpanId?: string): ChatEvent => ({
  type: "llmStart",
  ...on(id),
  parentSpanId,
  at: at(1),
  name: "ChatModel",
  model: "gpt",
});
const tool = (id: string, parentSpanId?: string): ChatEvent => ({
  type: "toolStart",
  ...on(id),
  parentSpanId,
  at: at(1),
  name: "clock",
  toolCallId: `call ${id}`,
  input: { zone: "utc" },
});
const search = (id: string): ChatEvent => ({
  type: "retrieverStart",
  ...on(id),
  at: at(1),
  name: "docs",
  query: "soda",
});
const token = (id: string, text: string): ChatEvent => ({ type: "token", ...on(id), text });
const thinks = (id: string, text: string): ChatEvent => ({ type: "reasoning", ...on(id), text });
const reset = (id: string): ChatEvent => ({ type: "reset", ...on(id) });
const progress = (id: string, more: { text?: string; data?: number }): ChatEvent => ({
  type: "toolProgress",
  ...on(id),
  ...more,
});
const closes = (
  kind: "chain" | "llm" | "tool" | "retriever",
  id: string,
  more = {},
): ChatEvent => ({
  type: `${kind}End`,
  ...on(id),
  at: at(2),
  ...more,
});
const fails = (source: "chain" | "llm" | "tool" | "retriever", id: string): ChatEvent => ({
  type: "error",
  ...on(id),
  at: at(2),
  source,
  ...failure,
});
const callsTool = { toolCalls: [{ id: "call clock", name: "clock" }] };
const unknown = (type: string, more = {}) => ({ type, ...on("a"), ...more }) as never;
const step = (spanId: string, text: string): Part => ({
  type: "text",
  text,
  final: false,
  spanId,
});
const answer = (text: string): Part => ({ type: "text", text, final: true });
const thought = (spanId: string, text: string): Part => ({ type: "reasoning", text, spanId });
const used = (spanId: string, more: Partial<PartOf<"tool">> = {}): Part => ({
  ...{ type: "tool", name: "clock", toolCallId: `call ${spanId}`, spanId, state: "running" },
  input: { zone: "utc" },
  ...more,
});

export const foldVectors: readonly FoldVector[] = [
  {
    name: "nothing yet",
    events: [],
    text: "",
    parts: [],
    spans: [],
    answerSpans: [],
  },
  {
    name: "one model, while it speaks",
    events: [start, model("a"), token("a", "Hel"), token("a", "lo")],
    text: "Hello",
    parts: [answer("Hello")],
    spans: [
      {
        id: "a",
        kind: "llm",
        name: "ChatModel",
        model: "gpt",
        status: "running",
        startedAt: at(1),
        endedAt: undefined,
        text: "Hello",
        reasoning: "",
      },
    ],
    answerSpans: ["a"],
  },
  {
    name: "one model, to its end",
    events: [
      start,
      chain("root"),
      model("a", "root"),
      token("a", "Hello"),
      closes("llm", "a", { usage, finishReason: "stop" }),
      closes("chain", "root", { output: "out" }),
      end("Hello"),
    ],
    text: "Hello",
    parts: [answer("Hello")],
    spans: [
      {
        id: "root",
        kind: "chain",
        status: "done",
        input: "in",
        output: "out",
        children: [{ id: "a", status: "done", usage, finishReason: "stop", endedAt: at(2) }],
      },
    ],
    status: "completed",
    answerSpans: ["a"],
  },
  {
    name: "an end that says what nobody said",
    events: [start, model("a"), token("a", '{"sum":42}'), closes("llm", "a"), end("It is 42.")],
    text: "It is 42.",
    steps: [{ spanId: "a", text: '{"sum":42}' }],
    parts: [step("a", '{"sum":42}'), answer("It is 42.")],
    spans: [{ id: "a", status: "done" }],
    status: "completed",
    answerSpans: [],
  },
  {
    name: "an end that joins what all said, as older servers do",
    events: [
      start,
      model("a"),
      token("a", "One. "),
      closes("llm", "a"),
      model("b"),
      token("b", "Two."),
      closes("llm", "b"),
      end("One. Two."),
    ],
    text: "One. Two.",
    parts: [answer("One. "), answer("Two.")],
    spans: [
      { id: "a", status: "done" },
      { id: "b", status: "done" },
    ],
    status: "completed",
    answerSpans: ["a", "b"],
  },
  {
    name: "an end that several have said: the newest of them",
    events: [
      start,
      model("a"),
      token("a", "Yes."),
      closes("llm", "a"),
      model("b"),
      token("b", "Yes."),
      closes("llm", "b"),
      end("Yes."),
    ],
    text: "Yes.",
    steps: [{ spanId: "a", text: "Yes." }],
    parts: [step("a", "Yes."), answer("Yes.")],
    spans: [
      { id: "a", status: "done" },
      { id: "b", status: "done" },
    ],
    status: "completed",
    answerSpans: ["b"],
  },
  {
    name: "models that speak at the same time say the answer together, a paragraph each",
    events: [
      start,
      model("a"),
      token("a", "One"),
      model("b"),
      token("b", "Two"),
      token("a", " more."),
      closes("llm", "a"),
      token("b", " more."),
      closes("llm", "b"),
      end("One more.\n\nTwo more."),
    ],
    text: "One more.\n\nTwo more.",
    parts: [answer("One more."), answer("Two more.")],
    spans: [
      { id: "a", status: "done" },
      { id: "b", status: "done" },
    ],
    status: "completed",
    answerSpans: ["a", "b"],
  },
  {
    name: "one that goes on while another speaks, stopped in the middle",
    events: [start, model("a"), token("a", "O"), model("b"), token("b", "Two"), token("a", "ne")],
    text: "One\n\nTwo",
    parts: [answer("One"), answer("Two")],
    spans: [
      { id: "a", status: "running" },
      { id: "b", status: "running" },
    ],
    answerSpans: ["a", "b"],
  },
  {
    name: "two that begin before either speaks, stopped in the middle",
    events: [start, model("a"), model("b"), token("a", "One"), token("b", "Two")],
    text: "One\n\nTwo",
    parts: [answer("One"), answer("Two")],
    spans: [
      { id: "a", status: "running" },
      { id: "b", status: "running" },
    ],
    answerSpans: ["a", "b"],
  },
  {
    name: "one that starts over at once, and another that begins before it has spoken again",
    events: [
      start,
      model("a"),
      token("a", "Half"),
      { type: "reset", runId, spanId: "a" },
      model("b"),
      token("a", "One"),
      token("b", "Two"),
    ],
    text: "One\n\nTwo",
    parts: [answer("One"), answer("Two")],
    spans: [
      { id: "a", status: "running" },
      { id: "b", status: "running" },
    ],
    answerSpans: ["a", "b"],
  },
  {
    name: "one that nobody reads to its end never ends, and is a step once another speaks",
    events: [
      start,
      model("a"),
      token("a", "No"),
      model("b"),
      token("b", "Yes"),
      closes("llm", "b"),
      model("c"),
      token("c", "Indeed"),
    ],
    text: "Indeed",
    steps: [
      { spanId: "a", text: "No" },
      { spanId: "b", text: "Yes" },
    ],
    parts: [step("a", "No"), step("b", "Yes"), answer("Indeed")],
    spans: [
      { id: "a", status: "running" },
      { id: "b", status: "done" },
      { id: "c", status: "running" },
    ],
    answerSpans: ["c"],
  },
  {
    name: "of two that spoke together, one is void; who speaks after both is the newest",
    events: [
      start,
      model("a"),
      token("a", "One"),
      model("b"),
      token("b", "Two"),
      { type: "reset", runId, spanId: "a" },
      closes("llm", "a"),
      closes("llm", "b"),
      model("c"),
      token("c", "Three"),
    ],
    text: "Three",
    steps: [{ spanId: "b", text: "Two" }],
    parts: [step("b", "Two"), answer("Three")],
    spans: [
      { id: "a", status: "done" },
      { id: "b", status: "done" },
      { id: "c", status: "running" },
    ],
    answerSpans: ["c"],
  },
  {
    name: "a run whose tokens had left the log",
    events: [start, end("All of it.")],
    text: "All of it.",
    parts: [answer("All of it.")],
    spans: [],
    status: "completed",
    answerSpans: [],
  },
  {
    name: "what a model says before it uses tools stays until another speaks",
    events: [
      start,
      model("a"),
      token("a", "Let me see."),
      closes("llm", "a", callsTool),
      tool("clock"),
    ],
    text: "Let me see.",
    parts: [answer("Let me see."), used("clock")],
    spans: [
      { id: "a", status: "done", toolCalls: callsTool.toolCalls },
      {
        id: "clock",
        kind: "tool",
        status: "running",
        toolCallId: "call clock",
        input: { zone: "utc" },
      },
    ],
    answerSpans: ["a"],
  },
  {
    name: "what it said before its tools is a step once another speaks",
    events: [
      start,
      model("a"),
      thinks("a", "A tool."),
      token("a", "Let me see."),
      closes("llm", "a", callsTool),
      tool("clock"),
      closes("tool", "clock", { output: "12:00" }),
      model("b"),
      thinks("b", "Noon."),
      token("b", "It is noon."),
      closes("llm", "b"),
      end("It is noon."),
    ],
    text: "It is noon.",
    steps: [{ spanId: "a", text: "Let me see." }],
    reasoning: [
      { spanId: "a", text: "A tool." },
      { spanId: "b", text: "Noon." },
    ],
    parts: [
      thought("a", "A tool."),
      step("a", "Let me see."),
      used("clock", { state: "done", output: "12:00" }),
      thought("b", "Noon."),
      answer("It is noon."),
    ],
    spans: [
      { id: "a", status: "done", reasoning: "A tool." },
      { id: "clock", status: "done", output: "12:00" },
      { id: "b", status: "done", text: "It is noon." },
    ],
    status: "completed",
    answerSpans: ["b"],
  },
  {
    name: "a blank word takes nothing away",
    events: [
      start,
      model("a"),
      token("a", "Noon."),
      closes("llm", "a"),
      model("b"),
      token("b", "\n"),
    ],
    text: "Noon.",
    parts: [answer("Noon.")],
    spans: [
      { id: "a", status: "done" },
      { id: "b", status: "running", text: "\n" },
    ],
    answerSpans: ["a"],
  },
  {
    name: "a model that reasons between its words",
    events: [
      start,
      model("a"),
      thinks("a", "One"),
      token("a", "Two "),
      thinks("a", ", three"),
      token("a", "four"),
      token("a", "."),
    ],
    text: "Two four.",
    reasoning: [{ spanId: "a", text: "One, three" }],
    parts: [thought("a", "One"), answer("Two "), thought("a", ", three"), answer("four.")],
    spans: [{ id: "a", status: "running", text: "Two four.", reasoning: "One, three" }],
    answerSpans: ["a"],
  },
  {
    name: "a retry: the span's words and thoughts are void",
    events: [
      start,
      model("a"),
      thinks("a", "wrong"),
      token("a", "Wrong"),
      reset("a"),
      thinks("a", "right"),
      token("a", "Right"),
    ],
    text: "Right",
    reasoning: [{ spanId: "a", text: "right" }],
    parts: [thought("a", "right"), answer("Right")],
    spans: [{ id: "a", status: "running", text: "Right", reasoning: "right" }],
    answerSpans: ["a"],
  },
  {
    name: "a fallback: what the failed model said is void, what was before it stands",
    events: [
      start,
      model("a"),
      token("a", "First."),
      closes("llm", "a"),
      model("b"),
      token("b", "Half"),
      fails("llm", "b"),
      reset("b"),
      model("c"),
    ],
    text: "First.",
    parts: [answer("First.")],
    spans: [
      { id: "a", status: "done" },
      { id: "b", status: "failed", text: "", error: failure },
      { id: "c", status: "running", text: "" },
    ],
    answerSpans: ["a"],
  },
  {
    name: "who starts over while another speaks comes after it",
    events: [
      start,
      model("a"),
      model("b"),
      token("a", "x"),
      token("b", "b"),
      reset("a"),
      token("a", "a"),
    ],
    text: "b\n\na",
    parts: [answer("b"), answer("a")],
    spans: [
      { id: "a", status: "running" },
      { id: "b", status: "running" },
    ],
    answerSpans: ["b", "a"],
  },
  {
    name: "models that speak at the same time, in the order of their first words",
    events: [
      start,
      chain("root"),
      model("a", "root"),
      model("b", "root"),
      token("b", "B"),
      token("a", "A"),
      token("b", "b"),
      token("a", "a"),
      token("b", "."),
    ],
    text: "Bb.\n\nAa",
    parts: [answer("Bb."), answer("Aa")],
    spans: [
      {
        id: "root",
        status: "running",
        children: [
          { id: "a", status: "running", text: "Aa" },
          { id: "b", status: "running", text: "Bb." },
        ],
      },
    ],
    answerSpans: ["b", "a"],
  },
  {
    name: "cancelled in the middle: the answer is what there was",
    events: [
      start,
      chain("root"),
      model("a", "root"),
      token("a", "Half an"),
      end("Half an", "cancelled"),
    ],
    text: "Half an",
    parts: [answer("Half an")],
    spans: [
      {
        id: "root",
        status: "stopped",
        endedAt: at(9),
        children: [{ id: "a", status: "stopped", text: "Half an", endedAt: at(9) }],
      },
    ],
    status: "cancelled",
    answerSpans: ["a"],
  },
  {
    name: "failed in the middle",
    events: [start, model("a"), token("a", "Half"), fails("llm", "a"), end("Half", "failed")],
    text: "Half",
    parts: [answer("Half")],
    spans: [{ id: "a", status: "failed", error: failure, endedAt: at(2) }],
    status: "failed",
    answerSpans: ["a"],
  },
  {
    name: "a search, and a chain's own words",
    events: [
      start,
      chain("root"),
      { type: "text", ...on("root"), text: "A plan." },
      { type: "custom", ...on("root"), name: "page", data: 1 },
      search("docs"),
      closes("retriever", "docs", { documents: [{ text: "Soda." }] }),
    ],
    text: "",
    parts: [
      { type: "data", name: "page", value: 1, origin: "custom", spanId: "root" },
      { type: "source", quote: "Soda.", spanId: "docs" },
    ],
    spans: [
      {
        id: "root",
        status: "running",
        notes: [
          { type: "text", name: "text", text: "A plan." },
          { type: "custom", name: "page", data: 1 },
        ],
      },
      {
        id: "docs",
        kind: "retriever",
        status: "done",
        input: "soda",
        output: [{ text: "Soda." }],
      },
    ],
    answerSpans: [],
  },
  {
    name: "tools inside of tools",
    events: [
      start,
      chain("root"),
      tool("outer", "root"),
      tool("inner", "outer"),
      fails("tool", "inner"),
      closes("tool", "outer", { output: 1 }),
    ],
    text: "",
    parts: [
      used("outer", { state: "done", output: 1 }),
      used("inner", { state: "failed", error: failure }),
    ],
    spans: [
      {
        id: "root",
        status: "running",
        children: [
          {
            id: "outer",
            status: "done",
            output: 1,
            children: [{ id: "inner", status: "failed", error: failure }],
          },
        ],
      },
    ],
    answerSpans: [],
  },
  {
    name: "a tool's progress, by its name and by the older one",
    events: [
      start,
      tool("clock"),
      progress("clock", { text: "Nearly " }),
      progress("clock", { text: "there." }),
      progress("clock", { data: 50 }),
      progress("clock", { text: "x", data: 75 }),
      progress("clock", { text: "y" }),
      { type: "toolUpdate", ...on("clock"), data: 80 },
      progress("clock", { text: "z" }),
    ],
    text: "",
    parts: [used("clock", { progress: "Nearly there.xyz" })],
    spans: [
      {
        id: "clock",
        status: "running",
        notes: [
          { type: "progress", name: "progress", text: "Nearly there." },
          { type: "progress", name: "progress", data: 50 },
          { type: "progress", name: "progress", text: "x", data: 75 },
          { type: "progress", name: "progress", text: "y" },
          { type: "progress", name: "progress", data: 80 },
          { type: "progress", name: "progress", text: "z" },
        ],
      },
    ],
    answerSpans: [],
  },
  {
    name: "what is not known: types, fields, spans, parents",
    events: [
      unknown("dance"),
      start,
      Object.assign(model("a", "nobody"), { mood: "fine" }),
      unknown("dance", { text: "x", at: at(1) }),
      unknown("interruptStart", { spanId: undefined }),
      token("a", "Hello"),
      token("mute", ""),
      token("ghost", ""),
      closes("llm", "ghost"),
      progress("ghost", { text: "boo" }),
      fails("tool", "ghost"),
      reset("ghost"),
    ],
    text: "Hello",
    parts: [answer("Hello")],
    spans: [{ id: "a", status: "running" }],
    answerSpans: ["a"],
  },
  {
    name: "a span that opens twice, closes twice, or in itself",
    events: [
      start,
      model("a", "a"),
      chain("b", "a"),
      model("a", "b"),
      closes("llm", "a", { finishReason: "stop" }),
      fails("llm", "a"),
    ],
    text: "",
    parts: [],
    spans: [
      {
        id: "a",
        status: "done",
        finishReason: "stop",
        error: undefined,
        children: [{ id: "b", status: "running" }],
      },
    ],
    answerSpans: [],
  },
  {
    name: "what comes after the end",
    events: [
      start,
      model("a"),
      token("a", "Hello"),
      closes("llm", "a"),
      end("Hello"),
      token("a", " again"),
      reset("a"),
      model("b"),
      tool("clock"),
      end("Other", "failed"),
    ],
    text: "Hello",
    parts: [answer("Hello")],
    spans: [{ id: "a", status: "done", text: "Hello" }],
    status: "completed",
    answerSpans: ["a"],
  },
];
