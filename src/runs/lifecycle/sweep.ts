/**
 * Work that is done again and again, one at a time: every `everyMs`, and a moment after somebody has
 * reason to think that there is something to do.
 */
import { within } from "../../time/within.ts";
import type { RunObserver } from "../observer.ts";

export interface SweepOptions {
  readonly work: () => Promise<void>;
  readonly observer: RunObserver;
  readonly everyMs: number;
}

const soonMs = 1_000;
/** How long a store that stands still holds up a process that leaves. */
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

  /** Sweeps a moment from now, and again until it has succeeded. */
  soon(): void {
    if (this.#closed) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#sweep();
    }, soonMs).unref();
  }

  /** Settles when what is under way has come to its end; nothing is begun any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    await within(Promise.resolve(this.#working), lastSweepMs);
  }

  #sweep(): void {
    const { work, observer } = this.#options;
    this.#working ??= work()
      .catch((cause: unknown) => {
        observer.failed?.("runs could not be compared with the store's", cause);
        this.soon();
      })
      .finally(() => {
        this.#working = undefined;
      });
  }
}
