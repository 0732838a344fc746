/**
 * Ties the HTTP requests that a model makes to the run and the span for which it makes them. Models
 * are shared by all runs and LangChain hands a `fetch` neither, so the async context carries them.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** One call of a model, which may take several requests. */
export interface ProviderCall {
  /** A request of this call goes out. The second and later ones are retries. */
  requested(): void;
}

/** The calls of one run. */
export class RunCalls {
  readonly #onRetry: (spanId: string) => void;
  #requests = 0;

  /** @param onRetry called with the span for which a request goes out once more */
  constructor(onRetry: (spanId: string) => void) {
    this.#onRetry = onRetry;
  }

  /** How many went out so far; undefined as long as none did. */
  get requests(): number | undefined {
    return this.#requests === 0 ? undefined : this.#requests;
  }

  /** @param spanId undefined where the model does not say for which of its calls it asks */
  startCall(spanId: string | undefined): ProviderCall {
    let requests = 0;
    return {
      requested: () => {
        this.#requests += 1;
        requests += 1;
        if (requests > 1 && spanId !== undefined) this.#onRetry(spanId);
      },
    };
  }
}

interface Held {
  run: RunCalls | undefined;
}

const runs = new AsyncLocalStorage<Held>();
const spans = new AsyncLocalStorage<string>();

/** Does `work`; the requests made in it, until it has settled, are counted by `run`. */
export async function withProviderCalls<T>(run: RunCalls, work: () => Promise<T>): Promise<T> {
  // A pooled connection keeps the async context in which it was opened for hours. It must not keep the
  // run with it.
  const held: Held = { run };
  try {
    return await runs.run(held, work);
  } finally {
    held.run = undefined;
  }
}

/** Does `work`; the requests made in it belong to this span, LangChain's id of a model's call. */
export function withSpan<T>(spanId: string | undefined, work: () => T): T {
  return spanId === undefined ? work() : spans.run(spanId, work);
}

/** Starts a call of the run in the async context; outside of a run, one that counts nothing. */
export function startProviderCall(): ProviderCall {
  return runs.getStore()?.run?.startCall(spans.getStore()) ?? { requested() {} };
}
