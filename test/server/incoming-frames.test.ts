/** What comes in frames: what is refused, under which id, and at what cost. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { LangwireError } from "../../src/protocol/errors.ts";
import {
  FrameReader,
  hasMoreThan,
  type RequestId,
  readParams,
} from "../../src/server/connections/incoming-frames.ts";

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

test("counting the elements of a list agrees with parsing it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 6 }), (value, max) => {
      const expected = Array.isArray(value) && value.length > max;
      expect(hasMoreThan(JSON.stringify(value), max)).toBe(expected);
      expect(hasMoreThan(` \n${JSON.stringify(value, null, 2)}`, max)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});
