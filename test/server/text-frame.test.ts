/** Frames as they are written to sockets, byte by byte; test/server/frame-sender.test.ts has ws read them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { textFrame } from "../../src/server/connections/frames/text-frame.ts";

/** As RFC 6455 has it, in 5.2: the last fragment, a text, not masked. */
function frameByTheBook(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const size = Buffer.alloc(8);
  size.writeUInt32BE(length, 4);
  if (length < 126) return Buffer.concat([Buffer.of(0x81, length), payload]);
  if (length < 65_536) return Buffer.concat([Buffer.of(0x81, 126), size.subarray(6), payload]);
  return Buffer.concat([Buffer.of(0x81, 127), size, payload]);
}

function isByTheBook(text: string): boolean {
  return textFrame(text).equals(frameByTheBook(text));
}

test.each([0, 1, 125, 126, 127, 255, 256, 16_383, 16_384, 65_535, 65_536, 200_000])(
  "a text of %d bytes, of ASCII alone or not",
  (bytes) => {
    expect(isByTheBook("a".repeat(bytes))).toBe(true);
    if (bytes > 2) expect(isByTheBook(`${"a".repeat(bytes - 2)}é`)).toBe(true);
  },
);

test("any text, halves of surrogate pairs too", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 50 }), isByTheBook));
});
