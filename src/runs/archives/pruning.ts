/**
 * Deletes the archives of runs that ended too long ago, some at a time. Every process does it: what one
 * has deleted, another finds no more.
 */
import type { Store } from "../../store/store.ts";
import { Sweep } from "../lifecycle/sweep.ts";
import type { RunObserver } from "../observer.ts";

export interface PruningOptions {
  readonly store: Pick<Store, "archives">;
  /** How long events are kept, in milliseconds: 0 not at all, `Infinity` for good, which deletes nothing. */
  readonly keepEventsMs: number;
  readonly observer: RunObserver;
}

const minuteMs = 60_000;

/** So often that an archive stays at most a twentieth longer than it should, or a minute. */
export function pruningIntervalMs(keepEventsMs: number): number {
  return Math.min(Math.max(minuteMs, keepEventsMs / 20), 60 * minuteMs);
}

export function startPruning(options: PruningOptions): AsyncDisposable | undefined {
  const { store, keepEventsMs, observer } = options;
  if (keepEventsMs === Number.POSITIVE_INFINITY) return undefined;
  const closing = new AbortController();
  const sweep = new Sweep({
    what: "the events of runs that ended long ago could not be deleted",
    work: async () => {
      const before = new Date(Date.now() - keepEventsMs).toISOString();
      await store.archives.prune(before, closing.signal);
    },
    everyMs: pruningIntervalMs(keepEventsMs),
    observer,
  });
  sweep.soon();
  return {
    async [Symbol.asyncDispose]() {
      closing.abort();
      await sweep[Symbol.asyncDispose]();
    },
  };
}
