/** Detects that the other end of a WebSocket is gone: by pings, and deadlines for their answers. */

export interface LivenessOptions {
  readonly connectTimeoutMs: number;
  readonly pingAfterMs: number;
  readonly pongTimeoutMs: number;
}

/** How long a request may go without anything coming before the other end is pinged. */
const answerMs = 400;
const minTimeoutMs = 1_300;

/**
 * The deadline for a ping's answer while a request waits. It adapts to measured round trips, and doubles
 * when one took longer: on a link of any slowness it becomes long enough.
 */
export class AdaptiveTimeout {
  readonly #maxMs: number;
  #ms: number;

  constructor(maxMs: number) {
    this.#maxMs = maxMs;
    this.#ms = Math.min(minTimeoutMs, maxMs);
  }

  get ms(): number {
    return this.#ms;
  }

  answered(roundTripMs: number): void {
    this.#ms = Math.min(this.#maxMs, Math.max(minTimeoutMs, roundTripMs * 3));
  }

  expired(): void {
    this.#ms = Math.min(this.#maxMs, this.#ms * 2);
  }
}

export interface LivenessEvents {
  readonly ping: () => void;
  readonly dead: () => void;
}

export class Liveness {
  readonly #options: LivenessOptions;
  readonly #pongTimeout: AdaptiveTimeout;
  readonly #events: LivenessEvents;
  #heardAtMs = performance.now();
  /** Whether the other end has said anything: before, it may be busy with who is calling. */
  #hasSpoken = false;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** Runs from a question on, and stops with whatever comes. */
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LivenessOptions, pongTimeout: AdaptiveTimeout, events: LivenessEvents) {
    this.#options = options;
    this.#pongTimeout = pongTimeout;
    this.#events = events;
    this.#watch(options.pingAfterMs);
  }

  /** Anything was received, even a part of a message: the other end is there, however slow. */
  heard(): void {
    this.#heardAtMs = performance.now();
    this.#hasSpoken = true;
    this.#stopWaiting();
  }

  /** Something was sent that has an answer. */
  expectAnswer(): void {
    this.#deadline ??= setTimeout(() => this.ask(), answerMs);
  }

  /** Pings at once. */
  ask(): void {
    const { connectTimeoutMs } = this.#options;
    const waitMs = this.#hasSpoken ? this.#pongTimeout.ms : connectTimeoutMs;
    this.#stopWaiting();
    this.#deadline = setTimeout(() => {
      this.#pongTimeout.expired();
      this.#events.dead();
    }, waitMs);
    this.#events.ping();
  }

  stop(): void {
    clearTimeout(this.#idleTimer);
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  #watch(waitMs: number): void {
    const { pingAfterMs, pongTimeoutMs } = this.#options;
    this.#idleTimer = setTimeout(() => {
      const leftMs = this.#heardAtMs + pingAfterMs - performance.now();
      if (leftMs <= 0 && this.#deadline === undefined) {
        this.#deadline = setTimeout(this.#events.dead, pongTimeoutMs);
        this.#events.ping();
      }
      this.#watch(leftMs > 0 ? leftMs : pingAfterMs);
    }, waitMs);
  }
}
