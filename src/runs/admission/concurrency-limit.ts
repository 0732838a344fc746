import type { MaybePromise } from "../../log/log.ts";

/** Limits how many runs each user may have in progress at once. */
export interface UserConcurrencyLimit {
  /**
   * Takes a slot.
   * @param max this user's limit, where it is not everybody's
   * @returns releases it, once; undefined when the limit is reached
   */
  take(userId: string, max?: number): MaybePromise<(() => void) | undefined>;
}

/** A concurrency limit for each key: counts the slots that are taken, in this process. */
export class ConcurrencyLimit implements UserConcurrencyLimit {
  readonly #max: number;
  readonly #taken = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  taken(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  full(key: string, max = this.#max): boolean {
    return this.taken(key) >= max;
  }

  take(key: string, max?: number): (() => void) | undefined {
    if (!this.enter(key, max)) return undefined;
    let held = true;
    return () => {
      if (held) this.leave(key);
      held = false;
    };
  }

  /** As `take`, for a caller that calls `leave` itself, once. @returns whether a slot was taken */
  enter(key: string, max?: number): boolean {
    if (this.full(key, max)) return false;
    this.#taken.set(key, this.taken(key) + 1);
    return true;
  }

  leave(key: string): void {
    const left = this.taken(key) - 1;
    if (left === 0) this.#taken.delete(key);
    else this.#taken.set(key, left);
  }
}
