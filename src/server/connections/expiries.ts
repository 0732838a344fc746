/** Ends what a token has opened when the token expires. One timer looks after all of them. */

/** What a token has opened. */
export interface Expiring {
  expire(): void;
}

const lookEveryMs = 1_000;

export class Expiries implements Disposable {
  readonly #waiting = new Map<Expiring, number>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  add(expiring: Expiring, expiresAtMs: number): void {
    this.#waiting.set(expiring, expiresAtMs);
  }

  /** It has ended before. */
  delete(expiring: Expiring): void {
    this.#waiting.delete(expiring);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = Date.now();
    for (const [expiring, expiresAtMs] of this.#waiting) {
      if (expiresAtMs > now) continue;
      this.#waiting.delete(expiring);
      expiring.expire();
    }
  }
}
