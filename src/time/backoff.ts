/** How long to wait before the next try: twice as long after each that failed, up to a limit. */

export interface BackoffOptions {
  readonly firstMs: number;
  /** Default: no limit. */
  readonly maxMs?: number;
}

/**
 * @param failures tries that have failed so far, the first of them 0
 * @returns milliseconds, spread over the upper half, so that those who failed together do not come
 *   back together
 */
export function backoffMs(failures: number, { firstMs, maxMs }: BackoffOptions): number {
  const ms = Math.min(firstMs * 2 ** failures, maxMs ?? Number.POSITIVE_INFINITY);
  return ms * (0.5 + Math.random() / 2);
}
