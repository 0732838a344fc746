/** A text that grows by pieces is their text, whoever's string it holds. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { GrowingText } from "../../src/protocol/fold/growing-text.ts";
import { MessageFold } from "../../src/protocol/fold/message-fold.ts";

const piece = fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom("x".repeat(2_000), ""));

test("it is what its pieces are together, by its own string or by another's of the same text", () => {
  const step = fc.record({ piece, shares: fc.boolean(), with: fc.constantFrom("", "y", "same") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 700 }), (steps) => {
      const growing = new GrowingText("");
      let whole = "";
      for (const one of steps) {
        growing.add(one.piece);
        whole += one.piece;
        // Of the same length, of another, and the same.
        const other = one.with === "same" ? whole : whole.slice(1) + one.with;
        if (one.shares) growing.share(other);
      }
      expect(growing.text).toBe(whole);
      growing.share(`${whole}y`);
      expect(growing.text).toBe(whole);
    }),
    { numRuns: 50 },
  );
});

test("long pieces stay as they are, whatever their number, and short ones are joined now and then", () => {
  for (const [piece, isJoined] of [
    ["x".repeat(1_024), false],
    ["x", true],
  ] as const) {
    const join = vi.spyOn(Array.prototype, "join");
    const growing = new GrowingText();
    for (let count = 0; count < 2_000; count++) growing.add(piece);
    growing.share(piece.repeat(2_000));
    const { length } = growing.text;
    const joins = join.mock.calls.length;
    join.mockRestore();
    expect([length, joins > 0]).toEqual([2_000 * piece.length, isJoined]);
  }
});

test("an answer that somebody else has made of the same pieces is joined by nobody else", () => {
  const message = new MessageFold();
  const [runId, spanId] = ["run", "span"];
  for (let count = 0; count < 200; count++) {
    message.add({ type: "token", runId, spanId, text: `${count}` });
  }
  const answer = Array.from({ length: 200 }, (_, count) => `${count}`).join("");
  const join = vi.spyOn(Array.prototype, "join");
  message.share(answer);
  const parts = message.end(answer);
  const { length } = join.mock.calls;
  join.mockRestore();
  expect([length, parts]).toEqual([0, [{ type: "text", text: answer, final: true }]]);
});
