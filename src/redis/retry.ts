/** What Redis being away looks like to callers: a wait within the limit, then STORE_UNAVAILABLE. */
import { setTimeout as delay } from "node:timers/promises";
import { LangwireError } from "../protocol/errors.ts";

const retryDelayMs = 100;

/** @throws LangwireError STORE_UNAVAILABLE in place of a connection's errors */
export async function unlessAway<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof LangwireError) throw cause;
    throw new LangwireError("STORE_UNAVAILABLE", { cause });
  }
}

/** Tries again while Redis is away. @throws LangwireError STORE_UNAVAILABLE after the time limit */
export async function retryFor<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      if (performance.now() > deadlineMs) throw new LangwireError("STORE_UNAVAILABLE", { cause });
      await delay(retryDelayMs, undefined, { ref: false });
    }
  }
}
