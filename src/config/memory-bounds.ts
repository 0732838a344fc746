/**
 * How much of everything a process may hold, by the memory that there is: V8 takes half of a small
 * container for its heap, and ends the process where that is full; the container ends it where all is.
 */

import { defaultConnectionLimits } from "../server/connections/connection-limits.ts";

const mebibyte = 1024 * 1024;

export interface ProcessMemory {
  /** What V8's heap may grow to. */
  readonly heapLimitBytes: number;
  /** Of the machine, or of the container where that is less. */
  readonly totalBytes: number;
}

export interface MemoryBounds {
  /** Of the log: the events of runs that have ended, for those who come back. */
  readonly logMebibytes: number;
  /** Of the events of all runs in progress. */
  readonly liveRunsMebibytes: number;
  readonly maxLiveRuns: number;
  readonly maxSockets: number;
}

/** What is there before the first run: modules, LangChain, SQLite's cache, the young generation. */
const heapAtStartBytes = 80 * mebibyte;
const besidesHeapBytes = 160 * mebibyte;
/**
 * LangChain, the log and the message hold a run's text, four copies by its end, and what is made of it to be
 * sent, stored and packed is there until it is collected. With seven, a heap of 259 MB was at 190 when all
 * garbage was gone, under more large runs than fit.
 */
const heapPerLiveByte = 7;
const heapPerLiveRunBytes = 256 * 1024;
/** A socket whose reader takes nothing: MAX_BACKLOG_BYTES, and what is on its way. */
const perSocketBytes = 128 * 1024;

export function memoryBounds({ heapLimitBytes, totalBytes }: ProcessMemory): MemoryBounds {
  const heap = Math.min(heapLimitBytes, totalBytes - besidesHeapBytes) - heapAtStartBytes;
  return {
    logMebibytes: between(8, heap / 4 / mebibyte, 256),
    liveRunsMebibytes: between(8, heap / 2 / heapPerLiveByte / mebibyte, 4_096),
    maxLiveRuns: between(64, heap / 2 / heapPerLiveRunBytes, 1_000),
    maxSockets: between(256, totalBytes / 4 / perSocketBytes, 10_000),
  };
}

/**
 * How many of all sockets may come from one address, which may be many people's: never so many that nobody
 * else gets in.
 */
export function socketsPerAddress(maxSockets: number): number {
  return between(1, maxSockets / 4, defaultConnectionLimits.maxSocketsPerAddress);
}

function between(least: number, value: number, most: number): number {
  return Math.floor(Math.min(Math.max(value, least), most));
}
