/**
 * Whether a caller may begin another run. Asked once for every new run and never for attaching: a
 * client that comes back to its run is not turned away for the runs that it has begun.
 */
import { LangwireError } from "../../protocol/errors.ts";
import type { Caller } from "../caller.ts";
import { ConcurrencyLimit, type UserConcurrencyLimit } from "./concurrency-limit.ts";
import type { RateLimit } from "./rate-limit.ts";

/**
 * @returns called once, when the run is over or has not begun after all
 * @throws LangwireError RATE_LIMITED, OVERLOADED
 */
export type Admit = (caller: Caller) => Promise<() => void>;

export interface AdmissionOptions {
  /** Runs that one user may begin in a time. */
  readonly runsPerUser: RateLimit;
  /** Runs that one user may have in progress. */
  readonly maxLiveRunsPerUser: number;
  /** Counts them. Default: this process, for itself. */
  readonly liveRuns?: UserConcurrencyLimit;
  /** Whether this process is too busy to begin anything. Default: never. */
  readonly overloaded?: () => boolean;
}

/** Nobody knows when one of the runs in progress ends; this is when to look again. */
const retryAfterMs = 1_000;

export function admission(options: AdmissionOptions): Admit {
  const { runsPerUser, maxLiveRunsPerUser, overloaded } = options;
  const { liveRuns = new ConcurrencyLimit(maxLiveRunsPerUser) } = options;
  return async ({ userId }) => {
    if (overloaded?.() === true) throw new LangwireError("OVERLOADED", { retryAfterMs });
    const release = await liveRuns.take(userId);
    if (release === undefined) {
      const message = "The caller has as many runs in progress as this server allows.";
      throw new LangwireError("RATE_LIMITED", { message, retryAfterMs });
    }
    try {
      await runsPerUser.take(userId);
      return release;
    } catch (cause) {
      release();
      throw cause;
    }
  };
}
