/** Long events as bytes: piece by piece for one reader, once for several, counted while anybody has them. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
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

test("a connection that is sent the same for two subscriptions has it until both have it", () => {
  const texts = new LongTexts();
  const connection = holder();
  const [first, second] = [texts.hold(entry, connection), texts.hold(entry, connection)];
  first.release();
  expect(texts.bytes).toBe(entry.jsonBytes);
  // Who comes meanwhile shares it, and keeps it.
  const third = texts.hold(entry, holder());
  expect([...third.pieces][0]).toBe([...second.pieces][0]);
  second.release();
  expect(texts.bytes).toBe(entry.jsonBytes);
  third.release();
  expect(texts.bytes).toBe(0);
});

describe("past the limit of all texts together", () => {
  const mebibyte = 1024 * 1024;
  const long = (seq: number, mebibytes: number) =>
    ({
      ...{ runId: "r", seq, jsonBytes: mebibytes * mebibyte },
      ...{ json: "{}", jsonPieces: () => ["{}"] },
    }) as unknown as LogEntry;

  function setUp() {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const texts = new LongTexts();
    const cut: string[] = [];
    /** A reader who has taken nothing for so long, and lets go of its text when it is cut. */
    const hold = (name: string, entry: LogEntry, stalledMs: number) => {
      const reader = {
        stalledMs: vi.fn(() => stalledMs),
        cut: () => {
          cut.push(name);
          held.release();
        },
      };
      const held = texts.hold(entry, reader);
      return { ...reader, release: held.release };
    };
    return { texts, cut, hold };
  }

  test("readers who take nothing are cut, where all of a text's do, and no more of them than has to be", () => {
    const { texts, cut, hold } = setUp();
    hold("slow beside one who reads", long(1, 40), 60_000);
    const reads = hold("reads", long(1, 40), 0);
    hold("not slow for long enough", long(2, 1), 4_999);
    hold("slow", long(3, 20), 5_000);
    const later = hold("slow, of a later text", long(4, 40), 60_000);
    expect(texts.bytes).toBe(101 * mebibyte);
    vi.advanceTimersByTime(999);
    expect(cut).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(cut).toEqual(["slow", "slow, of a later text"]);
    expect(texts.bytes).toBe(41 * mebibyte);
    vi.advanceTimersByTime(1_000);
    expect([cut.length, vi.getTimerCount()]).toEqual([2, 0]);
    reads.release();
    expect(texts.bytes).toBe(41 * mebibyte);
    expect(later.stalledMs).toHaveBeenCalledOnce();
  });

  test("who is not cut has been looked at, for the time counts from there", () => {
    const { cut, hold } = setUp();
    hold("first", long(1, 40), 60_000);
    const second = hold("second", long(2, 30), 60_000);
    vi.advanceTimersByTime(1_000);
    expect([cut, second.stalledMs.mock.calls.length]).toEqual([["first"], 1]);
  });

  test("the limit itself is none too many", () => {
    const { cut, hold } = setUp();
    for (let seq = 1; seq <= 4; seq++) hold("slow", long(seq, 16), 60_000);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5_000);
    expect(cut).toEqual([]);
    hold("one more", long(5, 1), 0);
    vi.advanceTimersByTime(1_000);
    expect(cut).toEqual(["slow"]);
  });
});
