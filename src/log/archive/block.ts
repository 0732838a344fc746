/**
 * A block of an archive: neighbouring entries, each a line, compressed together. A line is the event's
 * JSON; or the JSON of a text alone, where the entry continues the text of the line before.
 */
import { promisify } from "node:util";
import zlib from "node:zlib";
import { LogEntry } from "../entry.ts";
import { Scratch, type ScratchText } from "../scratch.ts";

// Not imported by name, so that an older Node.js gets as far as open/require-node.ts.
const { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } = zlib;
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/**
 * Bytes up to which it is done at once: 25 to 60 µs, where handing it to another thread and back costs
 * this one more than that. Most blocks are as small.
 */
const atOnceBytes = 16 * 1024;

/** Below that, entries are many: their lines are joined, and written together. */
const shortBytes = 1024;

const scratch = new Scratch();

const params = {
  [constants.ZSTD_c_compressionLevel]: 3,
  // So that damage is found, and never read as something else.
  [constants.ZSTD_c_checksumFlag]: 1,
};

export async function compressBlock(entries: readonly LogEntry[]): Promise<{
  readonly frame: Uint8Array;
  readonly rawBytes: number;
}> {
  using text = scratch.take();
  writeLines(text, entries);
  const raw = text.bytes;
  const options = { params, pledgedSrcSize: raw.length };
  const isSmall = raw.length <= atOnceBytes;
  const frame = isSmall ? zstdCompressSync(raw, options) : await compress(raw, options);
  return { frame, rawBytes: raw.length };
}

function writeLines(text: ScratchText, entries: readonly LogEntry[]): void {
  let short = "";
  let before: LogEntry | undefined;
  for (const entry of entries) {
    const goesOn = before?.continuesWith(entry) === true;
    before = entry;
    if (entry.bytes < shortBytes) {
      short += `${goesOn ? entry.textJson : entry.json}\n`;
      continue;
    }
    text.write(short);
    short = "";
    for (const piece of goesOn ? entry.textPieces() : entry.jsonPieces()) text.write(piece);
    text.write("\n");
  }
  text.write(short);
}

/** @throws Error what is wrong with it */
export async function decompressBlock(
  frame: Uint8Array,
  block: { readonly firstSeq: number; readonly entries: number; readonly rawBytes: number },
): Promise<readonly LogEntry[]> {
  const { firstSeq, rawBytes } = block;
  // What says to be longer than its index says is damaged, and may be of any length.
  const options = { maxOutputLength: Math.max(1, rawBytes) };
  const isSmall = rawBytes <= atOnceBytes;
  const raw = isSmall ? zstdDecompressSync(frame, options) : await decompress(frame, options);
  const entries: LogEntry[] = [];
  const lines = raw.toString("utf8").split("\n");
  if (lines.pop() !== "") throw new Error("its last line has no end");
  for (const line of lines) entries.push(entryOf(line, firstSeq + entries.length, entries));
  if (entries.length !== block.entries) throw new Error(`it has ${entries.length} entries`);
  return entries;
}

function entryOf(line: string, seq: number, earlier: readonly LogEntry[]): LogEntry {
  if (!line.startsWith('"')) return LogEntry.unpack(seq, line, earlier);
  const before = earlier.at(-1);
  if (before === undefined) throw new Error("its first line continues nothing");
  return before.continued(seq, line);
}
