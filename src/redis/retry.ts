/** What callers see while Redis is away: a wait up to a deadline, then STORE_UNAVAILABLE. */
import { setTimeout as delay } from "node:timers/promises";
import { LangwireError } from "../protocol/errors.ts";

const retryDelayMs = 100;

/** @throws LangwireError STORE_UNAVAILABLE in place of a connection's errors */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof LangwireError) throw cause;
    throw new LangwireError("STORE_UNAVAILABLE", { cause });
  }
}

/** Tries again until a deadline. @throws LangwireError STORE_UNAVAILABLE after it */
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
