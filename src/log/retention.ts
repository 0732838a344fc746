/** Which finished runs are still in the log, oldest first, and when they leave it. */
import type { LogBounds } from "./log.ts";

interface FinishedRun {
  readonly conversationId: string;
  /** The number of the run's last event; everything up to it leaves together. */
  readonly lastSeq: number;
}

export class Retention {
  readonly #bounds: LogBounds;
  readonly #evict: (run: FinishedRun) => number;
  readonly #runs = new Map<number, FinishedRun & { expiresAtMs: number }>();
  #nextKey = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param options.evict drops the run's events and returns the bytes that the log holds after it */
  constructor(options: { bounds: LogBounds; evict: (run: FinishedRun) => number }) {
    this.#bounds = options.bounds;
    this.#evict = options.evict;
  }

  /**
   * Runs come in the order of their ends.
   * @param endedAt where that is not now
   */
  add(run: FinishedRun, endedAt?: Date): void {
    const ageMs = endedAt === undefined ? 0 : Math.max(0, Date.now() - endedAt.getTime());
    const expiresAtMs = performance.now() + this.#bounds.retentionMs - ageMs;
    this.#runs.set(this.#nextKey++, { ...run, expiresAtMs });
    this.#schedule();
  }

  /** Lets the oldest finished runs go until the log fits, or none is left. */
  fit(bytes: number, maxBytes: number = this.#bounds.maxBytes): void {
    if (bytes <= maxBytes) return;
    for (const key of this.#runs.keys()) {
      if (bytes <= maxBytes) return;
      bytes = this.#drop(key);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #expire(): void {
    const now = performance.now();
    for (const [key, run] of this.#runs) {
      if (run.expiresAtMs > now) break;
      this.#drop(key);
    }
    this.#timer = undefined;
    this.#schedule();
  }

  #drop(key: number): number {
    const run = this.#runs.get(key);
    if (run === undefined) throw new Error(`no finished run ${key}`);
    this.#runs.delete(key);
    return this.#evict(run);
  }

  #schedule(): void {
    const [first] = this.#runs.values();
    if (this.#timer !== undefined || first === undefined) return;
    const delayMs = Math.max(0, first.expiresAtMs - performance.now());
    this.#timer = setTimeout(() => this.#expire(), delayMs).unref();
  }
}
