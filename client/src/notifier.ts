/** Wakes all who wait at the moment. A notification is not kept: who waits after it waits for the next. */
import { type Deferred, deferred } from "./deferred.ts";

export class Notifier {
  #waiting: Deferred<void> | undefined;

  /** @returns settles with the next `notify` */
  next(): Promise<void> {
    this.#waiting ??= deferred();
    return this.#waiting.promise;
  }

  notify(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
