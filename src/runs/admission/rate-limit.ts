/** Rate limits: how often something may happen in a period for each key, such as a user or an address. */
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { usedUp } from "./used-up.ts";

export interface RateLimit {
  /**
   * Counts one call of the key, or several.
   * @throws LangwireError RATE_LIMITED with `retryAfterMs` when that goes past the limit
   */
  take(key: string, calls?: number): Promise<void>;
  /** Forgets a key, where keys are kept outside of this process. @throws the connection's error */
  forget?(key: string): Promise<void>;
}

/** A rate limit whose height may be another one for each key. */
export interface KeyedRateLimit extends RateLimit {
  /** As `take`, for one call. @param times in a period, in place of the limit's own */
  takeWithin(key: string, times?: number): Promise<void>;
}

export interface Rate {
  /** What is counted, as a refusal says it: `runs that you begin in a minute`. */
  readonly what: string;
  /** `Infinity` for no limit. */
  readonly times: number;
  readonly perMs: number;
}

/** Counts in this process alone. */
export function memoryRateLimit(rate: Rate): KeyedRateLimit {
  return limitBy(new RateLimiterMemory(limiterOptions(rate)), rate);
}

/** The rate as options of rate-limiter-flexible, which only counts: `limitBy` compares. */
export function limiterOptions({ perMs }: Pick<Rate, "perMs">): {
  points: number;
  duration: number;
} {
  return { points: Number.MAX_SAFE_INTEGER, duration: perMs / 1_000 };
}

/** @param limiter any limiter of rate-limiter-flexible, made with `limiterOptions(rate)` */
export function limitBy(
  limiter: {
    consume(
      key: string,
      points?: number,
    ): Promise<Pick<RateLimiterRes, "consumedPoints" | "msBeforeNext">>;
  },
  rate: Rate,
): KeyedRateLimit {
  const count = async (key: string, { calls, times }: { calls: number; times: number }) => {
    if (times === Number.POSITIVE_INFINITY) return;
    const { consumedPoints, msBeforeNext } = await limiter.consume(key, calls);
    if (consumedPoints <= times) return;
    throw usedUp({ what: rate.what, max: times }, Math.ceil(msBeforeNext));
  };
  return {
    take: (key, calls = 1) => count(key, { calls, times: rate.times }),
    takeWithin: (key, times = rate.times) => count(key, { calls: 1, times }),
  };
}
