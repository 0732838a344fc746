/**
 * A `fetch` that retries while nothing of the answer has arrived: refusals that may pass, by what they
 * mean, and connections that failed.
 * It waits as long as the provider asks, else with a backoff, up to a limit in total. An answer that
 * breaks off midway is not retried.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ProviderTimeout } from "../../event-fetch/event-fetch.ts";
import { errorTable } from "../../protocol/errors.ts";
import { startProviderCall } from "./provider-calls.ts";
import { meaningOf, refusalOf } from "./refusal/refusal.ts";
import { normalizedError } from "./refusal/refusal-body.ts";
import { retryAfterOf } from "./retry-after.ts";
import { parsed, read } from "./unknown-json.ts";

export interface RetryOptions {
  /** The `fetch` that is retried. Default: the global one. */
  readonly fetch?: typeof fetch | undefined;
  /** Retries after the first attempt. Default 3. */
  readonly maxRetries?: number | undefined;
  /** Wait before the first retry, doubled for each later one. Default 500. */
  readonly firstDelayMs?: number | undefined;
  /** Waits of one call, summed. Default 30,000. */
  readonly maxWaitMs?: number | undefined;
}

export function createRetryingFetch(options: RetryOptions = {}): typeof fetch {
  const request = options.fetch ?? globalThis.fetch;
  const maxRetries = options.maxRetries ?? 3;
  const firstDelayMs = options.firstDelayMs ?? 500;
  const maxWaitMs = options.maxWaitMs ?? 30_000;

  return async (input, init) => {
    const call = startProviderCall();
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    let waitedMs = 0;
    for (let attempt = 0; ; attempt++) {
      call.requested();
      const result = await outcome(request, input, init);
      const delayMs = result.retryAfterMs ?? backOff(firstDelayMs, attempt);
      waitedMs += delayMs;
      const again = result.retryable && attempt < maxRetries && waitedMs <= maxWaitMs;
      if (!again || signal?.aborted) {
        if ("thrown" in result) throw result.thrown;
        return result.response;
      }
      await sleep(delayMs, undefined, signal ? { signal } : {});
    }
  };
}

type Outcome = { readonly retryable: boolean; readonly retryAfterMs: number | undefined } & (
  | { readonly response: Response }
  | { readonly thrown: unknown }
);

async function outcome(
  request: typeof fetch,
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
): Promise<Outcome> {
  try {
    const response = await request(input, init);
    if (response.status < 400) return { response, retryable: false, retryAfterMs: undefined };
    const retryAfterMs = retryAfterOf(response.headers);
    const body = await response.text();
    const { status, statusText, headers } = response;
    return {
      response: new Response(body, { status, statusText, headers }),
      retryable: mayPass(status, body),
      retryAfterMs,
    };
  } catch (thrown) {
    // Not after a timeout: the caller has waited for all of it already.
    const retryable = !(thrown instanceof ProviderTimeout);
    return { thrown, retryable, retryAfterMs: undefined };
  }
}

/**
 * Whether a retry may succeed: not where the account has no credit, though that is a 429 as well, nor
 * where a request is larger than what a minute allows.
 */
function mayPass(status: number, body: string): boolean {
  if (status === 413) return false;
  const error = normalizedError(parsed(body) ?? body);
  if ([read(error, "code"), read(error, "type")].includes("insufficient_quota")) return false;
  const meaning = meaningOf(refusalOf({ ...error, status }));
  return meaning === undefined || errorTable[meaning].retryable;
}

/** Doubling, and spread by a half so that many runs do not come back at one moment. */
function backOff(firstDelayMs: number, attempt: number): number {
  return firstDelayMs * 2 ** attempt * (1 + Math.random() / 2);
}
