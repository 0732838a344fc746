/** Rate limits: how often something may happen in a period for each key, such as a user or an address. */
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { LangwireError } from "../../protocol/errors.ts";

export interface RateLimit {
  /**
   * Counts one call of the key, or several.
   * @throws LangwireError RATE_LIMITED with `retryAfterMs` when that goes past the limit
   */
  take(key: string, calls?: number): Promise<void>;
  /** Forgets a key, where keys are kept outside of this process. @throws the connection's error */
  forget?(key: string): Promise<void>;
}

export interface Rate {
  /** `Infinity` for no limit. */
  readonly times: number;
  readonly perMs: number;
}

/** Counts in this process alone. */
export function memoryRateLimit(rate: Rate): RateLimit {
  if (rate.times === Number.POSITIVE_INFINITY) return { take: async () => {} };
  return limitBy(new RateLimiterMemory(limiterOptions(rate)));
}

/** The rate as options of rate-limiter-flexible. */
export function limiterOptions({ times, perMs }: Rate): { points: number; duration: number } {
  return { points: times, duration: perMs / 1_000 };
}

/** @param limiter any limiter of rate-limiter-flexible, made with `limiterOptions(rate)` */
export function limitBy(limiter: {
  consume(key: string, points?: number): Promise<unknown>;
}): RateLimit {
  return {
    take: async (key, calls) => {
      try {
        await limiter.consume(key, calls);
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        throw new LangwireError("RATE_LIMITED", { retryAfterMs: Math.ceil(refused.msBeforeNext) });
      }
    },
  };
}
