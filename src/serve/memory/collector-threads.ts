/** On which threads V8 collects garbage. */
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import { isGivenByOperator } from "./operator-flags.ts";

/**
 * What is turned off of V8's helper threads. `--single-threaded-gc` is not to be had once V8 runs, and turning off
 * `parallel-marking` then has the next full collection end the process. Without `concurrent-sweeping` V8 leaves garbage
 * where it is until it needs the room.
 */
const helped = ["concurrent-marking", "parallel-scavenge"];

/**
 * With one core, has V8 collect on the main thread alone. Helpers would take turns with it, some milliseconds at a
 * time, and nothing would be sent for 40 to 200 ms of each full collection. By itself the main thread marks in steps of
 * less than one.
 */
export function collectOnMainThread(): void {
  if (availableParallelism() > 1) return;
  if (isGivenByOperator(/--(no[-_]?)?(single|concurrent|parallel)[-_]/)) return;
  for (const flag of helped) setFlagsFromString(`--no-${flag}`);
}
