/** Retries what the server refused for the moment. */
import { createBackoff, Delay } from "../connection/backoff.ts";
import { type LangwireClientError, toClientError } from "../errors.ts";

export interface InsistOptions {
  /** Ends it, without a word. */
  readonly signal: AbortSignal;
  /** It was refused, and will be tried again. */
  readonly onRefused: (error: LangwireClientError) => void;
}

/** @throws LangwireClientError for a refusal that no later attempt changes */
export async function insist(
  attempt: () => Promise<void>,
  { signal, onRefused }: InsistOptions,
): Promise<void> {
  for (const backoff = createBackoff(); !signal.aborted; ) {
    try {
      return await attempt();
    } catch (cause) {
      if (signal.aborted) return;
      const error = toClientError(cause);
      if (!error.retryable) throw error;
      onRefused(error);
      await new Delay((error.retryAfterMs ?? 0) + backoff.next()).over;
    }
  }
}
