/** Many changes, one notice: at the next animation frame, or soon where no frames are drawn. */

/** Browsers have these; Node.js has not, and a server never draws. */
interface Frames {
  readonly requestAnimationFrame?: (callback: () => void) => number;
  readonly cancelAnimationFrame?: (handle: number) => void;
}

/** How long a notice may wait for a frame: a window in the background draws none. */
const maxWaitMs = 200;
/** Where there are no frames at all. */
const withoutFramesMs = 16;

export class FrameBatch {
  readonly #notify: () => void;
  #frame: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(notify: () => void) {
    this.#notify = notify;
  }

  /** Notifies at the next frame, once for however many calls. */
  schedule(): void {
    if (this.#timer !== undefined) return;
    const { requestAnimationFrame } = globalThis as Frames;
    this.#frame = requestAnimationFrame?.(() => this.flush());
    const waitMs = this.#frame === undefined ? withoutFramesMs : maxWaitMs;
    this.#timer = setTimeout(() => this.flush(), waitMs);
  }

  /** Notifies now, and not again for what was scheduled. */
  flush(): void {
    const { cancelAnimationFrame } = globalThis as Frames;
    if (this.#frame !== undefined) cancelAnimationFrame?.(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = undefined;
    this.#timer = undefined;
    this.#notify();
  }
}
