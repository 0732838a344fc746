/** A timeout for waiting. The work itself goes on; to end it, give it a signal of its own. */

/**
 * @returns the work's result, or `undefined` after the timeout; a later rejection is swallowed
 * @param ms at most; `Infinity` for no limit
 * @throws what the work throws in time
 */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  if (ms === Number.POSITIVE_INFINITY) return await work;
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}
