/** What a process holds once its garbage is gone. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Bytes on this process's heap. */
export function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Bytes of objects and of the buffers beside them. */
export function memoryHeld(): { held: number; rss: number } {
  collectGarbage();
  collectGarbage();
  const { heapUsed: heap, external, rss } = process.memoryUsage();
  return { held: heap + external, rss };
}
