/** What V8's garbage collector is told before the modules of a server are loaded. */
import { collectOnMainThread } from "./collector-threads.ts";
import { holdYoungGeneration } from "./young-generation.ts";

export function prepareCollector(): void {
  collectOnMainThread();
  holdYoungGeneration();
}
