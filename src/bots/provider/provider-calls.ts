/**
 * Ties the HTTP requests that a model makes to the run for which it makes them. Models are shared
 * by all runs and LangChain hands a `fetch` no run, so the async context carries it.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** One call of a model, which may take several requests. */
export interface ProviderCall {
  /** A request of this call goes out. The second and later ones are retries. */
  requested(): void;
}

interface RunOfCalls {
  startCall(): ProviderCall;
}

const runs = new AsyncLocalStorage<{ run: RunOfCalls | undefined }>();

/** Does `work` so that the requests made in it, until it is done, are told to `run`. */
export async function withProviderCalls<T>(run: RunOfCalls, work: () => Promise<T>): Promise<T> {
  // A connection keeps the context in which it was opened for as long as it is pooled: hours. It
  // must not keep the run with it.
  const held: { run: RunOfCalls | undefined } = { run };
  try {
    return await runs.run(held, work);
  } finally {
    held.run = undefined;
  }
}

/** A call of the run around us; one that nobody counts where there is none. */
export function startProviderCall(): ProviderCall {
  return runs.getStore()?.run?.startCall() ?? { requested() {} };
}
