/** Wakes whoever waits, and remembers nothing. */
export class Bell {
  #waiting: PromiseWithResolvers<void> | undefined;

  /** Settles when it rings next. */
  wait(): Promise<void> {
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  ring(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
