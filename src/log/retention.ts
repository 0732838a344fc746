/** Which finished runs are still in the log, and when they leave it. */
import type { LogBounds } from "./log.ts";

interface FinishedRun {
  readonly conversationId: string;
  /** The number of the run's last event; everything up to it leaves together. */
  readonly lastSeq: number;
}

interface FinishedRunOptions {
  /** Where that is not now. */
  readonly endedAt?: Date | undefined;
  /** Whether its events can be read from elsewhere. */
  readonly archived?: boolean | undefined;
}

/**
 * Of the bytes that the log may hold, those above which what is archived leaves at once: it is there for
 * readers who are a little behind, and many large runs that end together are not.
 */
const archivedShare = 1 / 8;

/** Drops the run's events and returns the bytes that the log holds after it. */
type Evict = (run: FinishedRun) => number;

export class Retention {
  readonly #maxBytes: number;
  readonly #archived: ExpiringRuns;
  readonly #kept: ExpiringRuns;

  constructor({ bounds, evict }: { bounds: LogBounds; evict: Evict }) {
    const { retentionMs, archivedMs, maxBytes } = bounds;
    this.#maxBytes = maxBytes;
    this.#archived = new ExpiringRuns(Math.min(archivedMs, retentionMs), evict);
    this.#kept = new ExpiringRuns(retentionMs, evict);
  }

  /** Runs come in the order of their ends. */
  add(run: FinishedRun, { endedAt, archived = false }: FinishedRunOptions = {}): void {
    const ageMs = endedAt === undefined ? 0 : Math.max(0, Date.now() - endedAt.getTime());
    // A run takes those before it along: behind one that the log alone has, it stays as long.
    const isBehindKept = this.#kept.has(run.conversationId);
    (archived && !isBehindKept ? this.#archived : this.#kept).add(run, ageMs);
  }

  /**
   * Lets the oldest finished runs go until the log fits, or none is left: first those that are archived, of
   * which it holds less.
   */
  fit(bytes: number, maxBytes: number = this.#maxBytes): void {
    const left = this.#archived.dropUntil(bytes, maxBytes * archivedShare);
    this.#kept.dropUntil(left, maxBytes);
  }

  close(): void {
    this.#archived.close();
    this.#kept.close();
  }
}

/** Runs that leave the log so long after their ends. */
class ExpiringRuns {
  readonly #afterMs: number;
  readonly #evict: Evict;
  readonly #runs = new Map<number, FinishedRun & { expiresAtMs: number }>();
  /** How many of each conversation. */
  readonly #counts = new Map<string, number>();
  #nextKey = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(afterMs: number, evict: Evict) {
    this.#afterMs = afterMs;
    this.#evict = evict;
  }

  has(conversationId: string): boolean {
    return this.#counts.has(conversationId);
  }

  add(run: FinishedRun, ageMs: number): void {
    const expiresAtMs = performance.now() + this.#afterMs - ageMs;
    this.#runs.set(this.#nextKey++, { ...run, expiresAtMs });
    const { conversationId } = run;
    this.#counts.set(conversationId, (this.#counts.get(conversationId) ?? 0) + 1);
    this.#schedule();
  }

  /**
   * Drops the oldest until the log holds no more than that, or none is left.
   * @param bytes that the log holds
   * @returns those that it holds after it
   */
  dropUntil(bytes: number, maxBytes: number): number {
    let left = bytes;
    while (left > maxBytes && this.#runs.size > 0) {
      const [key = 0] = this.#runs.keys();
      left = this.#drop(key);
    }
    return left;
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
    const { conversationId } = run;
    const left = (this.#counts.get(conversationId) ?? 1) - 1;
    if (left === 0) this.#counts.delete(conversationId);
    else this.#counts.set(conversationId, left);
    return this.#evict(run);
  }

  #schedule(): void {
    const [first] = this.#runs.values();
    if (this.#timer !== undefined || first === undefined) return;
    const delayMs = Math.max(0, first.expiresAtMs - performance.now());
    this.#timer = setTimeout(() => this.#expire(), delayMs).unref();
  }
}
