/** What one run, one caller and the whole server may use. Each is a setting of the server. */
export interface RunLimits {
  /** A run that takes longer is stopped: RUN_TIMEOUT. */
  readonly runTimeoutMs: number;
  /** Events of one run, after merging; beyond it RUN_TOO_LARGE. */
  readonly maxRunEvents: number;
  /** Bytes of one run's events; beyond it RUN_TOO_LARGE. */
  readonly maxRunBytes: number;
  /** Characters of one message: BAD_INPUT. */
  readonly maxMessageLength: number;
  /** Runs in progress on this server: OVERLOADED. */
  readonly maxLiveRuns: number;
  /** How long a stopped run's bot may take to come to its end before the run ends without it. */
  readonly stopGraceMs: number;
  /** How long readers wait for an ending that the store does not take. */
  readonly storeTimeoutMs: number;
  /** How often this process compares the runs that it works on with the store's. */
  readonly reconcileMs: number;
}

export const defaultRunLimits: RunLimits = {
  runTimeoutMs: 10 * 60_000,
  maxRunEvents: 100_000,
  maxRunBytes: 4 * 1024 * 1024,
  maxMessageLength: 32_000,
  maxLiveRuns: 1_000,
  stopGraceMs: 2_000,
  storeTimeoutMs: 10_000,
  reconcileMs: 10_000,
};
