/** Which neighbours are one text, and that joining them changes nothing but their number. */
import { expect, test } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";

const kinds = ["token", "reasoning", "toolProgress"] as const;
const places = ["run 1", "run 2"].flatMap((runId) =>
  ["span 1", "span 2"].map((spanId) => ({ runId, spanId })),
);
const pieces = [
  ...kinds.flatMap((type) => places.map((place) => ({ type, ...place }))),
  ...["call 1", "call 2"].flatMap((toolCallId) =>
    places.map((place) => ({ type: "toolInput" as const, ...place, toolCallId })),
  ),
];
const others: ChatEvent[] = [
  { type: "custom", runId: "run 1", spanId: "span 1", name: "x" },
  { type: "reset", runId: "run 1", spanId: "span 1" },
  { type: "toolProgress", runId: "run 1", spanId: "span 1", data: 1 },
  { type: "toolProgress", runId: "run 1", spanId: "span 1", text: "a", data: 1 },
  { type: "toolInput", runId: "run 1", spanId: "span 1", toolCallId: "call 1", name: "a" },
];
const events: ChatEvent[] = [...pieces.map((piece) => ({ ...piece, text: "é" })), ...others];

test("only texts of one kind, one run, one span and one call are joined, when they are written and when they are read", () => {
  for (const first of events) {
    for (const second of events) {
      const isOne = first === second && !others.includes(first);
      const entry = LogEntry.of(1, first);
      expect([first, second, entry.isNeighbour(second)]).toEqual([first, second, isOne]);
      expect(entry.takesIn(second)).toBe(isOne);
      expect(entry.continuesWith(LogEntry.of(2, second))).toBe(isOne);
      // One that shares the first one's head, where it may.
      const sharing = LogEntry.of(2, second, [entry]);
      expect(entry.continuesWith(sharing)).toBe(isOne);
      expect(sharing.event).toEqual(second);
    }
  }
});

test.each(pieces)("$type of $runId, $spanId: joined, it is the one text", (piece) => {
  const texts = ["a", '"\\\n', "\ud83d", "\ude00", "é".repeat(20)];
  const entries: LogEntry[] = [];
  for (const [index, text] of texts.entries()) {
    entries.push(LogEntry.of(index + 1, { ...piece, text }, entries));
  }
  const [first, ...rest] = entries;
  if (first === undefined) throw new Error("no entry");
  const whole: ChatEvent = { ...piece, text: texts.join("") };
  const joined = LogEntry.joined(first, rest);
  expect([joined.seq, joined.type, joined.runId]).toEqual([5, piece.type, piece.runId]);
  expect(joined.event).toEqual(whole);
  const bytes = (parts: readonly LogEntry[]) => parts.reduce((sum, part) => sum + part.bytes, 0);
  expect(bytes([joined])).toBe(bytes(entries));
  const extended = LogEntry.of(1, { ...piece, text: "" });
  for (const text of texts) extended.extend({ ...piece, text });
  expect(extended.bytes).toBe(bytes(entries));
  extended.settle();
  expect(extended.event).toEqual(whole);
  expect(LogEntry.parse(1, extended.json).event).toEqual(whole);
  expect(LogEntry.joined(first, [])).toBe(first);
});

test.each([
  ["a run's end", "x".repeat(100_000)],
  ["a run's end, cut within characters of two units", "😀".repeat(50_000)],
  ["a run's end, cut within others of them", `x${"😀".repeat(50_000)}`],
  ["a run's end, with halves of characters and what is escaped", '\ud83d"\\\n'.repeat(10_000)],
  ["a run's end that is short", "done"],
])("piece by piece, the JSON of an entry is the whole one: %s", (_what, text) => {
  const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
  const error = { code: "INTERNAL", message: '"text":""', retryable: false } as const;
  const output = { text: "" };
  const ended = {
    type: "runEnd",
    runId: "r",
    at: "",
    status: "failed",
    output,
    usage,
    error,
  } as const;
  const events: ChatEvent[] = [
    { ...ended, text },
    { type: "token", runId: "r", spanId: "s", text },
    { type: "custom", runId: "r", spanId: "s", name: "n", data: text },
  ];
  for (const event of events) {
    const entry = LogEntry.of(1, event);
    const bytes = Buffer.concat([...entry.jsonPieces()].map((piece) => Buffer.from(piece)));
    expect(JSON.parse(String(bytes))).toEqual(event);
    expect(String(bytes)).toBe(entry.json);
    expect(LogEntry.unpack(1, entry.json)).toMatchObject({ type: event.type, runId: "r" });
    expect(entry.jsonBytes).toBe(bytes.length);
    for (const piece of entry.jsonPieces()) expect(piece.length).toBeLessThan(200 * 1024);
  }
});

test("an entry takes in texts until it is as much as a reader should be given at once", () => {
  const piece = { type: "token", runId: "r", spanId: "s", text: "x".repeat(1_024) } as const;
  const entry = LogEntry.of(1, { ...piece, text: "" });
  let taken = 0;
  for (; entry.takesIn(piece) && taken < 100; taken++) entry.extend(piece);
  expect(taken).toBe(32);
  expect(entry.bytes).toBeGreaterThanOrEqual(32 * 1_024);
  const room = 32 * 1_024 - LogEntry.of(1, { ...piece, text: "" }).bytes;
  for (const [length, takesMore] of [
    [room - 1, true],
    [room, false],
  ] as const) {
    const filled = LogEntry.of(1, { ...piece, text: "x".repeat(length) });
    expect([filled.bytes, filled.takesIn(piece)]).toEqual([32 * 1_024 - room + length, takesMore]);
  }
});

test("of sixteen spans that alternate each shares one head, and a seventeenth none", () => {
  for (const [spans, shares] of [
    [16, true],
    [17, false],
  ] as const) {
    const entries: LogEntry[] = [];
    for (let index = 0; index < 3 * spans; index++) {
      const spanId = `span ${index % spans}`;
      const event: ChatEvent = { type: "token", runId: "r", spanId, text: "x" };
      entries.push(LogEntry.of(index + 1, event, entries));
    }
    expect(entries.slice(spans).every(({ bytes }) => (bytes === 1) === shares)).toBe(true);
  }
});

test("what is unpacked without being parsed is what is parsed", () => {
  const odd: ChatEvent[] = [
    { type: "runEnd", runId: 'a "quoted" run', at: "now", status: "completed", text: "\ud83d" },
    { type: "custom", runId: "run 1", spanId: "span 1", name: "x", data: { type: "token" } },
    JSON.parse('{"runId":"run 1","type":"custom","spanId":"span 1","name":"another order"}'),
    JSON.parse('{"type":"ofALaterVersion","runId":"run 1","spanId":"span 1"}'),
  ];
  const all = [...events, ...odd];
  for (const event of all) {
    const json = JSON.stringify(event);
    const [parsed, unpacked] = [LogEntry.parse(3, json), LogEntry.unpack(3, json)];
    for (const of of ["seq", "type", "runId", "json", "event", "bytes", "jsonBytes"] as const) {
      expect([event, of, unpacked[of]]).toEqual([event, of, parsed[of]]);
    }
    for (const next of all) {
      expect(unpacked.isNeighbour(next)).toBe(parsed.isNeighbour(next));
      const following = LogEntry.unpack(4, JSON.stringify(next));
      expect(unpacked.continuesWith(following)).toBe(parsed.continuesWith(following));
    }
  }
});

test("what follows an entry of another process is what its JSON says, however it was cut out", () => {
  const texts = [
    "a",
    'say "so"',
    "back\\slash",
    "\\",
    "line\nbreak",
    "炭酸",
    "\ud83d",
    "",
    "x".repeat(99),
  ];
  const spoken = pieces.flatMap((piece) => texts.map((text) => ({ ...piece, text }) as ChatEvent));
  const foreign = [
    // A later version may write more fields, or in another order.
    '{"type":"token","runId":"run 1","spanId":"span 1","text":"a","more":"b"}',
    '{"spanId":"span 1","runId":"run 1","type":"token","text":"a"}',
  ];
  const jsons = [...[...spoken, ...others].map((event) => JSON.stringify(event)), ...foreign];
  for (const first of events.map((event) => LogEntry.of(1, event))) {
    for (const json of jsons) {
      const [next, parsed] = [first.followedBy(2, json), LogEntry.parse(2, json, [first])];
      expect(next.event).toEqual(parsed.event);
      for (const of of ["seq", "json", "bytes", "jsonBytes"] as const) {
        expect([json, of, next[of]]).toEqual([json, of, parsed[of]]);
      }
      expect(first.continuesWith(next)).toBe(first.continuesWith(parsed));
    }
  }
});

test("what can be cut out or kept as it came is not made anew: it stays as it was spelt", () => {
  const [type, runId, spanId] = ["custom", "run 1", "span 1"];
  // As no JSON is spelt that JavaScript makes.
  const event = JSON.stringify({ type, runId, spanId, name: "x", data: 0 });
  const spelt = event.replace('"data":0', '"data":12345678901234567890.0');
  expect(LogEntry.unpack(1, spelt).json).toBe(spelt);
  for (const piece of pieces) {
    const first = LogEntry.of(1, { ...piece, text: "a" });
    const json = JSON.stringify({ ...piece, text: "" }).replace(/"\}$/, '\\u0061"}');
    const next = first.followedBy(2, json);
    const isSpeltAsOurs = JSON.stringify(next.event) === JSON.stringify({ ...piece, text: "a" });
    expect([next.json, isSpeltAsOurs]).toEqual([json, true]);
  }
});

test("a line that continues a text is one, behind an entry that has a text", () => {
  const event: ChatEvent = { type: "token", runId: "run 1", spanId: "span 1", text: "a" };
  const entry = LogEntry.of(1, event);
  const next = entry.continued(2, JSON.stringify("é"));
  expect([next.seq, next.bytes, next.event]).toEqual([2, 2, { ...event, text: "é" }]);
  expect(entry.continuesWith(next)).toBe(true);
  const line = /a line continues no text/;
  for (const text of ["", '"', '"a', "1"]) expect(() => entry.continued(2, text)).toThrow(line);
  for (const other of others) {
    expect(() => LogEntry.of(1, other).continued(2, '"a"')).toThrow(line);
  }
});
