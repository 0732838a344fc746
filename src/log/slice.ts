/** Part of a log that a reader is given at once. A reader who stops keeps it, so it is bounded. */
import type { LogEntry } from "./entry.ts";

const sliceMaxEntries = 256;
export const sliceMaxBytes = 64 * 1024;

/**
 * Entries from an index on: as many as come to about 64 KiB, one at least while there is one.
 * @param end the index after the last that may be given
 */
export function sliceFrom(
  entries: readonly LogEntry[],
  from: number,
  end: number = entries.length,
): readonly LogEntry[] {
  let to = from;
  for (let bytes = 0; to < end && to - from < sliceMaxEntries && bytes <= sliceMaxBytes; to++) {
    bytes += entries[to]?.bytes ?? 0;
  }
  return entries.slice(from, to);
}
