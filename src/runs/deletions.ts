/**
 * What follows the deletion of a conversation: the log forgets it, and what it had is deleted from the
 * store. What is left there, by an error, a crash, or an answer that was lost, is found by a sweep, which
 * every process does.
 */
import type { EventLog } from "../log/log.ts";
import type { Store } from "../store/store.ts";
import { forgetDeleted } from "./forget-deleted.ts";
import { isStoreAway } from "./lifecycle/store-watch.ts";
import { Sweep } from "./lifecycle/sweep.ts";
import type { RunObserver } from "./observer.ts";

export interface DeletionsOptions {
  readonly store: Pick<Store, "deletions">;
  readonly log: Pick<EventLog, "forget">;
  readonly observer: RunObserver;
}

const everyMs = 10_000;
const left = "what a deleted conversation had is still in the database, where nobody is given it";

export class Deletions implements AsyncDisposable {
  readonly #options: DeletionsOptions;
  readonly #closing = new AbortController();
  readonly #sweep: Sweep;

  constructor(options: DeletionsOptions) {
    this.#options = options;
    const { store, observer } = options;
    const work = () => this.#untilClosing(finishDeletions(store, this.#closing.signal));
    this.#sweep = new Sweep({ what: left, work, everyMs, observer });
    this.#sweep.soon();
  }

  /** @returns settles when all that it had is deleted, or left to the sweep, which is reported */
  async finish(conversationId: string): Promise<void> {
    const { store, observer } = this.#options;
    forgetDeleted(conversationId, this.#options);
    const finished = store.deletions.finish(conversationId, this.#closing.signal);
    await this.#untilClosing(finished).catch((cause: unknown) => {
      observer.failed?.(left, cause);
      this.#sweep.soon();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#sweep[Symbol.asyncDispose]();
  }

  /** What a shutdown breaks off is found by the next start. */
  async #untilClosing(work: Promise<void>): Promise<void> {
    await work.catch((cause: unknown) => {
      if (!this.#closing.signal.aborted) throw cause;
    });
  }
}

/**
 * Of all conversations that are deleted: one that cannot be finished holds up no other.
 * @throws LangwireError STORE_UNAVAILABLE; what the store threw for one of them, after each was tried
 */
export async function finishDeletions(
  { deletions }: Pick<Store, "deletions">,
  signal?: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  for (const conversationId of await deletions.unfinished()) {
    await deletions.finish(conversationId, signal).catch((cause: unknown) => {
      if (isStoreAway(cause) || signal?.aborted) throw cause;
      failures.push(cause);
    });
  }
  if (failures.length > 0) throw failures[0];
}
