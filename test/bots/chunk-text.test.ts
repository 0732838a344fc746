/** Chunks that are read without being parsed are the ones that parsing would give. */
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type Chunk,
  joinText,
  TextChunk,
  textOf,
} from "../../src/bots/provider/answer/chunk-text.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", '"', "\\", "\n", '"content":"x"', '"},"logprobs":null', "\u2028", "炭酸水"),
);
const delta = fc.oneof(
  fc.record({ content: text }),
  fc.record({ role: fc.constant("assistant"), content: text }),
  fc.record({ content: text, refusal: text }),
  fc.constant({}),
);
const choice = fc.record(
  {
    index: fc.constantFrom(0, 1),
    delta,
    logprobs: fc.constant(null),
    finish_reason: fc.constant(null),
  },
  { requiredKeys: ["index", "delta"] },
);
const chunk = fc.record({
  id: fc.constantFrom("a", "b"),
  choices: fc.array(choice, { maxLength: 2 }),
});
const spelling = fc.constantFrom(
  (value: unknown) => JSON.stringify(value),
  (value: unknown) => JSON.stringify(value).replaceAll('":', '": '),
  (value: unknown) => JSON.stringify(value, null, 1),
);
const eventOf = (data: string): Buffer =>
  Buffer.from(`data: ${data.replaceAll("\n", "\ndata: ")}\n\n`);

it("reads what it reads as JSON does, whatever came before", () => {
  let unparsed = 0;
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 12 }), spelling, (chunks, spelled) => {
      const pattern = new TextChunk();
      for (const value of chunks) {
        const data = spelled(value);
        const event = eventOf(data);
        const parsed = JSON.parse(data) as Chunk;
        const read = pattern.read(event);
        if (read === undefined) pattern.learn(event, parsed);
        else {
          unparsed += 1;
          expect(joinText(pattern.like, read)).toEqual(parsed);
        }
      }
    }),
    { numRuns: 5_000 },
  );
  expect(unparsed).toBeGreaterThan(0);
});

it("reads all but the first of an answer's chunks of text without parsing them", () => {
  const pattern = new TextChunk();
  const chunkOf = (content: string) =>
    ({ id: "a", choices: [{ index: 0, delta: { content }, finish_reason: null }] }) as Chunk;
  pattern.learn(eventOf(JSON.stringify(chunkOf("Soda"))), chunkOf("Soda"));
  const words = [" water", ",", " 炭酸", "水"];
  const read = words.map((word) => pattern.read(eventOf(JSON.stringify(chunkOf(word)))));
  expect(read).toEqual(words);
});

it.each([
  ["a tool call", { delta: { content: "", tool_calls: [] } }],
  ["a finish", { delta: { content: "x" }, finish_reason: "stop" }],
  ["log probabilities", { delta: { content: "x" }, logprobs: { content: [] } }],
  ["a refusal", { delta: { content: "x", refusal: "no" } }],
  ["reasoning", { delta: { content: "", reasoning_content: "hm" } }],
  ["another choice", { index: 1, delta: { content: "x" } }],
])("is no mere text: %s", (_what, fields) => {
  expect(textOf({ id: "a", choices: [{ index: 0, ...fields }] } as unknown as Chunk)).toBe(
    undefined,
  );
});
