/** Ends sockets and subscriptions when the token that opened them expires. One timer for all of them. */

/** A socket or a subscription over HTTP. */
export interface Expiring {
  expire(): void;
}

const checkEveryMs = 1_000;

export class Expiries implements Disposable {
  readonly #waiting = new Map<Expiring, number>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#expireDue(), checkEveryMs).unref();
  }

  add(expiring: Expiring, expiresAtMs: number): void {
    this.#waiting.set(expiring, expiresAtMs);
  }

  /** For one that ended before its token expired. */
  delete(expiring: Expiring): void {
    this.#waiting.delete(expiring);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #expireDue(): void {
    const now = Date.now();
    for (const [expiring, expiresAtMs] of this.#waiting) {
      if (expiresAtMs > now) continue;
      this.#waiting.delete(expiring);
      expiring.expire();
    }
  }
}
