/** The input side of superjson: what a stock client sends is revived, and nothing else is. */
import fc from "fast-check";
import superjson from "superjson";
import { describe, expect, test } from "vitest";
import { eventTypes } from "../../src/protocol/events.ts";
import { reviveInput, unacceptable } from "../../src/server/connections/call-input.ts";

/** What comes out at the other end of the wire. */
function sent(payload: unknown): unknown {
  return reviveInput(JSON.parse(JSON.stringify(payload)));
}

describe("what stock superjson makes of an input", () => {
  test.each([
    [{ runId: "a", message: "b", only: ["token"], lastEventId: "3" }],
    [{ conversationId: "a", cursor: undefined, limit: 5 }],
    [{ only: [...eventTypes] }],
    [{}],
    [undefined],
    [null],
  ])("%o comes back", (input) => {
    expect(sent(superjson.serialize(input))).toEqual(input);
  });

  test("holds for any flat object", () => {
    const value = fc.oneof(fc.string(), fc.double({ noDefaultInfinity: true, noNaN: true }));
    const field = fc.oneof(value, fc.boolean(), fc.constant(null), fc.constant(undefined));
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.dictionary(name, field), (input) => {
        // JSON has no negative zero; superjson marks it, and no input of ours is one.
        fc.pre(!Object.values(input).some((it) => Object.is(it, -0)));
        expect(sent(superjson.serialize(input))).toEqual({ ...input });
      }),
    );
  });
});

describe("a typed bot's input", () => {
  test.each<[object]>([
    [{ file: "a", lines: [{ total: 1 }, { total: null }], deep: { deeper: { deepest: [] } } }],
    [{ left: undefined, "a.b": { "c\\.d": undefined, e: 1 }, list: [{ gone: undefined }] }],
    [["a", ["list"]]],
  ])("comes as JSON would bring it: %j", (input) => {
    const json = JSON.parse(JSON.stringify(input)) as unknown;
    expect(sent(superjson.serialize({ runId: "a", input }))).toEqual({ runId: "a", input: json });
  });

  test("comes the same where superjson made it of any JSON with undefined fields", () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.array(tie("value")),
        fc.dictionary(fc.string(), fc.option(tie("value"), { nil: undefined })),
      ),
    }));
    fc.assert(
      fc.property(value, (input) => {
        fc.pre(!JSON.stringify(input).includes("__proto__"));
        const json = JSON.parse(JSON.stringify(input)) as unknown;
        expect(sent(superjson.serialize({ input }))).toEqual({ input: json });
      }),
    );
  });

  test("is no JSON where superjson marks more than that", () => {
    const marked = superjson.serialize({ input: { since: new Date(0) } });
    expect(sent(marked)).toBe(unacceptable);
  });
});

describe("what no stock client sends for our inputs", () => {
  const deep = (levels: number) =>
    JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`) as unknown;

  const marks = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`input.${at}`, ["undefined"]]));

  test("as many marks as there may be are read", () => {
    expect(reviveInput({ json: {}, meta: { values: marks(1_000) } })).toEqual({});
  });

  test.each([
    ["a regular expression", superjson.serialize({ cursor: /(a+)+$/ })],
    ["a big integer", superjson.serialize({ limit: 10n ** 400n })],
    ["a date", superjson.serialize({ cursor: new Date(0) })],
    ["a set", superjson.serialize({ only: new Set(["token"]) })],
    ["a map", superjson.serialize(new Map([["a", 1]]))],
    ["an error", superjson.serialize({ cursor: new Error("x") })],
    ["not a number", superjson.serialize({ limit: Number.NaN })],
    ["the same object twice", superjson.serialize({ a: deep(1), b: deep(1) })],
    ["an object in a field", { json: { message: { length: 1 } } }],
    ["a list in a list", { json: { only: [["token"]] } }],
    ["a list that is too long", { json: { only: Array(1_000).fill("token") } }],
    ["many fields", { json: Object.fromEntries(Array.from({ length: 99 }, (_, i) => [i, i])) }],
    ["depth", { json: { message: deep(20_000) } }],
    ["depth in the marks", { json: {}, meta: { values: deep(20_000) } }],
    ["a list", { json: [1] }],
    ["a string", "json"],
    ["a number in its place", { json: 5 }],
    ["marks that are none", { json: {}, meta: "undefined" }],
    ["marks without an end", { json: {}, meta: { values: marks(1_001) } }],
  ])("%s is unacceptable", (_what, payload) => {
    expect(reviveInput(payload)).toBe(unacceptable);
  });

  test.each([
    '{"json":{"__proto__":{"polluted":true}}}',
    '{"json":{"constructor":{"prototype":{"polluted":true}}}}',
    '{"json":{"__proto__":1,"toString":2}}',
    '{"json":{},"meta":{"values":{"__proto__":["undefined"]}}}',
    '{"json":{"a":1},"meta":{"values":{"__proto__.polluted":["undefined"]}}}',
    '{"__proto__":{"json":{"a":1}}}',
    '{"json":{},"meta":{"referentialEqualities":{"a":["__proto__.polluted"]}}}',
  ])("%s pollutes no prototype", (text) => {
    const revived = reviveInput(JSON.parse(text));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    if (typeof revived !== "object" || revived === null) return;
    expect(Object.getPrototypeOf(revived)).toBe(Object.prototype);
    expect(String({})).toBe("[object Object]");
  });

  test("nothing makes it throw, or take its time", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (json, meta) => {
        reviveInput(json);
        reviveInput({ json, meta: { values: meta } });
        reviveInput({ json: { a: json }, meta });
      }),
      { numRuns: 2_000 },
    );
  });
});
