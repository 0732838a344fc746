/** Measures how late the event loop is: the delay that every run on this process has. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const resolutionMs = 20;
const windowMs = 1_000;

export class LoopLag implements Disposable {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #timer: NodeJS.Timeout;
  #medianMs = 0;

  constructor() {
    this.#delay.enable();
    this.#timer = setInterval(() => {
      // The median: a single long pause, such as a collection of garbage, is no overload.
      this.#medianMs = Math.max(0, this.#delay.percentile(50) / 1e6 - resolutionMs);
      this.#delay.reset();
    }, windowMs).unref();
  }

  /** The median of the last second. */
  get medianMs(): number {
    return this.#medianMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }
}
