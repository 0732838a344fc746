/** What this process may hold, and how V8 is told of it. */
import { totalmem } from "node:os";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { containerMemoryBytes } from "../config/container-memory.ts";
import { type MemoryBounds, memoryBounds } from "../config/memory-bounds.ts";

/**
 * V8 allocates for ever as old what once, when many runs began together, all outlived a collection.
 * Of what each token leaves, that is garbage which then keeps other garbage: pauses twice as long.
 */
export function expectGarbageToBeYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}

export function boundsByMemory(): MemoryBounds {
  // Of a container; without one, 0 or more than there is.
  const constrainedBytes = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return memoryBounds({
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    totalBytes: Math.min(constrainedBytes, containerMemoryBytes(), totalmem()),
  });
}
