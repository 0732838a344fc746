/** Waiting with a limit. The work itself goes on; whoever has to end it has a signal of his own. */

/**
 * What the work comes to, if it does so in time; else `undefined`, and a later rejection is nobody's.
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
