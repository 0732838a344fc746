/** A mutex for each key. */
export class KeyedMutex {
  readonly #held = new Map<string, Promise<void>>();

  /** How many keys are held. */
  get size(): number {
    return this.#held.size;
  }

  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** Settles when the key is free: at once where nobody holds it. Never rejects. */
  async free(key: string): Promise<void> {
    await this.#held.get(key);
  }

  /** Settles when the keys that are held now are free. */
  async allFree(): Promise<void> {
    await Promise.all(this.#held.values());
  }

  /**
   * Waits until the key is free, and holds it until `work` settles. A free key is held at once, before
   * this returns.
   * @param before called just before the key is held; when it throws, `work` is not called
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
