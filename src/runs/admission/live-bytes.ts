/**
 * What the runs in progress on this process come to together. They cannot leave the log as ended ones
 * can, so where they are too much for the process, the largest ends of the user who has most in
 * progress: not whoever writes next, nor somebody's one long answer for another's many.
 */
import { LangwireError } from "../../protocol/errors.ts";

export interface GrowingRun {
  readonly run: { readonly userId: string };
  /** Of its events by now. */
  readonly bytes: number;
  fail(error: LangwireError): void;
}

/** Of the limit, what new runs leave to those that are in progress. */
const shareForNewRuns = 3 / 4;

export class LiveBytes {
  readonly #max: number;
  readonly #runs = new Set<GrowingRun>();
  #bytes = 0;

  /** @param max of the events of all runs in progress together */
  constructor(max: number) {
    this.#max = max;
  }

  /** Whether no new run should begin. */
  get nearlyFull(): boolean {
    return this.#bytes > this.#max * shareForNewRuns;
  }

  add(run: GrowingRun): void {
    this.#runs.add(run);
  }

  /** To be called once its events have grown, by as many bytes. */
  grew(run: GrowingRun, bytes: number): void {
    if (!this.#runs.has(run)) return;
    this.#bytes += bytes;
    while (this.#bytes > this.#max) this.#endLargest();
  }

  delete(run: GrowingRun): void {
    if (this.#runs.delete(run)) this.#bytes -= run.bytes;
  }

  #endLargest(): void {
    const byUser = new Map<string, GrowingRun[]>();
    for (const run of this.#runs) {
      const { userId } = run.run;
      const theirs = byUser.get(userId);
      if (theirs === undefined) byUser.set(userId, [run]);
      else theirs.push(run);
    }
    const ofHeaviest = largestOf([...byUser.values()], bytesOf);
    const largest = largestOf(ofHeaviest ?? [], ({ bytes }) => bytes);
    if (largest === undefined) return;
    // It is not counted while it ends: others would be ended for it.
    this.delete(largest);
    largest.fail(new LangwireError("OVERLOADED"));
  }
}

function bytesOf(runs: readonly GrowingRun[]): number {
  return runs.reduce((sum, { bytes }) => sum + bytes, 0);
}

function largestOf<T>(all: readonly T[], sizeOf: (one: T) => number): T | undefined {
  let [largest] = all;
  for (const one of all) if (largest === undefined || sizeOf(one) > sizeOf(largest)) largest = one;
  return largest;
}
