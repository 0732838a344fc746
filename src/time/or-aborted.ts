/** Waiting until a signal says otherwise. The work itself goes on. */

/**
 * What the work comes to, unless the signal comes first. Nothing of it is left at the signal then, which
 * may last as long as the process: a race with a promise would keep every result that it was raced with.
 * @throws what the work throws, or the signal's reason
 */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  work.catch(() => {});
  try {
    signal.throwIfAborted();
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
