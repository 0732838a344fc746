/**
 * What a bot's code, a tool or a provider's package makes may throw where it is read: getters, proxies, what
 * only looks like a message. That costs what was read for, and neither the span's end nor the run.
 */

/** @returns undefined where reading it threw */
export function unlessOdd<T>(reading: () => T): T | undefined {
  try {
    return reading();
  } catch {
    return undefined;
  }
}
