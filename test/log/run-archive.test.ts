/** The archive of a run: what was in the log is in it, from any number on, and damage is said. */
import { randomUUID } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ArchiveWriter,
  type CompressedEvents,
  DamagedArchiveError,
  RunArchive,
} from "../../src/log/archive/run-archive.ts";
import type { LogEntry } from "../../src/log/entry.ts";
import { EntryList } from "../../src/log/entry-list.ts";
import { sliceMaxBytes } from "../../src/log/slice.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";

const runId = randomUUID();
const spanIds = [randomUUID(), randomUUID()];
const at = new Date(0).toISOString();
const start: ChatEvent = {
  ...{ type: "runStart", runId, at, conversationId: randomUUID() },
  ...{ botId: "chat", userId: "alice", message: "Hello?" },
};
const end: ChatEvent = { type: "runEnd", runId, at, status: "completed", text: "Done." };

/** Entries as a log has them: a settled one takes in no more. */
function logged(events: readonly ChatEvent[], { after = 0, settleEvery = 1 } = {}): LogEntry[] {
  const list = new EntryList(after);
  for (const [index, event] of events.entries()) {
    list.append(event);
    if (index % settleEvery === 0) list.settleThrough(list.lastSeq);
  }
  list.settleThrough(list.lastSeq);
  return [...list.entries];
}

async function archived(entries: readonly LogEntry[]): Promise<CompressedEvents> {
  const writer = new ArchiveWriter();
  await writer.add(entries);
  return await writer.end();
}

async function readFrom(archive: RunArchive, after: number): Promise<LogEntry[]> {
  const read: LogEntry[] = [];
  for (let position = after; ; ) {
    const slice = await archive.after(position);
    const last = slice.at(-1);
    if (last === undefined) return read;
    expect(slice.length).toBeLessThanOrEqual(256);
    const bytes = slice.reduce((sum, { jsonBytes }) => sum + jsonBytes, 0);
    expect(slice.length === 1 || bytes <= sliceMaxBytes).toBe(true);
    read.push(...slice);
    position = last.seq;
  }
}

/** By value: where the halves of one character came apart, their JSON may be spelt in two ways. */
const shown = (entries: readonly LogEntry[]) =>
  entries.map(({ seq, json }): [number, unknown] => [seq, JSON.parse(json)]);

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "\n", '"', "\\", "\ud83d", "\ude00", "{", "é".repeat(40)),
);
const spanId = fc.constantFrom(...spanIds);
const someEvent: fc.Arbitrary<ChatEvent> = fc
  .oneof(
    { weight: 8, arbitrary: fc.record({ type: fc.constant("token" as const), spanId, text }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("reasoning" as const), spanId, text }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant("toolProgress" as const), spanId, text }),
    },
    fc.record({ type: fc.constant("toolProgress" as const), spanId, data: fc.json() }),
    fc.record({ type: fc.constant("custom" as const), spanId, name: text, data: fc.json() }),
    fc.record({ type: fc.constant("reset" as const), spanId }),
  )
  .map((event) => ({ runId, ...event }));

/** Of one character, in two tokens of one span. */
const halves = ["\ud83d", "\ude00"].map((text) => {
  return { type: "token" as const, runId, spanId: spanIds[0] ?? "", text };
});

test("any run comes back as it was in the log, from any number on exactly the rest", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(someEvent, { maxLength: 40, size: "max" }),
      fc.record({ after: fc.nat(2 ** 40), settleEvery: fc.integer({ min: 1, max: 5 }) }),
      fc.constantFrom(1, 1, 30),
      async (events, options, times) => {
        const many = Array.from({ length: times }, () => events).flat();
        const entries = logged([start, ...many, end], options);
        const archive = RunArchive.open((await archived(entries)).events);
        const places = [0, options.after, ...entries.map(({ seq }) => seq)];
        const tried = times === 1 ? places : places.filter((_, index) => index % 211 === 0);
        for (const after of [...tried, (entries.at(-1)?.seq ?? 0) + 1]) {
          const rest = entries.filter(({ seq }) => seq > after);
          expect(shown(await readFrom(archive, after))).toEqual(shown(rest));
        }
      },
    ),
    { numRuns: 30, examples: [[halves, { after: 0, settleEvery: 2 }, 1]] },
  );
});

test("what is added in parts is what is added at once", async () => {
  const events = Array.from({ length: 700 }, (_, index): ChatEvent => {
    return { type: "token", runId, spanId: spanIds[0] ?? "", text: `${index} ` };
  });
  const entries = logged([start, ...events, end]);
  const writer = new ArchiveWriter();
  for (let from = 0; from < entries.length; from += 50)
    await writer.add(entries.slice(from, from + 50));
  expect(await writer.end()).toEqual(await archived(entries));
});

test("where numbers jump they jump in the archive, as where a crash has taken events", async () => {
  const before = logged([
    start,
    { type: "token", runId, spanId: spanIds[0] ?? "", text: "so far" },
  ]);
  const last = logged([end], { after: 1_000_000_001 });
  const archive = RunArchive.open((await archived([...before, ...last])).events);
  expect((await readFrom(archive, 0)).map(({ seq }) => seq)).toEqual([1, 2, 1_000_000_002]);
  expect((await readFrom(archive, 500)).map(({ type }) => type)).toEqual(["runEnd"]);
});

test("an event of 4 MiB is a slice of its own, and those around it are not held with it", async () => {
  const large: ChatEvent = { ...end, text: "x".repeat(4 * 1024 * 1024) };
  const entries = logged([start, large]);
  const archive = RunArchive.open((await archived(entries)).events);
  expect((await archive.after(0)).map(({ type }) => type)).toEqual(["runStart"]);
  expect(shown(await archive.after(1))).toEqual(shown(entries.slice(1)));
});

test("it is less than a quarter of the JSON that readers are given", async () => {
  const words = "an agent looks into the documents and says what it has found there".split(" ");
  const events = Array.from({ length: 5_000 }, (_, index): ChatEvent => {
    const word = words[(index * 7) % words.length] ?? "";
    return { type: "token", runId, spanId: spanIds[0] ?? "", text: ` ${word}` };
  });
  const entries = logged([start, ...events, end]);
  const { events: bytes, rawBytes } = await archived(entries);
  expect(rawBytes).toBe(entries.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0));
  expect(bytes.length).toBeLessThan(rawBytes / 4);
});

describe("damage", () => {
  const entries = logged([
    start,
    ...Array.from({ length: 900 }, (): ChatEvent => {
      return { type: "token", runId, spanId: spanIds[1] ?? "", text: randomUUID() };
    }),
    end,
  ]);

  test("any byte that is not as it was written is said, and no event is made up", async () => {
    const { events } = await archived(entries);
    const correct = new Set(shown(entries).map((entry) => entry.join(" ")));
    let damaged = 0;
    for (let at = 0; at < events.length; at += 61) {
      const bytes = Uint8Array.from(events);
      bytes[at] = (bytes[at] ?? 0) ^ 0x15;
      try {
        const read = await readFrom(RunArchive.open(bytes), 0);
        for (const entry of shown(read)) expect(correct.has(entry.join(" "))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(DamagedArchiveError);
        damaged += 1;
      }
    }
    expect(damaged).toBeGreaterThan(events.length / 61 / 2);
  });

  test.each([
    ["nothing", () => new Uint8Array()],
    ["something else", () => new Uint8Array(100).fill(7)],
    ["half of it", (events: Uint8Array) => events.subarray(0, events.length / 2)],
    ["more than it", (events: Uint8Array) => Buffer.concat([events, events])],
  ])("%s is said", async (_what, damage) => {
    const { events } = await archived(entries);
    expect(() => RunArchive.open(damage(events))).toThrow(DamagedArchiveError);
  });

  test("a block that unpacks to more than it says is not unpacked", async () => {
    const { events } = await archived(logged([start, { ...end, text: "x".repeat(1024 * 1024) }]));
    const smaller = Buffer.from(
      Buffer.from(events)
        .toString("latin1")
        .replace(/,1048\d{3}\]/, ",0000100]"),
      "latin1",
    );
    // Numbers with leading zeros are no JSON: as many digits, less bytes.
    const less = Buffer.from(
      Buffer.from(events)
        .toString("latin1")
        .replace(/,1048\d{3}\]/, ",1000000]"),
      "latin1",
    );
    expect(() => RunArchive.open(smaller)).toThrow(DamagedArchiveError);
    await expect(readFrom(RunArchive.open(less), 1)).rejects.toThrow(DamagedArchiveError);
  });

  test.each([
    ["of ten gigabytes", 1e10],
    ["of fewer than none", -1],
    ["of a count with a part", 0.5],
  ])(
    "a block that says to be %s is not unpacked, however little of it there is",
    async (_what, rawBytes) => {
      // Zeros, that unpack to ten thousand times what they are.
      const frame = zstdCompressSync(Buffer.alloc(128 * 1024 * 1024));
      const index = Buffer.from(
        JSON.stringify({ version: 1, blocks: [[1, 2, frame.length, rawBytes]] }),
      );
      const head = Buffer.alloc(8);
      head.writeUInt32LE(0x184d2a50, 0);
      head.writeUInt32LE(index.length, 4);
      const forged = Buffer.concat([head, index, frame]);
      expect(() => RunArchive.open(forged)).toThrow(DamagedArchiveError);
    },
  );

  test("a block may be as large as a run may be", async () => {
    const { events } = await archived(logged([start, { ...end, text: "x".repeat(1024 * 1024) }]));
    const open = (maxBlockBytes: number) => RunArchive.open(events, { maxBlockBytes });
    expect(() => open(1024 * 1024)).toThrow(DamagedArchiveError);
    expect(await readFrom(open(1024 * 1024 + 1024), 0)).toHaveLength(2);
  });
});
