/**
 * The archive of a run: its events as they were in the log, with their numbers, compressed; made once
 * when the run ends, and kept by the store. It is read a block at a time, from any number on, so a
 * reader holds what it holds of the log and no more.
 *
 *   index   a frame that decompressors pass over: the blocks, JSON
 *   block   64 KiB of entries, which are some KiB as a block has them (block.ts); one that is longer is one
 *   block   …
 *
 * All of it is frames of Zstandard, so `zstd -d` shows the lines. The entries of a block are numbered one
 * after another; where numbers jump, a block begins.
 */
import { setImmediate } from "node:timers/promises";
import type { LogEntry } from "../entry.ts";
import { sliceFrom, sliceMaxBytes } from "../slice.ts";
import { compressBlock, decompressBlock } from "./block.ts";

export interface CompressedEvents {
  readonly events: Uint8Array;
  /** Of the events' JSON, as readers are given it. */
  readonly rawBytes: number;
}

interface Block {
  readonly firstSeq: number;
  readonly entries: number;
  /** Of its frame. */
  readonly bytes: number;
  /** Of what is in the frame. */
  readonly rawBytes: number;
}

type IndexRow = [firstSeq: number, entries: number, bytes: number, rawBytes: number];

const version = 1;
/** The magic number of a frame that decompressors pass over, and that number's and the length's bytes. */
const skippableFrame = 0x184d2a50;
const headBytes = 8;
/** An event is a block of its own where it is long: as long as a run may be by default, many times over. */
export const defaultMaxBlockBytes = 64 * 1024 * 1024;
/** How long the thread is kept at a time. */
const sliceMs = 2;

/** Makes an archive of entries that come in order. */
export class ArchiveWriter {
  readonly #blocks: Block[] = [];
  readonly #frames: Uint8Array[] = [];
  #pending: LogEntry[] = [];
  #pendingBytes = 0;
  #rawBytes = 0;

  /** One call at a time; more than a few entries are compressed before it settles. */
  async add(entries: readonly LogEntry[]): Promise<void> {
    let sinceMs = performance.now();
    for (const entry of entries) {
      const bytes = entry.jsonBytes;
      if (!this.#takes(entry, bytes)) {
        await this.#endBlock();
        if (performance.now() - sinceMs > sliceMs) {
          await setImmediate();
          sinceMs = performance.now();
        }
      }
      this.#pending.push(entry);
      this.#pendingBytes += bytes;
      this.#rawBytes += bytes;
    }
  }

  async end(): Promise<CompressedEvents> {
    await this.#endBlock();
    const rows = this.#blocks.map(
      ({ firstSeq, entries, bytes, rawBytes }): IndexRow => [firstSeq, entries, bytes, rawBytes],
    );
    const index = Buffer.from(JSON.stringify({ version, blocks: rows }));
    const head = Buffer.alloc(headBytes);
    head.writeUInt32LE(skippableFrame, 0);
    head.writeUInt32LE(index.length, 4);
    return { events: Buffer.concat([head, index, ...this.#frames]), rawBytes: this.#rawBytes };
  }

  #takes(entry: LogEntry, bytes: number): boolean {
    const last = this.#pending.at(-1);
    if (last === undefined) return true;
    const isNext = last.seq + 1 === entry.seq;
    return isNext && this.#pendingBytes + bytes <= sliceMaxBytes;
  }

  async #endBlock(): Promise<void> {
    const [first] = this.#pending;
    if (first === undefined) return;
    const { frame, rawBytes } = await compressBlock(this.#pending);
    const entries = this.#pending.length;
    this.#blocks.push({ firstSeq: first.seq, entries, bytes: frame.length, rawBytes });
    this.#frames.push(frame);
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

/** An archive cannot be read, or not to its end. */
export class DamagedArchiveError extends Error {
  constructor(what: string, cause?: unknown) {
    super(`The archive of a run is damaged: ${what}.`, { cause });
    this.name = "DamagedArchiveError";
  }
}

/** An archive that is read. It holds the compressed bytes, and nothing that was read of them. */
export class RunArchive {
  readonly #events: Uint8Array;
  readonly #blocks: readonly (Block & { readonly from: number })[];

  private constructor(events: Uint8Array, index: { blocks: readonly Block[]; end: number }) {
    this.#events = events;
    let from = index.end;
    this.#blocks = index.blocks.map((block) => {
      const placed = { ...block, from };
      from += block.bytes;
      return placed;
    });
    if (from !== events.length) {
      throw new DamagedArchiveError(`it has ${events.length} bytes, and its index ${from}`);
    }
  }

  /**
   * @param options.maxBlockBytes what a block may unpack to: one that says more is damaged, and may be of any length
   * @throws DamagedArchiveError
   */
  static open(
    events: Uint8Array,
    { maxBlockBytes = defaultMaxBlockBytes }: { readonly maxBlockBytes?: number } = {},
  ): RunArchive {
    const index = readIndex(events);
    if (index.blocks.some(({ rawBytes }) => rawBytes > maxBlockBytes)) {
      throw new DamagedArchiveError(`a block of it says to have more than ${maxBlockBytes} bytes`);
    }
    return new RunArchive(events, index);
  }

  /**
   * The entries after a number, from the first on, as many as a reader is given at once; none after the
   * last.
   * @throws DamagedArchiveError
   */
  async after(seq: number): Promise<readonly LogEntry[]> {
    const block = this.#blocks.find(({ firstSeq, entries }) => firstSeq + entries - 1 > seq);
    if (block === undefined) return [];
    const frame = this.#events.subarray(block.from, block.from + block.bytes);
    try {
      const entries = await decompressBlock(frame, block);
      return sliceFrom(entries, Math.max(0, seq + 1 - block.firstSeq));
    } catch (cause) {
      throw new DamagedArchiveError(`its block from number ${block.firstSeq} on`, cause);
    }
  }
}

function readIndex(events: Uint8Array): { blocks: Block[]; end: number } {
  const view = new DataView(events.buffer, events.byteOffset, events.byteLength);
  if (view.byteLength < headBytes || view.getUint32(0, true) !== skippableFrame) {
    throw new DamagedArchiveError("it does not begin as one");
  }
  const end = headBytes + view.getUint32(4, true);
  let index: unknown;
  try {
    index = JSON.parse(Buffer.from(events.subarray(headBytes, end)).toString("utf8"));
  } catch (cause) {
    throw new DamagedArchiveError("its index is no JSON", cause);
  }
  if (!isIndex(index)) throw new DamagedArchiveError("its index is none of this version's");
  const blocks = index.blocks.map(
    ([firstSeq, entries, bytes, rawBytes]): Block => ({ firstSeq, entries, bytes, rawBytes }),
  );
  return { blocks, end };
}

function isIndex(value: unknown): value is { readonly blocks: readonly IndexRow[] } {
  if (typeof value !== "object" || value === null) return false;
  const { version: written, blocks }: { version?: unknown; blocks?: unknown } = value;
  return written === version && Array.isArray(blocks) && blocks.every(isRow);
}

function isRow(row: unknown): row is IndexRow {
  return (
    Array.isArray(row) &&
    row.length === 4 &&
    row.every((count) => Number.isSafeInteger(count) && count >= 0)
  );
}
