/** A signal to all who wait at the moment. It is not kept: who waits after it waits for the next. */
import { type Deferred, deferred } from "./deferred.ts";

export class Bell {
  #waiting: Deferred<void> | undefined;

  /** @returns settles with the next `ring` */
  wait(): Promise<void> {
    this.#waiting ??= deferred();
    return this.#waiting.promise;
  }

  ring(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
