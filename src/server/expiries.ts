/** Ends what a token has opened when the token expires. One timer looks after all of them. */

const lookEveryMs = 1_000;

export class Expiries implements Disposable {
  readonly #waiting = new Map<() => void, number>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  /** @returns forgets about it */
  at(expiresAtMs: number, end: () => void): () => void {
    this.#waiting.set(end, expiresAtMs);
    return () => this.#waiting.delete(end);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = Date.now();
    for (const [end, expiresAtMs] of this.#waiting) {
      if (expiresAtMs > now) continue;
      this.#waiting.delete(end);
      end();
    }
  }
}
