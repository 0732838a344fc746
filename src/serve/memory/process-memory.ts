/** What this process may hold, and how V8 is told of it. */
import { totalmem } from "node:os";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { containerMemoryBytes } from "../../config/container-memory.ts";
import { type MemoryBounds, memoryBounds } from "../../config/memory-bounds.ts";

const gibibyte = 1024 * 1024 * 1024;
/** From this limit on V8 lets a heap grow to four times what it holds, with smaller ones to twice at most. */
const generousHeapBytes = 2 * gibibyte;

/**
 * Has V8 collect all garbage where that comes to seven tenths of what is held. By itself it waits until that is three
 * times what is held, and with smaller heaps as much: whatever outlives two collections of young objects, such as
 * requests that wait for their turn, would cost a quarter of a gigabyte before any of it is freed.
 */
function collectGarbageSooner(): void {
  if (getHeapStatistics().heap_size_limit < generousHeapBytes) return;
  setFlagsFromString("--heap-growing-percent=70");
}

/**
 * V8 allocates for ever as old what once, when many runs began together, all outlived a collection.
 * Of what each token leaves, that is garbage which then keeps other garbage: pauses twice as long.
 * What is old all the same is collected sooner.
 */
export function expectGarbageToBeYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
  collectGarbageSooner();
}

/**
 * Gives back what starting left between what stays, as V8 does where memory has run out: by itself it keeps its room as
 * long as nothing happens. Takes a tenth of a second, and has V8 forget what it compiled, so it is to be called once,
 * as the last of starting.
 */
export function collectStartGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: typeof globalThis.gc = runInNewContext("gc");
  collect?.({ type: "major", execution: "sync", flavor: "last-resort" });
}

export function boundsByMemory(): MemoryBounds {
  // Of a container; without one, 0 or more than there is.
  const constrainedBytes = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return memoryBounds({
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    totalBytes: Math.min(constrainedBytes, containerMemoryBytes(), totalmem()),
  });
}
