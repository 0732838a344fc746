/** What a block that the AI SDK was told of can become, and how that is told. */
import { describe, expect, test } from "vitest";
import type { Block } from "../../client/src/ai-sdk/blocks.ts";
import { SentBlock } from "../../client/src/ai-sdk/sent-block.ts";

const text = (said: string): Block => ({ kind: "text", text: said });
const tool = (state: string, more: object = {}, id = "c") =>
  ({ kind: "tool", id, of: { type: "tool", name: "t", state, ...more } }) as Block;
const whole = (part: object) => ({ kind: "whole", part }) as Block;
const data = (value: unknown, more: object = {}) =>
  whole({ type: "data-n", id: "state/n", data: value, ...more });
const page = (title: string) => whole({ type: "source-url", sourceId: "a", url: "a", title });

const writes = (inputText: string) => tool("writing", { inputText });
const fails = (message: string) => tool("failed", { input: 1, error: { message } });
const available = { type: "tool-output-available" };

const cases: [string, Block, Block | undefined, readonly object[] | undefined][] = [
  ["a text goes on", text("a"), text("ab"), [{ type: "text-delta", id: "7", delta: "b" }]],
  ["a text stays", text("a"), text("a"), []],
  ["a text becomes another", text("ab"), text("ac"), undefined],
  ["a text becomes shorter", text("ab"), text("a"), undefined],
  ["a text becomes reasoning", text("a"), { kind: "reasoning", text: "a" }, undefined],
  ["a text goes", text("a"), undefined, undefined],
  ["data is replaced", data(1), data(2), [{ type: "data-n", id: "state/n", data: 2 }]],
  ["data stays", data({ n: 1 }), data({ n: 1 }), []],
  ["data without an id becomes other data", data(1, { id: undefined }), data(2), undefined],
  ["data loses its id", data(1), data(2, { id: undefined }), undefined],
  ["a page becomes another", page("One"), page("Two"), undefined],
  [
    "a call is written on",
    writes('{"a"'),
    writes('{"a":1}'),
    [{ type: "tool-input-delta", inputTextDelta: ":1}" }],
  ],
  ["a call stays", writes("{"), writes("{"), []],
  ["a call is written anew", writes('{"a"'), writes('{"b"'), undefined],
  ["a call becomes another", writes("{"), tool("writing", {}, "d"), undefined],
  ["a call becomes another tool's", writes("{"), tool("writing", { name: "u" }), undefined],
  [
    "a call is there",
    writes("{"),
    tool("running", { input: { a: 1 } }),
    [{ type: "tool-input-available", input: { a: 1 } }],
  ],
  [
    "a tool goes on with other arguments",
    tool("running", { input: 1 }),
    tool("running", { input: 2 }),
    [{ type: "tool-input-available", input: 2 }],
  ],
  [
    "a tool has progress",
    tool("running", { input: 1 }),
    tool("running", { input: 1, progress: "half" }),
    [{ ...available, output: "half", preliminary: true }],
  ],
  [
    "a tool's progress stays",
    tool("running", { input: 1, progress: "half" }),
    tool("running", { input: 1, progress: "half" }),
    [],
  ],
  ["a tool ends", tool("running", { input: 1 }), tool("done", { input: 1 }), [available]],
  [
    "a tool fails",
    tool("running", { input: 1 }),
    fails("No."),
    [{ type: "tool-output-error", errorText: "No." }],
  ],
  ...(["running", "done", "failed", "stopped"] as const).flatMap((state) =>
    (["done", "failed", "stopped"] as const).map((ended): [string, Block, Block, undefined] => [
      `a tool that is ${ended} is ${state} after it`,
      tool(ended, { input: 1 }),
      tool(state, { input: 1, output: "other" }),
      undefined,
    ]),
  ),
];

describe("what was told", () => {
  test.each(cases)("where %s", (_what, before, now, chunks) => {
    const sent = new SentBlock(before, 7);
    sent.begin();
    const told = sent.change(now);
    if (chunks === undefined) expect(told).toBeUndefined();
    else {
      expect(told).toMatchObject(chunks);
      expect(told).toHaveLength(chunks.length);
    }
    expect(sent.isChanged).toBe((chunks?.length ?? 0) > 0);
    // What could not be told was not: it is still what it was.
    expect(sent.block).toBe(chunks === undefined ? before : now);
    expect(sent.change(sent.block)).toEqual([]);
    expect(sent.isChanged).toBe(false);
  });

  test("is closed once, and goes on no more", () => {
    const sent = new SentBlock(text("a"), 7);
    expect(sent.close()).toEqual([{ type: "text-end", id: "7" }]);
    expect(sent.close()).toEqual([]);
    expect(sent.change(text("a"))).toEqual([]);
    expect(sent.change(text("ab"))).toBeUndefined();
    for (const block of [tool("running"), data(1)])
      expect(new SentBlock(block, 7).close()).toEqual([]);
  });
});
