/** A signal to all who wait at the moment. It is not kept: who waits after it waits for the next. */
export class Bell {
  #waiting: PromiseWithResolvers<void> | undefined;

  /** @returns settles with the next `ring` */
  wait(): Promise<void> {
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  ring(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
