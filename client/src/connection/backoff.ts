/** Waits between attempts: longer each time, and never the same for two clients. */

export interface BackoffOptions {
  /** The first wait is below this. Default: 500. */
  readonly baseMs?: number | undefined;
  /** No wait is longer. Default: 15 seconds. */
  readonly maxMs?: number | undefined;
}

export interface Backoff {
  /** The next wait, in milliseconds. */
  next(): number;
  /** After a success: begins again with short waits. */
  reset(): void;
}

/**
 * "Full jitter": a random wait below a bound that doubles. Ten thousand clients that lost their
 * server in the same second come back spread over the whole of it.
 */
export function createBackoff({ baseMs = 500, maxMs = 15_000 }: BackoffOptions = {}): Backoff {
  let boundMs = baseMs;
  return {
    next() {
      const waitMs = Math.random() * boundMs;
      boundMs = Math.min(maxMs, boundMs * 2);
      return waitMs;
    },
    reset() {
      boundMs = baseMs;
    },
  };
}

/** A wait that can be shortened. */
export class Delay {
  readonly over: Promise<void>;
  #end: () => void = () => {};
  #dueAtMs = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(waitMs: number) {
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.shorten(waitMs);
  }

  /** Cancels the wait: it never settles. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  /** @param waitMs what may be left of it at most */
  shorten(waitMs: number): void {
    const dueAtMs = performance.now() + waitMs;
    if (dueAtMs >= this.#dueAtMs) return;
    this.#dueAtMs = dueAtMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#end, waitMs);
  }
}
