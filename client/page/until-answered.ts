/** A question to the server that is asked again while the refusal may pass. */
import type { LangwireClientError } from "langwire-client";
import { createBackoff, Delay } from "../src/connection/backoff.ts";
import { retry } from "../src/react/retry.ts";

interface UntilAnsweredOptions {
  /** Whoever asked is gone, or asks anew. */
  readonly signal: AbortSignal;
  /** Each refusal; the last one is not `retryable`. */
  readonly onRefused: (error: LangwireClientError) => void;
}

export async function untilAnswered(
  ask: () => Promise<void>,
  { signal, onRefused }: UntilAnsweredOptions,
): Promise<void> {
  const backoff = createBackoff();
  const waitAfter = (error: LangwireClientError) => {
    onRefused(error);
    return error.retryable ? new Delay((error.retryAfterMs ?? 0) + backoff.next()) : undefined;
  };
  await retry(ask, { signal, waitAfter });
}
