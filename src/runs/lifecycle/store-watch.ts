/**
 * Waits for a store that is away, with one probe for all who wait: on SQLite, each probe of a locked
 * database blocks the thread for the busy timeout, and with it every run of the process.
 */
import { setTimeout as delay } from "node:timers/promises";
import { LangwireError } from "../../protocol/errors.ts";
import { isRowHeld } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";
import { backoffMs } from "../../time/backoff.ts";

/** Whether an error of the store's says that it cannot serve now, and nothing else. */
export function isStoreAway(cause: unknown): boolean {
  return cause instanceof LangwireError && cause.code === "STORE_UNAVAILABLE";
}

const backoff = { firstMs: 200, maxMs: 1_000 };

export class StoreWatch implements Disposable {
  readonly #store: Pick<Store, "ping">;
  readonly #closing = new AbortController();
  #back: Promise<void> | undefined;

  constructor(store: Pick<Store, "ping">) {
    this.#store = store;
  }

  /** Whether the store was reported away, and no probe has succeeded since. */
  get away(): boolean {
    return this.#back !== undefined;
  }

  /** Reports what the store threw. @returns whether it could not serve */
  note(cause: unknown): boolean {
    if (!isStoreAway(cause)) return false;
    // Others can go on meanwhile.
    if (!isRowHeld(cause)) void this.back();
    return true;
  }

  /** Reports that the store is away. @returns settles when it takes writes again, or on disposal */
  back(): Promise<void> {
    this.#back ??= this.#look().finally(() => {
      this.#back = undefined;
    });
    return this.#back;
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  async #look(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures++) {
      await delay(backoffMs(failures, backoff), undefined, { ref: false, signal }).catch(() => {});
      const found = await this.#store.ping().then(
        () => true,
        () => false,
      );
      if (found) return;
    }
  }
}
