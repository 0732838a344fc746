/** How many connections this process can have: each is an open file, and the system limits those. */
import { readFileSync } from "node:fs";

const limitsFile = "/proc/self/limits";
/** Files that are needed for other things: databases, the log, what is being read. */
const spareFiles = 128;

/** @returns `Infinity` where the system does not say */
export function connectionsThatFit(): number {
  const files = openFilesLimit();
  return Math.max(files - spareFiles, Math.floor(files / 2));
}

function openFilesLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(limitsFile, "utf8"))?.[1];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
