/** Limits of one user, counted in Redis over all processes; in each process alone while Redis is away. */
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import { ConcurrencySlots, type ConcurrencySlotsOptions } from "../redis/concurrency-slots.ts";
import type { Redis } from "../redis/redis.ts";
import {
  ConcurrencyLimit,
  type UserConcurrencyLimit,
} from "../runs/admission/concurrency-limit.ts";
import {
  type KeyedRateLimit,
  limitBy,
  limiterOptions,
  type Rate,
} from "../runs/admission/rate-limit.ts";

export interface SharedRateLimitOptions {
  readonly redis: Redis;
  /** Comes after the prefix in every key. */
  readonly name: string;
}

export function sharedRateLimit(
  rate: Rate,
  { redis: { link, prefix }, name }: SharedRateLimitOptions,
): KeyedRateLimit {
  const storeClient = {
    get isReady() {
      return link.ready;
    },
    // The limiter's scripts have one key each.
    eval: (script: string, { keys, arguments: args }: { keys: [string]; arguments: string[] }) =>
      link.send(keys[0], ["EVAL", script, "1", ...keys, ...args]),
  };
  const limits = limiterOptions(rate);
  const keyPrefix = `${prefix}:${name}`;
  const limit = limitBy(
    new RateLimiterRedis({
      ...limits,
      storeClient,
      useRedisPackage: true,
      rejectIfRedisNotReady: true,
      keyPrefix,
      insuranceLimiter: new RateLimiterMemory(limits),
    }),
    rate,
  );
  return {
    ...limit,
    forget: async (key) => {
      await link.send(`${keyPrefix}:${key}`, ["DEL", `${keyPrefix}:${key}`]);
    },
  };
}

export class SharedConcurrencyLimit implements UserConcurrencyLimit, Disposable {
  readonly #slots: ConcurrencySlots;
  /** This process's own count, taken first: it is the limit while Redis is away, and spares it a call. */
  readonly #own: ConcurrencyLimit;

  constructor(options: ConcurrencySlotsOptions) {
    this.#slots = new ConcurrencySlots(options);
    this.#own = new ConcurrencyLimit(options.max);
  }

  [Symbol.dispose](): void {
    this.#slots[Symbol.dispose]();
  }

  async take(userId: string, max?: number): Promise<(() => void) | undefined> {
    const releaseOwn = this.#own.take(userId, max);
    if (releaseOwn === undefined) return undefined;
    try {
      const releaseShared = await this.#slots.take(userId, max);
      if (releaseShared === undefined) {
        releaseOwn();
        return undefined;
      }
      return () => {
        releaseOwn();
        releaseShared();
      };
    } catch {
      return releaseOwn;
    }
  }
}
