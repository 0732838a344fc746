/** Notices that a provider has gone silent: one timer for a whole answer, not one for each read. */
import { performance } from "node:perf_hooks";

export interface SilenceLimits {
  /** Until the first byte of the answer. */
  readonly firstByteTimeoutMs: number;
  /** Between two reads of it. */
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

/** A timer cannot be set for longer. */
const timerAtMostMs = 2 ** 31 - 1;

export class Silence {
  readonly #limits: SilenceLimits;
  readonly #onTimeout: (error: ProviderTimeout) => void;
  readonly #startedAt = performance.now();
  #phase: "firstByte" | "stall" = "firstByte";
  /** When the present silence began; `undefined` while nobody waits for the provider. */
  #since: number | undefined = this.#startedAt;
  #timer: NodeJS.Timeout | undefined;
  #lastLook: NodeJS.Immediate | undefined;

  constructor(limits: SilenceLimits, onTimeout: (error: ProviderTimeout) => void) {
    this.#limits = limits;
    this.#onTimeout = onTimeout;
    this.#setTimer(this.#limitMs);
  }

  /** The first bytes have come. */
  begun(): void {
    if (this.#phase === "stall") return;
    this.#phase = "stall";
    clearTimeout(this.#timer);
    this.#setTimer(this.#limitMs);
  }

  /** Somebody waits for the next bytes. */
  waiting(): void {
    this.#since = this.#phase === "firstByte" ? this.#startedAt : performance.now();
  }

  /** Nobody waits: how long that takes is not the provider's silence. */
  notWaiting(): void {
    this.#since = undefined;
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
    const silentMs = this.#since === undefined ? 0 : performance.now() - this.#since;
    return this.#limitMs - silentMs;
  }

  #setTimer(ms: number): void {
    this.#timer = setTimeout(this.#onTimer, Math.min(Math.ceil(ms), timerAtMostMs)).unref();
  }

  /**
   * Timers come before reads in a turn of the event loop. A busy loop could so take its own
   * lateness for the provider's: what lies ready is read first.
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
