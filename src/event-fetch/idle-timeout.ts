/** The idle timeouts of one answer: before its first byte, and between reads. One timer for all of it. */
import { performance } from "node:perf_hooks";

export interface IdleTimeoutLimits {
  /** How long a provider may take until the first byte of its answer. */
  readonly firstByteTimeoutMs: number;
  /** How long a provider may send nothing between two reads of its answer. */
  readonly stallTimeoutMs: number;
}

/** The provider did not begin to answer in time, or stopped in the middle. */
export class ProviderTimeout extends Error {
  override readonly name = "ProviderTimeout";
  readonly code = "PROVIDER_TIMEOUT";
  readonly phase: "firstByte" | "stall";
  readonly timeoutMs: number;

  constructor(phase: "firstByte" | "stall", timeoutMs: number) {
    const what = phase === "firstByte" ? "did not begin to answer" : "stopped in its answer";
    super(`The model's provider ${what}: it sent nothing for ${timeoutMs} ms.`);
    this.phase = phase;
    this.timeoutMs = timeoutMs;
  }
}

/** Node fires a timer at once that is set for longer. */
const timerAtMostMs = 2 ** 31 - 1;

export class IdleTimeout {
  readonly #limits: IdleTimeoutLimits;
  readonly #onTimeout: (error: ProviderTimeout) => void;
  readonly #startedAt = performance.now();
  #phase: "firstByte" | "stall" = "firstByte";
  /** Since when the provider has sent nothing; `undefined` while paused. */
  #idleSince: number | undefined = this.#startedAt;
  #timer: NodeJS.Timeout | undefined;
  #lastLook: NodeJS.Immediate | undefined;

  constructor(limits: IdleTimeoutLimits, onTimeout: (error: ProviderTimeout) => void) {
    this.#limits = limits;
    this.#onTimeout = onTimeout;
    this.#setTimer(this.#limitMs);
  }

  /** Bytes of the answer have come: from now on the stall timeout counts. */
  answerBegun(): void {
    if (this.#phase === "stall") return;
    this.#phase = "stall";
    clearTimeout(this.#timer);
    this.#setTimer(this.#limitMs);
  }

  /** The reader waits for the provider's next bytes. */
  resume(): void {
    this.#idleSince = this.#phase === "firstByte" ? this.#startedAt : performance.now();
  }

  /** The reader waits for nothing: the time that it takes is not counted against the provider. */
  pause(): void {
    this.#idleSince = undefined;
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#lastLook);
  }

  get #limitMs(): number {
    return this.#phase === "firstByte"
      ? this.#limits.firstByteTimeoutMs
      : this.#limits.stallTimeoutMs;
  }

  get #leftMs(): number {
    const idleMs = this.#idleSince === undefined ? 0 : performance.now() - this.#idleSince;
    return this.#limitMs - idleMs;
  }

  #setTimer(ms: number): void {
    this.#timer = setTimeout(this.#onTimer, Math.min(Math.ceil(ms), timerAtMostMs)).unref();
  }

  /**
   * Timers come before reads in a turn of the event loop, so a busy loop would take its own lateness
   * for the provider's: the verdict is left to an immediate, which comes after the reads.
   */
  readonly #onTimer = (): void => {
    if (this.#leftMs > 0) this.#setTimer(this.#leftMs);
    else this.#lastLook = setImmediate(this.#onLastLook);
  };

  readonly #onLastLook = (): void => {
    if (this.#leftMs > 0) this.#setTimer(this.#leftMs);
    else this.#onTimeout(new ProviderTimeout(this.#phase, this.#limitMs));
  };
}
