/** One piece of work at a time for each key. */
export class KeyedMutex {
  readonly #held = new Map<string, Promise<void>>();

  /** How many keys are held. */
  get size(): number {
    return this.#held.size;
  }

  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** Settles when the key is free, or free again. Never rejects. */
  async free(key: string): Promise<void> {
    await this.#held.get(key);
  }

  /** Settles when the keys that are held now are free. */
  async allFree(): Promise<void> {
    await Promise.all(this.#held.values());
  }

  /**
   * Holds the key while it works, from the moment on in which it is free: at once, if it is.
   * @param before called just before the key is held; when it throws, nothing is done
   */
  async run<T>(key: string, work: () => Promise<T>, before?: () => void): Promise<T> {
    for (let other = this.#held.get(key); other !== undefined; other = this.#held.get(key)) {
      await other;
    }
    before?.();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(key, promise);
    try {
      return await work();
    } finally {
      this.#held.delete(key);
      resolve();
    }
  }
}
