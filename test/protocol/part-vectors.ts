/** What messages are made of, by their run's events; beside what fold-vectors.ts has of it. */
import type { ChatEvent, Json } from "../../src/protocol/events.ts";
import type { Part, PartOf } from "../../src/protocol/parts.ts";

export interface PartVector {
  readonly name: string;
  /** Between `runStart` and `runEnd`. */
  readonly events: readonly ChatEvent[];
  /** The answer; undefined: the run goes on. */
  readonly end?: string;
  readonly parts: readonly Part[];
  readonly output?: Json;
  readonly state?: Readonly<Record<string, Json>>;
}

const runId = "0b0e7f62-6a3e-4b7e-9a36-0d6d3c0a6a10";
const at = "2026-01-01T00:00:01.000Z";
const failure = { code: "PROVIDER_ERROR", message: "It broke.", retryable: true } as const;
const on = (spanId: string) => ({ runId, spanId });

type Fields<T extends ChatEvent["type"]> = Partial<Extract<ChatEvent, { type: T }>>;
const model = (id: string): ChatEvent => ({ type: "llmStart", ...on(id), at, name: "model" });
const ends = (id: string, more: Fields<"llmEnd"> = {}): ChatEvent => ({
  ...{ type: "llmEnd", ...on(id), at },
  ...more,
});
const token = (id: string, text: string): ChatEvent => ({ type: "token", ...on(id), text });
const thinks = (id: string, text: string): ChatEvent => ({ type: "reasoning", ...on(id), text });
const reset = (id: string): ChatEvent => ({ type: "reset", ...on(id) });
const writes = (id: string, toolCallId: string, more: Fields<"toolInput">): ChatEvent => ({
  ...{ type: "toolInput", ...on(id), toolCallId },
  ...more,
});
const begins = (id: string, toolCallId?: string, more: Fields<"toolStart"> = {}): ChatEvent => ({
  ...{ type: "toolStart", ...on(id), at, name: "search" },
  ...(toolCallId && { toolCallId }),
  ...more,
});
const says = (id: string, text: string): ChatEvent => ({ type: "toolProgress", ...on(id), text });
const returns = (id: string, more: Fields<"toolEnd"> = {}): ChatEvent => ({
  ...{ type: "toolEnd", ...on(id), at },
  ...more,
});
const fails = (source: "llm" | "tool", id: string): ChatEvent => ({
  ...{ type: "error", ...on(id), at, source },
  ...failure,
});

const step = (spanId: string, text: string): Part => ({
  ...{ type: "text", text, final: false, spanId },
});
const answer = (text: string): Part => ({ type: "text", text, final: true });
const thought = (spanId: string, text: string): Part => ({ type: "reasoning", text, spanId });
const search = (more: Omit<PartOf<"tool">, "type" | "name">): Part => ({
  ...{ type: "tool", name: "search" },
  ...more,
});
const source = (more: Omit<PartOf<"source">, "type">): Part => ({ type: "source", ...more });

export const partVectors: readonly PartVector[] = [
  {
    name: "a call while a model writes it",
    events: [
      model("a"),
      token("a", "Let me see."),
      writes("a", "1", { name: "search", text: '{"q"' }),
      writes("a", "1", { text: ':"so' }),
    ],
    parts: [
      answer("Let me see."),
      search({ toolCallId: "1", state: "writing", inputText: '{"q":"so' }),
    ],
  },
  {
    name: "a call whose payloads the bot does not expose",
    events: [model("a"), writes("a", "1", { name: "search" }), ends("a"), begins("t", "1")],
    parts: [search({ toolCallId: "1", spanId: "t", state: "running" })],
  },
  {
    name: "two calls written in turns, of which the second begins first",
    events: [
      model("a"),
      writes("a", "1", { name: "search", text: '{"q"' }),
      writes("a", "2", { name: "search", text: "{" }),
      writes("a", "1", { text: ":1}" }),
      writes("a", "2", { text: "}" }),
      ends("a", { toolCalls: [{ id: "1", name: "search", args: { q: 1 } }] }),
      begins("t", "2", { input: {} }),
    ],
    parts: [
      search({ toolCallId: "1", state: "writing", input: { q: 1 } }),
      search({ toolCallId: "2", spanId: "t", state: "running", input: {} }),
    ],
  },
  {
    name: "what a model says around its calls has places of its own",
    events: [
      model("a"),
      thinks("a", "Hm."),
      token("a", "First "),
      writes("a", "1", { name: "search" }),
      token("a", "then"),
      token("a", "."),
    ],
    end: "First then.",
    parts: [
      thought("a", "Hm."),
      answer("First "),
      search({ toolCallId: "1", state: "stopped" }),
      answer("then."),
    ],
  },
  {
    name: "a tool at work, and its end",
    events: [
      model("a"),
      writes("a", "1", { name: "search", text: '{"q":1}' }),
      ends("a", { toolCalls: [{ id: "1", name: "search", args: { q: 1 } }] }),
      begins("t", "1", { input: { q: 1 } }),
      says("t", "Look"),
      { type: "toolProgress", ...on("t"), data: 50 },
      says("t", "ing."),
      returns("t", { output: "Soda." }),
      says("t", "late"),
    ],
    parts: [
      search({
        ...{ toolCallId: "1", spanId: "t", state: "done", input: { q: 1 } },
        ...{ progress: "Looking.", output: "Soda." },
      }),
    ],
  },
  {
    name: "a tool that fails, is tried again under the same call, and does it",
    events: [
      begins("t1", "1", { input: 1 }),
      says("t1", "Half"),
      fails("tool", "t1"),
      begins("t2", "1", { input: 1 }),
      returns("t2", { output: 2 }),
    ],
    parts: [search({ toolCallId: "1", spanId: "t2", state: "done", input: 1, output: 2 })],
  },
  {
    name: "a provider that gives the same id to calls of different turns",
    events: [
      begins("t1", "0"),
      returns("t1", { output: 1 }),
      begins("t2", "0"),
      fails("tool", "t2"),
    ],
    parts: [
      search({ toolCallId: "0", spanId: "t1", state: "done", output: 1 }),
      search({ toolCallId: "0", spanId: "t2", state: "failed", error: failure }),
    ],
  },
  {
    name: "a tool that does not know which call it answers is the first written of its name",
    events: [
      model("a"),
      writes("a", "1", { name: "clock" }),
      writes("a", "2", { name: "search", text: "{}" }),
      begins("t", undefined, { input: {} }),
      begins("u"),
    ],
    parts: [
      { type: "tool", name: "clock", toolCallId: "1", state: "writing" },
      search({ toolCallId: "2", spanId: "t", state: "running", input: {} }),
      search({ spanId: "u", state: "running" }),
    ],
  },
  {
    name: "a retry takes back what was said, thought, called and found, and not what runs",
    events: [
      model("a"),
      writes("a", "1", { name: "search" }),
      begins("t", "1"),
      thinks("a", "wrong"),
      token("a", "Wrong"),
      writes("a", "2", { name: "search", text: '{"wr' }),
      ends("a", { content: [{ type: "source", url: "https://wrong.example" }] }),
      reset("a"),
      model("b"),
      writes("b", "2", { name: "search", text: "{}" }),
      ends("b", { content: [{ type: "source", url: "https://wrong.example" }] }),
    ],
    parts: [
      search({ toolCallId: "1", spanId: "t", state: "running" }),
      search({ toolCallId: "2", state: "writing", inputText: "{}" }),
      source({ url: "https://wrong.example", spanId: "b" }),
    ],
  },
  {
    name: "stopped: tools that were written, or at work, did not come to their end",
    events: [
      model("a"),
      token("a", "Let me see."),
      writes("a", "1", { name: "search", text: '{"q' }),
      begins("t"),
      begins("u", "9"),
      says("u", "Half"),
    ],
    end: "Let me see.",
    parts: [
      answer("Let me see."),
      search({ toolCallId: "1", spanId: "t", state: "stopped", inputText: '{"q' }),
      search({ toolCallId: "9", spanId: "u", state: "stopped", progress: "Half" }),
    ],
  },
  {
    name: "tools that ran at the provider, told of once or twice",
    events: [
      model("a"),
      token("a", "Soda."),
      ends("a", {
        content: [
          { type: "tool", name: "web_search", id: "w1", data: { id: "w1", input: { q: "soda" } } },
          { type: "tool", name: "web_search_tool_result", id: "w1", data: { found: 1 } },
          { type: "tool", name: "code", data: 4 },
          { type: "other", name: "dance" },
        ],
      }),
    ],
    parts: [
      answer("Soda."),
      {
        ...{ type: "tool", name: "web_search", toolCallId: "w1", state: "done" },
        ...{ input: { q: "soda" }, output: { found: 1 } },
      },
      { type: "tool", name: "code", state: "done", output: 4 },
    ],
  },
  {
    name: "sources from models, tools and searches, each once",
    events: [
      model("a"),
      ends("a", {
        content: [
          { type: "source", url: "https://a.example", title: "A" },
          { type: "source", url: "https://a.example", quote: "One." },
          { type: "source", url: "https://a.example", quote: "Two." },
        ],
      }),
      begins("t"),
      returns("t", { content: [{ type: "source", documentId: "d", title: "D" }] }),
      { type: "retrieverStart", ...on("r"), at, name: "docs" },
      {
        ...{ type: "retrieverEnd", ...on("r"), at },
        documents: [
          { id: "d", text: "Dee.", metadata: { title: "Other" } },
          { text: "Eff.", metadata: { source: "https://f.example", title: "F" } },
          { text: "Gee.", metadata: { source: "docs/g.md" } },
          { text: "", metadata: [1] },
          { text: "Gee.", metadata: { source: "docs/g.md" } },
        ],
      },
    ],
    parts: [
      source({ url: "https://a.example", title: "A", quote: "One.", spanId: "a" }),
      source({ url: "https://a.example", quote: "Two.", spanId: "a" }),
      search({ spanId: "t", state: "done" }),
      source({ documentId: "d", title: "D", quote: "Dee.", spanId: "t" }),
      source({ url: "https://f.example", title: "F", quote: "Eff.", spanId: "r" }),
      source({ title: "docs/g.md", quote: "Gee.", spanId: "r" }),
      source({ spanId: "r" }),
    ],
  },
  {
    name: "files, an artifact, the bot's own data",
    events: [
      model("a"),
      ends("a", { content: [{ type: "file", kind: "image", mimeType: "image/png", bytes: 9 }] }),
      begins("t"),
      returns("t", {
        output: "drawn",
        artifact: { rows: [1] },
        content: [{ type: "file", kind: "file", url: "data:text/csv;base64,YQ==", name: "a.csv" }],
      }),
      { type: "custom", ...on("t"), name: "page", data: 7 },
      { type: "custom", ...on("t"), name: "page" },
    ],
    parts: [
      { type: "file", kind: "image", mimeType: "image/png", bytes: 9, spanId: "a" },
      search({ spanId: "t", state: "done", output: "drawn" }),
      {
        ...{ type: "file", kind: "file", url: "data:text/csv;base64,YQ==" },
        ...{ name: "a.csv", spanId: "t" },
      },
      { type: "data", name: "search", value: { rows: [1] }, origin: "artifact", spanId: "t" },
      { type: "data", name: "page", value: 7, origin: "custom", spanId: "t" },
      { type: "data", name: "page", value: null, origin: "custom", spanId: "t" },
    ],
  },
  {
    name: "a channel of the state is one part, where it was first reported",
    events: [
      { type: "state", ...on("n1"), channel: "todos", value: ["a"] },
      { type: "state", ...on("n1"), channel: "__proto__", value: 1 },
      model("a"),
      token("a", "Done."),
      { type: "state", ...on("n2"), channel: "todos", value: ["a", "b"] },
    ],
    end: "Done.",
    parts: [
      { type: "data", name: "todos", value: ["a", "b"], origin: "state", spanId: "n2" },
      { type: "data", name: "__proto__", value: 1, origin: "state", spanId: "n1" },
      answer("Done."),
    ],
    state: { todos: ["a", "b"], ["__proto__"]: 1 },
  },
  {
    name: "a typed answer while it is made",
    events: [
      model("a"),
      { type: "output", ...on("a"), value: { total: 1 } },
      { type: "output", ...on("a"), value: { total: 12 } },
    ],
    parts: [],
    output: { total: 12 },
  },
  {
    name: "a typed answer that a retry takes back",
    events: [model("a"), { type: "output", ...on("a"), value: { total: 1 } }, reset("a")],
    parts: [],
  },
  {
    name: "a typed answer that was not right in the end",
    events: [model("a"), { type: "output", ...on("a"), value: { total: 1 } }],
    end: "",
    parts: [],
  },
  {
    name: "an answer that a parser made of what its model said",
    events: [model("a"), token("a", "\n Noon. "), ends("a")],
    end: "Noon.",
    parts: [answer("Noon.")],
  },
  {
    name: "an answer that was made of what several said",
    events: [model("a"), token("a", "12"), ends("a"), model("b"), token("b", "\n"), ends("b")],
    end: "It is 12.",
    parts: [step("a", "12"), answer("It is 12.")],
  },
];
