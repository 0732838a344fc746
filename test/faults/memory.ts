/** What a process holds once its garbage is gone. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc: (options: object) => void = runInNewContext("gc");

/** As if memory had run out: pages that are kept in case they are needed are given back as well. */
function collectGarbage(): void {
  gc({ type: "major", execution: "sync", flavor: "last-resort" });
}

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
