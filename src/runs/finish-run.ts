/**
 * Ends a run in the store. What the ending has besides (what its message is made of, what the bot remembers
 * of it, its events) may be refused where the ending itself is not: then it is stored without.
 */
import type { Ending, Finished, Store } from "../store/store.ts";
import { isStoreAway } from "./lifecycle/store-watch.ts";
import type { RunObserver } from "./observer.ts";

interface FinishOptions {
  readonly store: Pick<Store, "runs">;
  readonly observer: Pick<RunObserver, "failed">;
}

/**
 * @returns what the store says, and whether it has the run's events as they were given
 * @throws LangwireError STORE_UNAVAILABLE; what the store threw, where it refuses the ending itself
 */
export async function finishRun(
  ending: Ending,
  { store, observer }: FinishOptions,
): Promise<Finished & { readonly archived: boolean }> {
  const { parts, modelMessages, archive, ...bare } = ending;
  const hasMore = parts !== undefined || modelMessages !== undefined || archive !== undefined;
  try {
    const stored = await store.runs.finish(ending);
    return { ...stored, archived: stored.finished && archive !== undefined };
  } catch (cause) {
    if (!hasMore || isStoreAway(cause)) throw cause;
    const stored = await store.runs.finish(bare);
    // It was these that it refused.
    observer.failed?.("the store refused what a run's ending has besides; it ends without", cause);
    return { ...stored, archived: false };
  }
}
