import type { MaybePromise } from "../../log/log.ts";

/** ConcurrencyLimit of which each user has a number. */
export interface UserConcurrencyLimit {
  /** @returns gives the place back, once; undefined when there is none left */
  take(userId: string): MaybePromise<(() => void) | undefined>;
}

/** Counts what each key holds at the moment, up to a limit. */
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

  /** For who remembers to `leave`, once. @returns whether there was a place left */
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
