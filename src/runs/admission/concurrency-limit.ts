import type { MaybePromise } from "../../log/log.ts";

/** Limits how many runs each user may have in progress at once. */
export interface UserConcurrencyLimit {
  /** Takes a slot. @returns releases it, once; undefined when the limit is reached */
  take(userId: string): MaybePromise<(() => void) | undefined>;
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

  full(key: string): boolean {
    return this.taken(key) >= this.#max;
  }

  take(key: string): (() => void) | undefined {
    if (!this.enter(key)) return undefined;
    let held = true;
    return () => {
      if (held) this.leave(key);
      held = false;
    };
  }

  /** As `take`, for a caller that calls `leave` itself, once. @returns whether a slot was taken */
  enter(key: string): boolean {
    if (this.full(key)) return false;
    this.#taken.set(key, this.taken(key) + 1);
    return true;
  }

  leave(key: string): void {
    const left = this.taken(key) - 1;
    if (left === 0) this.#taken.delete(key);
    else this.#taken.set(key, left);
  }
}
