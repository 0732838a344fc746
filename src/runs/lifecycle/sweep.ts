/**
 * Periodic work, never twice at a time: every `everyMs`, and sooner when asked for. Work that failed is
 * retried.
 */
import { within } from "../../time/within.ts";
import type { RunObserver } from "../observer.ts";

export interface SweepOptions {
  /** What to say when the work failed. */
  readonly what: string;
  readonly work: () => Promise<void>;
  readonly observer: RunObserver;
  readonly everyMs: number;
}

const soonMs = 1_000;
/** How long a shutdown waits for a sweep whose store does not answer. */
const lastSweepMs = 1_000;

export class Sweep implements AsyncDisposable {
  readonly #options: SweepOptions;
  readonly #timer: NodeJS.Timeout;
  #soon: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#sweep(), options.everyMs).unref();
  }

  /** Sweeps in a second, and again each second until it has succeeded. */
  soon(): void {
    if (this.#closed) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#sweep();
    }, soonMs).unref();
  }

  /** Begins no sweep any more. @returns settles when the one under way is over */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    await within(Promise.resolve(this.#working), lastSweepMs);
  }

  #sweep(): void {
    const { what, work, observer } = this.#options;
    this.#working ??= work()
      .catch((cause: unknown) => {
        observer.failed?.(what, cause);
        this.soon();
      })
      .finally(() => {
        this.#working = undefined;
      });
  }
}
