/**
 * Which call is which: by ids where there are any, by names and order where there are none, and never another
 * model's. A line of the outcome is a tool's part: its name, its call, its state, what it took and gave.
 */
import { describe, expect, test } from "vitest";
import * as generated from "../../client/generated/fold/message-fold.js";
import type { ChatEvent, EventOf, Json } from "../../src/protocol/events.ts";
import { MessageFold } from "../../src/protocol/fold/message-fold.ts";
import type { Part } from "../../src/protocol/parts.ts";

const at = "2026-01-01T00:00:00.000Z";
const on = (spanId: string) => ({ runId: "r", spanId });

type Call = NonNullable<EventOf<"llmEnd">["toolCalls"]>[number];
const writes = (spanId: string, toolCallId: string, name?: string, text?: string): ChatEvent => ({
  ...{ type: "toolInput", ...on(spanId), toolCallId },
  ...(name !== undefined && { name }),
  ...(text !== undefined && { text }),
});
const asks = (spanId: string, ...toolCalls: Call[]): ChatEvent => ({
  ...{ type: "llmEnd", ...on(spanId), at, toolCalls },
});
const runs = (spanId: string, name: string, id?: string): ChatEvent => ({
  ...{ type: "toolStart", ...on(spanId), at, name },
  ...(id !== undefined && { toolCallId: id }),
});
const gives = (spanId: string, output: Json): ChatEvent => ({
  ...{ type: "toolEnd", ...on(spanId), at, output },
});
const reset = (spanId: string): ChatEvent => ({ type: "reset", ...on(spanId) });
/** What a model's end tells of a tool that ran at the provider. */
const ran = (spanId: string, name: string, data: Json, id?: string): ChatEvent => ({
  ...{ type: "llmEnd", ...on(spanId), at },
  content: [{ type: "tool", name, data, ...(id !== undefined && { id }) }],
});
const end: ChatEvent = { type: "runEnd", runId: "r", at, status: "cancelled", text: "" };

const line = (part: Part): string => {
  if (part.type !== "tool") return part.type;
  const { name, toolCallId, state, inputText, input, output } = part;
  return [
    toolCallId === undefined ? name : `${name}#${toolCallId}`,
    state,
    ...(inputText === undefined ? [] : [`writes ${inputText}`]),
    ...(input === undefined ? [] : [`took ${JSON.stringify(input)}`]),
    ...(output === undefined ? [] : [`gave ${JSON.stringify(output)}`]),
  ].join(" ");
};

const rows: readonly (readonly [string, readonly ChatEvent[], readonly string[]])[] = [
  [
    "whole calls in another order, by their ids",
    [
      ...[writes("m", "1", "add"), writes("m", "2", "add")],
      asks("m", { id: "2", name: "add", args: "b" }, { id: "1", name: "add", args: "a" }),
    ],
    ['add#1 writing took "a"', 'add#2 writing took "b"'],
  ],
  [
    "whole calls without ids, by their names",
    [
      ...[writes("m", "1", "add"), writes("m", "2", "sum")],
      asks("m", { name: "sum", args: "b" }, { name: "add", args: "a" }),
    ],
    ['add#1 writing took "a"', 'sum#2 writing took "b"'],
  ],
  [
    "whole calls without ids and of one name, in their order",
    [
      ...[writes("m", "1", "add"), writes("m", "2", "add")],
      asks("m", { name: "add", args: "a" }, { name: "add", args: "b" }),
    ],
    ['add#1 writing took "a"', 'add#2 writing took "b"'],
  ],
  [
    "a whole call that nobody wrote",
    [writes("m", "1", "add"), asks("m", { id: "9", name: "sum", args: "a" })],
    ["add#1 writing"],
  ],
  [
    "a whole call of one model, and another's of the same name",
    [
      ...[writes("m", "1", "add", "{"), writes("n", "2", "add", "{")],
      asks("n", { name: "add", args: "b" }),
      asks("m"),
    ],
    ["add#1 writing writes {", 'add#2 writing took "b"'],
  ],
  [
    "tools that do not say which call they answer, each the next of its name",
    [
      ...[writes("m", "1", "add"), writes("m", "2", "sum"), writes("m", "3", "add")],
      ...[runs("t", "sum"), runs("u", "add"), gives("u", 1), runs("v", "add"), runs("w", "add")],
    ],
    ["add#1 done gave 1", "sum#2 running", "add#3 running", "add running"],
  ],
  [
    "a run that ends: what was open is stopped, and nothing else",
    [
      ...[writes("m", "1", "add"), writes("m", "2", "add"), runs("t", "add", "1"), gives("t", 1)],
      ...[runs("u", "sum"), runs("v", "sum"), gives("v", 2), end],
    ],
    ["add#1 done gave 1", "add#2 stopped", "sum stopped", "sum done gave 2"],
  ],
  [
    "a model that begins anew: its own calls that nobody began",
    [
      ...[writes("m", "1", "add"), writes("n", "2", "add"), writes("m", "3", "add")],
      ...[runs("t", "add", "3"), reset("m"), writes("m", "1", undefined, "late")],
      ...[writes("n", "2", undefined, "x"), runs("u", "add")],
    ],
    ["add#2 running writes x", "add#3 running"],
  ],
  [
    "an id that is given again, to the newest",
    [
      ...[writes("m", "1", "add"), runs("t", "add", "1"), gives("t", 1)],
      ...[writes("m", "1", "add", "{"), writes("m", "1", undefined, "}")],
    ],
    ["add#1 done gave 1", "add#1 writing writes {}"],
  ],
  [
    "at the provider: what it took, then what it gave, under one id",
    [ran("m", "web", { input: { q: 1 } }, "w"), ran("m", "web_result", "found", "w")],
    ['web#w done took {"q":1} gave "found"'],
  ],
  [
    "at the provider: what was written, and is no call for the bot's tools",
    [
      ...[writes("m", "w", "web", "{"), asks("m", { id: "w", name: "web", args: "q" })],
      ...[ran("m", "web", "found", "w"), runs("t", "web"), end],
    ],
    ['web#w done took "q" gave "found"', "web stopped"],
  ],
  [
    "at the provider: beside a call for the bot's tools",
    [
      ...[writes("m", "w", "web"), writes("m", "1", "add"), ran("m", "web", "found", "w")],
      runs("t", "add"),
    ],
    ['web#w done gave "found"', "add#1 running"],
  ],
  [
    "at the provider: what it took is nothing",
    [ran("m", "web", null, "w"), ran("m", "web_result", "found", "w")],
    ['web#w done took null gave "found"'],
  ],
  [
    "at the provider: another model's id is another call",
    [ran("m", "web", null, "w"), ran("n", "web", "found", "w")],
    ["web#w done gave null", 'web#w done gave "found"'],
  ],
  [
    "at the provider: without ids each is its own",
    [ran("m", "web", 1), ran("m", "web", 2), writes("m", "w", "web")],
    ["web done gave 1", "web done gave 2", "web#w writing"],
  ],
];

describe.each([
  ["the server's fold", MessageFold],
  ["the fold that clients have", generated.MessageFold],
] as const)("%s", (_name, Fold) => {
  test.each(rows)("%s", (_of, events, lines) => {
    const [fold, read] = [new Fold(), new Fold()];
    for (const event of events) {
      fold.add(event);
      read.add(event);
      void read.parts;
    }
    expect(fold.parts.map(line)).toEqual(lines);
    expect(read.parts).toEqual(fold.parts);
  });
});

describe("a document that was found", () => {
  const url = "https://a.example/x";
  test.each<[string, Json | undefined, { url?: string; title?: string }]>([
    ["has no metadata", undefined, {}],
    ["has something else for metadata", null, {}],
    ["has a list for metadata", [url], {}],
    ["has a text for metadata", url, {}],
    ["has an address", { url }, { url, title: url }],
    ["has one as its source", { source: url }, { url, title: url }],
    [
      "has one as its link",
      { link: "HTTP://a.example" },
      { url: "HTTP://a.example", title: "HTTP://a.example" },
    ],
    [
      "has a file as its source, and a link",
      { source: "a.pdf", link: url },
      { url, title: "a.pdf" },
    ],
    ["has a file", { source: "a.pdf" }, { title: "a.pdf" }],
    ["only mentions an address", { source: `see ${url}` }, { title: `see ${url}` }],
    ["has a title", { url, title: "X" }, { url, title: "X" }],
    ["has a blank title and address", { url: "", title: "", link: url }, { url, title: url }],
    ["has numbers where texts would be", { url: 1, title: 2, source: { a: 1 } }, {}],
  ])("%s", (_what, metadata, expected) => {
    const fold = new MessageFold();
    const document = { text: "quoted", ...(metadata !== undefined && { metadata }) };
    fold.add({ type: "retrieverEnd", ...on("s"), at, documents: [document] });
    expect(fold.parts).toEqual([{ type: "source", ...expected, quote: "quoted", spanId: "s" }]);
  });

  test("without a text quotes nothing, and is one with others at its place that quote the same or nothing", () => {
    const fold = new MessageFold();
    const documents = ["", "one", "two", "one"].map((text) => ({ text, metadata: { url } }));
    fold.add({ type: "retrieverEnd", ...on("s"), at, documents });
    const parts = fold.parts.map((part) => (part.type === "source" ? part.quote : part.type));
    expect(parts).toEqual(["one", "two"]);
  });
});
