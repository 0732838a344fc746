/** Tries again what the server refused for the moment. */
import type { Delay } from "../connection/backoff.ts";
import { onWake } from "../connection/wake.ts";
import { type LangwireClientError, toClientError } from "../errors.ts";

export interface RetryOptions {
  /** Ends the attempts, without an error. */
  readonly signal: AbortSignal;
  /** @returns the wait before the next attempt; undefined: there is none */
  readonly waitAfter: (error: LangwireClientError) => Delay | undefined;
}

/** Nobody tells of a conversation that begins, so while there is none it is asked for again and again. */
export const unbegunBackoff = { baseMs: 500, maxMs: 3_000 };

/** @returns whether it was done, or its signal ended it */
export async function retry(
  attempt: () => Promise<void>,
  { signal, waitAfter }: RetryOptions,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await attempt();
      return true;
    } catch (cause) {
      if (signal.aborted) break;
      const delay = waitAfter(toClientError(cause));
      if (delay === undefined) return false;
      await overOrWoken(delay, signal);
    }
  }
  return true;
}

/** A page that comes back to the front, and a reader who leaves, wait no longer. */
async function overOrWoken(delay: Delay, signal: AbortSignal): Promise<void> {
  const shorten = () => delay.shorten(0);
  const stopListening = onWake(shorten);
  signal.addEventListener("abort", shorten);
  await delay.over;
  signal.removeEventListener("abort", shorten);
  stopListening();
}
