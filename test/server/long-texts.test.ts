/** Long events as bytes: piece by piece for one reader, once for several, counted while anybody has them. */
import { expect, test } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { LongTexts } from "../../src/server/pacing/long-texts.ts";

const text = "é".repeat(200_000);
const entry = LogEntry.of(7, {
  ...{ type: "runEnd", runId: "r", at: new Date(0).toISOString(), status: "completed", text },
});
const holder = () => ({ stalledMs: () => 0, cut: () => {} });
const jsonOf = (pieces: Iterable<Buffer>) => String(Buffer.concat([...pieces]));

test("a single reader's pieces are made one by one, and those who come meanwhile share the same bytes", () => {
  const texts = new LongTexts();
  const first = texts.hold(entry, holder());
  const others = [texts.hold(entry, holder()), texts.hold(entry, holder())];
  const pieces = [...first.pieces];
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(70_000);
  expect(jsonOf(pieces)).toBe(entry.json);
  const [one, other] = others.map((held) => [...held.pieces]);
  expect(jsonOf(one ?? [])).toBe(entry.json);
  expect(one?.[0]).toBe(other?.[0]);
  expect(texts.bytes).toBe(entry.jsonBytes);
  for (const held of [first, ...others]) held.release();
  expect(texts.bytes).toBe(0);
  // After all of them: again a single one's.
  expect([...texts.hold(entry, holder()).pieces].length).toBeGreaterThan(1);
});
