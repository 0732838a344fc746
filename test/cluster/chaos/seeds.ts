/** Played each time, in the short form. */
export const keptSeeds: readonly number[] = [3, 6, 14];
