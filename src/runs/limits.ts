/**
 * Limits of one run, and of all runs of this process. What one user may do is limited by `UserLimits`
 * (open/open-langwire.ts); sockets and calls have limits of their own (server/connections/connection-limits.ts).
 */
export interface RunLimits {
  // Of one run, while it is in progress (lifecycle/live-run.ts):

  /** A run that takes longer is stopped: RUN_TIMEOUT. */
  readonly runTimeoutMs: number;
  /** Events of one run, after merging; beyond it RUN_TOO_LARGE. */
  readonly maxRunEvents: number;
  /** Bytes of one run's events; beyond it RUN_TOO_LARGE. */
  readonly maxRunBytes: number;

  // Asked before a run starts (lifecycle/live-runs.ts, `refusal`):

  /** Characters of one message: BAD_INPUT. */
  readonly maxMessageLength: number;
  /** Runs in progress on this process, of all users together: OVERLOADED. */
  readonly maxLiveRuns: number;
  /**
   * Bytes of the events of all runs in progress on this process, together: beyond it the largest of the
   * user who has most ends OVERLOADED, and new ones of theirs are refused before
   * (admission/live-bytes.ts).
   */
  readonly maxLiveBytes: number;

  // How long this process waits:

  /** How long a shutdown waits for bots of ended runs to close what they opened. */
  readonly botCloseTimeoutMs: number;
  /**
   * How long an ending is retried, while the store is away, before readers get it without the store
   * (lifecycle/finalizer.ts); with Redis, also how long a log that cannot be written lets a run go on.
   */
  readonly storeTimeoutMs: number;
  /** How often this process compares the runs that it works on with the store's (lifecycle/reconcile.ts). */
  readonly reconcileMs: number;
}

export const defaultRunLimits: RunLimits = {
  runTimeoutMs: 10 * 60_000,
  maxRunEvents: 100_000,
  maxRunBytes: 4 * 1024 * 1024,
  maxMessageLength: 32_000,
  maxLiveRuns: 1_000,
  maxLiveBytes: 1024 * 1024 * 1024,
  botCloseTimeoutMs: 2_000,
  storeTimeoutMs: 10_000,
  reconcileMs: 10_000,
};
