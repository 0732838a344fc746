/** Two forms: a short one among all tests, and with `FAULTS=full` one that takes minutes. */
import fc from "fast-check";

export const full = process.env.FAULTS === "full";

/** @example sized({ short: 20, full: 1_000 }) */
export function sized({ short, full: long }: { short: number; full: number }): number {
  return full ? long : short;
}

const seed = process.env.FAULTS_SEED;

/** Random schedules. A failure shrinks to a small one; `FAULTS_SEED` repeats what was printed. */
export async function forSchedules<T>(
  schedules: fc.Arbitrary<T>,
  count: number,
  holds: (schedule: T) => Promise<void>,
): Promise<void> {
  const options = seed === undefined ? {} : { seed: Number(seed) };
  await fc.assert(fc.asyncProperty(schedules, holds), {
    ...options,
    numRuns: count,
    // Shrinking runs failing schedules again: bounded, so that a failure is told in time.
    interruptAfterTimeLimit: 240_000,
    markInterruptAsFailure: false,
    endOnFailure: false,
  });
}
