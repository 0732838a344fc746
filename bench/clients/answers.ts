/** The answers that a socket waits for, by what names them in the peer's protocol. */
export interface Waiting {
  readonly onText: (piece: string) => void;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

export class Answers<Key> {
  readonly #waiting = new Map<Key, Waiting>();

  get(key: Key): Waiting | undefined {
    return this.#waiting.get(key);
  }

  /** @returns settles with the answer that has this key */
  async wait(key: Key, onText: (piece: string) => void, closed: Promise<never>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.set(key, { onText, end: resolve, fail: reject });
    try {
      await Promise.race([promise, closed]);
    } finally {
      this.#waiting.delete(key);
    }
  }
}
