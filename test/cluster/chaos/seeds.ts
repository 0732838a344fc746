/** Played each time, in the short form. */
export const keptSeeds: readonly number[] = [3, 6, 14];

/** Of rounds in the long form that found something. */
export const keptLongSeeds: readonly number[] = [
  // Redis rolled back while an owner was killed: its numbers were given out again.
  668_424,
  // A member's stream of server-sent events seemed silent for a minute: it had begun between two runs
  // by which watchers are tried, and was tried by the first alone. The fault was the verdict's.
  694_097,
  // Played beside a node of an earlier version: a reaper closed the log of a run that its owner had begun
  // after it had come back; the owner dropped the run, and could not end it (taken-over.test.ts).
  958_279,
];
