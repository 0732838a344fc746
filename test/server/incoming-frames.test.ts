/** What comes in frames: what is refused, under which id, and at what cost. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { LangwireError } from "../../src/protocol/errors.ts";
import {
  FrameReader,
  type RequestId,
  readParams,
} from "../../src/server/connections/frames/incoming-frames.ts";
import { idAt, scanJson } from "../../src/server/connections/frames/json-scan.ts";

interface Refused {
  readonly id: RequestId;
  readonly code: LangwireError["code"];
}

function reader({ maxRequestsPerSecond = 100_000 } = {}) {
  const refused: Refused[] = [];
  const seen = { floods: 0 };
  const limits = { maxMessagesPerFrame: 10, maxSubscriptionsPerSocket: 5, maxRequestsPerSecond };
  const frames = new FrameReader(limits, {
    refuse: (id, { code }) => refused.push({ id, code }),
    cutOff: () => seen.floods++,
  });
  return { frames, refused, seen };
}

function query(id: unknown, more: object = {}) {
  return { id, method: "query", params: { path: "bots.list" }, ...more };
}

describe("a request with the wrong shape", () => {
  test.each([
    ["no id", { method: "query", params: { path: "a" } }, null],
    ["null as id", query(null), null],
    ["an object as id", query({}), null],
    ["a fraction as id", query(1.5), null],
    ["an endless id", query("x".repeat(65)), null],
    ["another method", query(7, { method: "delete" }), 7],
    ["a method of objects", query("a", { method: "toString" }), "a"],
    ["no parameters", query(7, { params: undefined }), 7],
    ["a list of parameters", query(7, { params: [] }), 7],
    ["no path", query(7, { params: {} }), 7],
    ["a number as path", query(7, { params: { path: 1 } }), 7],
    ["a number as event id", query(7, { params: { path: "a", lastEventId: 1 } }), 7],
    ["another JSON-RPC", query(7, { jsonrpc: "1.0" }), 7],
    ["a string", "PANG", null],
    ["a list", [], null],
    ["nothing", null, null],
  ])("%s is refused under its id, and its neighbours are not", (_what, bad, id) => {
    const { frames, refused } = reader();
    expect(frames.read(JSON.stringify([query(1), bad, query(2)]))).toEqual([query(1), query(2)]);
    expect(refused).toEqual([{ id, code: "BAD_INPUT" }]);
  });

  test("an infinite id has no text in JSON, so it counts as none", () => {
    const { frames, refused } = reader();
    frames.read('{"id":1e999,"method":"query","params":{"path":"a"}}');
    expect(refused).toEqual([{ id: null, code: "BAD_INPUT" }]);
  });

  test.each(["{", "", "undefined"])("%j is not JSON", (text) => {
    const { frames } = reader();
    expect(() => frames.read(text)).toThrow(SyntaxError);
  });
});

describe("too much at once", () => {
  test("every request of a frame that has too many is refused under its id", () => {
    const { frames, refused } = reader();
    const ids = Array.from({ length: 11 }, (_, index) => index);
    expect(frames.read(JSON.stringify(ids.map((id) => query(id))))).toEqual([]);
    expect(refused.map(({ id }) => id)).toEqual(ids);
    expect(frames.read(JSON.stringify(query(1)))).toEqual([query(1)]);
  });

  test("frames that are no JSON count as requests do", () => {
    const { frames, seen } = reader({ maxRequestsPerSecond: 100 });
    for (let index = 0; index < 10_000 && seen.floods === 0; index++) {
      try {
        frames.read("{");
      } catch {
        // Answered with an error, as long as there are not too many.
      }
    }
    expect(seen.floods).toBe(1);
  });

  test("200,000 requests in a frame are not even parsed", () => {
    const { frames, refused, seen } = reader();
    const frame = `[${Array(200_000)
      .fill(JSON.stringify(query(1)))
      .join(",")}]`;
    using parsed = vi.spyOn(JSON, "parse");
    expect(frames.read(frame)).toEqual([]);
    expect(parsed).not.toHaveBeenCalled();
    expect(refused).toEqual([{ id: null, code: "BAD_INPUT" }]);
    expect(seen.floods).toBe(1);
    expect(frames.read(JSON.stringify(query(2)))).toEqual([]);
  });

  test("above the rate requests are refused, but stopping is not; far above it ends", () => {
    const { frames, refused, seen } = reader({ maxRequestsPerSecond: 20 });
    for (let id = 0; id < 20; id++) expect(frames.read(JSON.stringify(query(id)))).toHaveLength(1);
    expect(frames.read(JSON.stringify(query(20)))).toEqual([]);
    expect(refused).toEqual([{ id: 20, code: "RATE_LIMITED" }]);
    expect(frames.read('{"id":1,"method":"subscription.stop"}')).toHaveLength(1);
    for (let id = 0; id < 100; id++) frames.read(JSON.stringify(query(id)));
    expect(seen.floods).toBe(1);
    expect(refused.length).toBeLessThan(60);
  });
});

describe("the first frame, where it says who is calling", () => {
  test.each([[{ token: "t" }], [{}], [null]])("%j", (data) => {
    expect(readParams(JSON.stringify({ method: "connectionParams", data }))).toEqual(data);
  });

  test.each([
    "{",
    `"${"x".repeat(20_000)}"`,
    "[]",
    '{"method":"query","data":{}}',
    '{"method":"connectionParams"}',
    '{"method":"connectionParams","data":["t"]}',
    '{"method":"connectionParams","data":{"token":1}}',
  ])("%.50s… is not it", (text) => {
    expect(() => readParams(text)).toThrow(SyntaxError);
  });
});

const request = query(1, { params: { path: "bots.list", input: { json: {} } } });
const withInput = (id: unknown, json: unknown) =>
  query(id, { params: { path: "bots.list", input: { json } } });
const fields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`field${index}`, index]));
const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));

describe("what would take long to parse is refused under its id, unparsed", () => {
  test.each([
    ["many unknown fields", withInput(7, fields(15_000)), [7]],
    ["a long list", withInput("a", { only: Array(20_000).fill(1) }), ["a"]],
    ["depth", withInput('a \\ "b"', { message: nested(500) }), ['a \\ "b"']],
    ["marks", query(8, { params: { path: "a", input: { json: {}, meta: fields(9_000) } } }), [8]],
    ["fields beside the known ones", { ...fields(9_000), ...query(9) }, [9]],
    ["one of several", [query(1), withInput(2, fields(15_000)), query(3)], [1, 2, 3]],
    ["an id of another form", withInput({ id: 5 }, fields(15_000)), [null]],
    ["no id", fields(15_000), [null]],
    ["ids without end", Array(30).fill({ id: nested(40) }), [null]],
  ])("%s", (_what, frame, ids) => {
    const { frames, refused } = reader();
    const text = JSON.stringify(frame);
    const parse = vi.spyOn(JSON, "parse");
    expect(frames.read(text)).toEqual([]);
    const longest = Math.max(0, ...parse.mock.calls.map(([it]) => String(it).length));
    parse.mockRestore();
    expect(longest).toBeLessThan(100);
    expect(refused).toEqual(ids.map((id) => ({ id, code: "BAD_INPUT" })));
    expect(frames.read(JSON.stringify(request))).toEqual([request]);
  });

  test.each([
    ["a long text of quotes", withInput(1, { message: '"\\'.repeat(60_000) })],
    ["a long text of brackets", withInput(1, { message: "[{,".repeat(60_000) })],
    ["a hundred subscriptions", Array.from({ length: 10 }, (_, id) => withInput(id, fields(30)))],
  ])("%s is no such thing", (_what, frame) => {
    const { frames, refused } = reader();
    const messages = Array.isArray(frame) ? frame : [frame];
    expect(frames.read(JSON.stringify(frame))).toEqual(messages);
    expect(refused).toEqual([]);
  });
});

describe("looking over JSON text", () => {
  const depthOf = (value: unknown): number =>
    typeof value === "object" && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
      : 0;

  test("agrees with parsing it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const text of [JSON.stringify(value), ` \n${JSON.stringify(value, null, 2)}`]) {
          const { elements, depth } = scanJson(text);
          expect(elements).toBe(Array.isArray(value) ? Math.max(value.length, 1) : 1);
          expect(depth).toBe(depthOf(value));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("comes to an end with any text", () => {
    const piece = fc.constantFrom('"', "\\", "[", "]", "{", "}", ",", ":", '"id":', "\ud800", "1");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 50 }), (pieces) => {
        const text = pieces.join("");
        for (const at of scanJson(text).ids) idAt(text, at);
      }),
      { numRuns: 1_000 },
    );
  });
});
