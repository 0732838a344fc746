/** Stores to test, and what the tests put into them. */
import { randomUUID } from "node:crypto";
import { beforeEach, vi } from "vitest";
import type { Ending, NewRun, Run, Store } from "../../src/store/store.ts";

/** A database of its own, empty at first, that can be opened again and again. */
export interface StorePlace extends AsyncDisposable {
  open(): Promise<Store>;
}

/** A fresh store for each test, under `store` as long as the test runs. */
export function storeForEach(newPlace: () => Promise<StorePlace>): {
  readonly store: Store;
  readonly place: StorePlace;
} {
  let current: { store: Store; place: StorePlace } | undefined;
  const used = () => {
    if (current === undefined) throw new Error("There is a store only inside a test.");
    return current;
  };
  beforeEach(async () => {
    const place = await newPlace();
    const store = await place.open();
    current = { place, store };
    return async () => {
      vi.useRealTimers();
      current = undefined;
      await store[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    };
  });
  return {
    get store() {
      return used().store;
    },
    get place() {
      return used().place;
    },
  };
}

/** Stops the clock, to be moved on by the returned function; otherwise two calls share a time. */
export function ownClock(): { nextSecond(): string } {
  let now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now });
  return {
    nextSecond() {
      now += 1_000;
      vi.setSystemTime(now);
      return new Date(now).toISOString();
    },
  };
}

export function newRun(given: Partial<NewRun> = {}): NewRun {
  return {
    runId: randomUUID(),
    conversationId: randomUUID(),
    botId: "chat",
    userId: "alice",
    message: "Hello?",
    ...given,
  };
}

export function endingOf(run: Run, given: Partial<Ending> = {}): Ending {
  return {
    runId: run.runId,
    status: "completed",
    text: `Answer to: ${run.message}`,
    endSeq: run.firstSeq + 9,
    endedAt: new Date().toISOString(),
    ...given,
  };
}

/** A run begun. */
export async function begin(store: Store, given: Partial<NewRun> = {}): Promise<Run> {
  const claim = await store.runs.claim(newRun(given));
  if (claim.outcome !== "claimed") throw new Error(`It was not claimed, but ${claim.outcome}.`);
  return claim.run;
}

/** A run begun and ended. */
export async function exchange(
  store: Store,
  given: Partial<NewRun> = {},
  ending: Partial<Ending> = {},
): Promise<Run> {
  const { finished, run } = await store.runs.finish(endingOf(await begin(store, given), ending));
  if (!finished) throw new Error("It had ended before.");
  return run;
}
