/**
 * What the runs in progress on this process come to together. They cannot leave the log as ended ones
 * can, so where they are too much for the process, the largest ends of the user who has most in
 * progress: not whoever writes next, nor somebody's one long answer for another's many. Those of which the
 * bot is done wait for their turn to be packed and stored, whole, and cannot be ended any more: they take
 * of what the others may have, half of it at most.
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
/** Of the limit, what is being stored may take from those that are still at work. */
const shareForStoring = 1 / 2;

export class LiveBytes {
  readonly #max: number;
  readonly #runs = new Set<GrowingRun>();
  #bytes = 0;
  /** Those that are being stored. */
  readonly #stored = new Set<GrowingRun>();
  #storedBytes = 0;

  /** @param max of the events of all runs in progress together */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Whether a new run of the user should begin. Near the limit none of the user's who has most in
   * progress: whoever it is does not keep the others waiting, since it is their run that ends for them.
   * None at all, where what the others have comes near the limit too.
   */
  mayBegin(userId: string): boolean {
    const nearlyFull = this.#left * shareForNewRuns;
    if (this.#bytes <= nearlyFull) return true;
    const heaviest = this.#heaviest();
    if (heaviest === undefined || heaviest.userId === userId) return false;
    return this.#bytes - heaviest.bytes <= nearlyFull;
  }

  add(run: GrowingRun): void {
    this.#runs.add(run);
  }

  /** To be called once its events have grown, by as many bytes. */
  grew(run: GrowingRun, bytes: number): void {
    if (!this.#runs.has(run)) return;
    this.#bytes += bytes;
    while (this.#bytes > this.#left) this.#endLargest();
  }

  /** Its bot is done: it is all there until it is stored, and nothing ends it sooner. */
  storing(run: GrowingRun): void {
    if (!this.#runs.has(run)) return;
    this.delete(run);
    this.#stored.add(run);
    this.#storedBytes += run.bytes;
  }

  delete(run: GrowingRun): void {
    if (this.#runs.delete(run)) this.#bytes -= run.bytes;
    if (this.#stored.delete(run)) this.#storedBytes -= run.bytes;
  }

  /** What those at work may have together. */
  get #left(): number {
    return this.#max - Math.min(this.#storedBytes, this.#max * shareForStoring);
  }

  #endLargest(): void {
    const largest = largestOf(this.#heaviest()?.runs ?? []);
    if (largest === undefined) return;
    // It is not counted while it ends: others would be ended for it.
    this.delete(largest);
    largest.fail(new LangwireError("OVERLOADED"));
  }

  /** The user who has most in progress. */
  #heaviest(): UserRuns | undefined {
    const byUser = new Map<string, UserRuns>();
    for (const run of this.#runs) {
      const { userId } = run.run;
      const theirs = byUser.get(userId) ?? { userId, bytes: 0, runs: [] };
      byUser.set(userId, theirs);
      theirs.bytes += run.bytes;
      theirs.runs.push(run);
    }
    return largestOf([...byUser.values()]);
  }
}

interface UserRuns {
  readonly userId: string;
  bytes: number;
  readonly runs: GrowingRun[];
}

function largestOf<T extends { readonly bytes: number }>(all: readonly T[]): T | undefined {
  let [largest] = all;
  for (const one of all) if (largest === undefined || one.bytes > largest.bytes) largest = one;
  return largest;
}
