/**
 * Whether a caller may start another run. Asked once for each new run and never for following one: a
 * client that comes back to its run is not refused for the runs that it has started.
 */
import { LangwireError } from "../../protocol/errors.ts";
import type { Caller } from "../caller.ts";
import { ConcurrencyLimit, type UserConcurrencyLimit } from "./concurrency-limit.ts";
import type { KeyedRateLimit } from "./rate-limit.ts";
import { usedUp } from "./used-up.ts";
import type { UserLimits } from "./user-limits.ts";

/**
 * @param limits the caller's, where they may be others than everybody's
 * @returns called once, when the run is over or has not begun after all
 * @throws LangwireError RATE_LIMITED, OVERLOADED
 */
export type Admit = (caller: Caller, limits?: Partial<UserLimits>) => Promise<() => void>;

export interface AdmissionOptions {
  /** Rate limit: how many runs one user may start in a period. */
  readonly runsPerUser: KeyedRateLimit;
  /** Concurrency limit: how many runs one user may have in progress at once. */
  readonly maxLiveRunsPerUser: number;
  /** Enforces `maxLiveRunsPerUser`. Default: counted in this process alone. */
  readonly liveRuns?: UserConcurrencyLimit;
  /** Whether this process is too busy to begin anything. Default: never. */
  readonly overloaded?: () => boolean;
}

/** When to try again: when a run in progress will end, and free its slot, cannot be known. */
const retryAfterMs = 1_000;

export function admission(options: AdmissionOptions): Admit {
  const { runsPerUser, maxLiveRunsPerUser, overloaded } = options;
  const { liveRuns = new ConcurrencyLimit(maxLiveRunsPerUser) } = options;
  return async ({ userId }, limits) => {
    if (overloaded?.() === true) throw new LangwireError("OVERLOADED", { retryAfterMs });
    const max = limits?.maxLiveRuns ?? maxLiveRunsPerUser;
    const release = await liveRuns.take(userId, limits?.maxLiveRuns);
    if (release === undefined)
      throw usedUp({ what: "runs in progress at once", max }, retryAfterMs);
    try {
      await runsPerUser.takeWithin(userId, limits?.maxRunsPerMinute);
      return release;
    } catch (cause) {
      release();
      throw cause;
    }
  };
}
