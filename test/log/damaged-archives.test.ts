/** Archives that nobody can have written, part by part: what is wrong with each is said, and nothing of it is read. */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ArchivedRanges } from "../../src/log/archive/archived-ranges.ts";
import {
  ArchiveWriter,
  DamagedArchiveError,
  RunArchive,
} from "../../src/log/archive/run-archive.ts";
import { LogEntry } from "../../src/log/entry.ts";

const event = { type: "token", runId: "r", spanId: "s", text: "a" } as const;
const json = JSON.stringify(event);
const lines = `${json}\n"b"\n`;

/** An archive as it is laid out, of whatever it is given. */
function laidOut(index: unknown, frame: Uint8Array = new Uint8Array(), magic = 0x184d2a50): Buffer {
  const text = Buffer.from(typeof index === "string" ? index : JSON.stringify(index));
  const head = Buffer.alloc(8);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(text.length, 4);
  return Buffer.concat([head, text, frame]);
}

/** One block, of which the index says that it has so many entries from the first number on. */
function ofBlock(content: string, { firstSeq = 5, entries = 2 } = {}): Buffer {
  const raw = Buffer.from(content);
  const frame = zstdCompressSync(raw);
  return laidOut({ version: 1, blocks: [[firstSeq, entries, frame.length, raw.length]] }, frame);
}

test("laid out by hand, an archive is read as one that was written", async () => {
  const archive = RunArchive.open(ofBlock(lines));
  const read = (await archive.after(0)).map((entry) => [entry.seq, entry.event]);
  expect(read).toEqual([
    [5, event],
    [6, { ...event, text: "b" }],
  ]);
  expect((await archive.after(5)).map(({ seq }) => seq)).toEqual([6]);
  expect(await archive.after(6)).toEqual([]);
});

test("what is written is laid out as by hand: a line each, and of a text that goes on the text alone", async () => {
  const long = "é".repeat(1_500);
  const reset = { type: "reset", runId: "r", spanId: "s" } as const;
  const texts = ["a", "b", long, long, "c"];
  const all = [...texts.map((text) => ({ ...event, text })), reset, { ...event, text: long }];
  const writer = new ArchiveWriter();
  await writer.add(all.map((it, index) => LogEntry.of(5 + index, it)));
  const { events } = await writer.end();
  const frame = events.subarray(8 + Buffer.from(events).readUInt32LE(4));
  const expected = [
    ...[json, ...texts.slice(1).map((text) => JSON.stringify(text))],
    ...[JSON.stringify(reset), JSON.stringify({ ...event, text: long })],
  ];
  expect(zstdDecompressSync(frame).toString()).toBe(expected.map((line) => `${line}\n`).join(""));
  const read = await RunArchive.open(events).after(4);
  expect(read.map((entry) => [entry.seq, entry.event])).toEqual(
    all.map((it, index) => [5 + index, it]),
  );
});

test("of a run without events it has none, and is an archive", async () => {
  const { events, rawBytes } = await new ArchiveWriter().end();
  expect(rawBytes).toBe(0);
  expect(await RunArchive.open(events).after(0)).toEqual([]);
  expect(Buffer.from(events)).toEqual(laidOut({ version: 1, blocks: [] }));
});

const whole = ofBlock(lines);
const valid = [5, 2, 0, 0];

describe("what does not begin as an archive", () => {
  test.each([0, 1, 4, 7, 8, 20, whole.length - 1])("the first %d bytes of one", (length) => {
    expect(() => RunArchive.open(whole.subarray(0, length))).toThrow(DamagedArchiveError);
  });

  test.each<[string, Uint8Array, string]>([
    ["another frame", laidOut({ version: 1, blocks: [] }, undefined, 0xfd2fb528), "does not begin"],
    ["an index that is no JSON", laidOut("{"), "no JSON"],
    ["no index", laidOut(""), "no JSON"],
    ...[
      ...[null, 1, [], {}, { version: 1 }, { blocks: [] }, { version: 1, blocks: {} }],
      ...[
        { version: 2, blocks: [] },
        { version: "1", blocks: [] },
        { version: 1, blocks: [null] },
      ],
    ].map((index): [string, Uint8Array, string] => {
      return [JSON.stringify(index), laidOut(index), "none of this version"];
    }),
    ...[
      ...[[], [5, 2, 0], [...valid, 0], [5, 2, 0, "0"], [5, 2, 0, -1], [5, 0.5, 0, 0]],
      ...[[5, 2, 0, null], [5, 2, 0, 2 ** 53], { ...valid, length: 4 }],
    ].map((row): [string, Uint8Array, string] => {
      const index = { version: 1, blocks: [valid, row] };
      return [JSON.stringify(index), laidOut(index), "none of this version"];
    }),
    ["a block more than the index", Buffer.concat([whole, new Uint8Array(1)]), "its index"],
    ["a block less", laidOut({ version: 1, blocks: [[5, 2, 9, 9]] }), "its index"],
  ])("%s", (_what, events, why) => {
    const opened = () => RunArchive.open(events);
    expect(opened).toThrow(DamagedArchiveError);
    expect(opened).toThrow(new RegExp(`^The archive of a run is damaged: .*${why}.*\\.$`));
  });

  test("what is said of it has a name, and what was wrong", () => {
    const caught = () => {
      try {
        return RunArchive.open(laidOut("{"));
      } catch (error) {
        return error;
      }
    };
    expect(caught()).toMatchObject({ name: "DamagedArchiveError", cause: expect.any(SyntaxError) });
  });
});

describe("a block that is whole, and is not what its index says", () => {
  test.each([
    ["whose last line has no end", lines.slice(0, -1), "no end"],
    ["that has less entries", `${json}\n`, "1 entries"],
    ["that has more entries", `${lines}"c"\n`, "3 entries"],
    ["that is empty", "\n", ""],
    ["whose first line continues nothing", `"a"\n"b"\n`, "continues nothing"],
    ["whose second line is no text's", `${json}\n"b\n`, "continues no text"],
    [
      "that continues what is no text",
      `{"type":"reset","runId":"r","spanId":"s"}\n"b"\n`,
      "no text",
    ],
    ["that is no JSON", `${json}\n{"type":"token","runId":"r"\n`, ""],
  ])("%s", async (_what, content, why) => {
    const reading = RunArchive.open(ofBlock(content)).after(0);
    await expect(reading).rejects.toThrow(DamagedArchiveError);
    await expect(reading).rejects.toMatchObject({
      message: "The archive of a run is damaged: its block from number 5 on.",
      cause: expect.objectContaining({ message: expect.stringContaining(why) }),
    });
  });

  test("that says to be longer than a block may be is not opened, and as long is", () => {
    const { length } = Buffer.from(lines);
    const open = (maxBlockBytes: number) => RunArchive.open(whole, { maxBlockBytes });
    expect(() => open(length - 1)).toThrow(DamagedArchiveError);
    expect(open(length)).toBeInstanceOf(RunArchive);
  });
});

test("a block ends before it is more than a reader is given at once, to the byte, and where numbers jump", async () => {
  const entryOf = (seq: number, bytes: number) => {
    const { jsonBytes } = LogEntry.of(seq, { ...event, spanId: `${seq}`, text: "" });
    return LogEntry.of(seq, { ...event, spanId: `${seq}`, text: "x".repeat(bytes - jsonBytes) });
  };
  const kibibyte = 1024;
  for (const [entries, slices] of [
    [[entryOf(1, 60 * kibibyte), entryOf(2, 4 * kibibyte)], [[1, 2]]],
    [
      [entryOf(1, 60 * kibibyte), entryOf(2, 4 * kibibyte + 1)],
      [[1], [2]],
    ],
    [
      [entryOf(1, 100), entryOf(3, 100), entryOf(4, 100)],
      [[1], [3, 4]],
    ],
    [
      [entryOf(1, 70 * kibibyte), entryOf(2, 100)],
      [[1], [2]],
    ],
  ] as const) {
    const writer = new ArchiveWriter();
    await writer.add(entries);
    const archive = RunArchive.open((await writer.end()).events);
    const read: number[][] = [];
    for (let after = 0; ; after = read.at(-1)?.at(-1) ?? 0) {
      const slice = await archive.after(after);
      if (slice.length === 0) break;
      read.push(slice.map(({ seq }) => seq));
    }
    expect(read).toEqual(slices);
  }
});

test("which events are archived, by conversation, from the first of a run to its last", () => {
  const range = fc.record({
    conversationId: fc.constantFrom("a", "b"),
    firstSeq: fc.nat(20),
    lastSeq: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 4 }), (ranges) => {
      const archived = new ArchivedRanges(ranges);
      for (const id of ["a", "b", "c"]) {
        for (let seq = 0; seq <= 21; seq++) {
          const isIn = ranges.some((it) => {
            return it.conversationId === id && seq >= it.firstSeq && seq <= it.lastSeq;
          });
          expect([id, seq, archived.has(id, seq)]).toEqual([id, seq, isIn]);
        }
      }
    }),
  );
});
