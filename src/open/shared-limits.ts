/**
 * What one user may do, counted over all processes, in Redis. While Redis is away each process counts
 * for itself.
 */
import { randomUUID } from "node:crypto";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import { Script } from "../log/redis/scripts.ts";
import type { RedisLink } from "../redis/redis-link.ts";
import {
  ConcurrencyLimit,
  type UserConcurrencyLimit,
} from "../runs/admission/concurrency-limit.ts";
import {
  limitBy,
  limiterOptions,
  memoryRateLimit,
  type Rate,
  type RateLimit,
} from "../runs/admission/rate-limit.ts";

export function sharedRateLimit(
  rate: Rate,
  { link, prefix }: { link: RedisLink; prefix: string },
): RateLimit {
  if (rate.times === Number.POSITIVE_INFINITY) return memoryRateLimit(rate);
  const storeClient = {
    get isReady() {
      return link.ready;
    },
    // With one key, as of the limiter's other commands.
    eval: (script: string, { keys, arguments: args }: { keys: [string]; arguments: string[] }) =>
      link.send(keys[0], ["EVAL", script, "1", ...keys, ...args]),
  };
  const limits = limiterOptions(rate);
  return limitBy(
    new RateLimiterRedis({
      ...limits,
      storeClient,
      useRedisPackage: true,
      rejectIfRedisNotReady: true,
      keyPrefix: prefix,
      insuranceLimiter: new RateLimiterMemory(limits),
    }),
  );
}

export interface SharedConcurrencyLimitOptions {
  readonly link: RedisLink;
  /** Begins every key. */
  readonly prefix: string;
  readonly nodeId: string;
  readonly max: number;
  /** Longer than anything holds its place. */
  readonly keptMs: number;
  /** The processes that are there; undefined when that cannot be told. */
  readonly alive: () => Promise<ReadonlySet<string> | undefined>;
}

/** ARGV: places, who takes one, time kept. Answers the holders when there is none left. */
const takeScript = new Script<string[]>(
  1,
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  return redis.call('ZRANGE', KEYS[1], 0, -1)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {}
`,
);

export class SharedConcurrencyLimit implements UserConcurrencyLimit {
  readonly #options: SharedConcurrencyLimitOptions;
  readonly #own: ConcurrencyLimit;

  constructor(options: SharedConcurrencyLimitOptions) {
    this.#options = options;
    this.#own = new ConcurrencyLimit(options.max);
  }

  async take(userId: string): Promise<(() => void) | undefined> {
    const own = this.#own.take(userId);
    if (own === undefined) return undefined;
    const { link, prefix, nodeId } = this.#options;
    const key = `${prefix}:runs-of:${userId}`;
    const holder = `${nodeId} ${randomUUID()}`;
    try {
      if (!(await this.#takeShared(key, holder))) {
        own();
        return undefined;
      }
    } catch {
      return own;
    }
    return () => {
      own();
      link.send(key, ["ZREM", key, holder]).catch(() => {});
    };
  }

  async #takeShared(key: string, holder: string): Promise<boolean> {
    const { link, max, keptMs, alive } = this.#options;
    const args = [max, holder, keptMs];
    const holders = await takeScript.run(link, [key], args);
    if (holders.length === 0) return true;
    // Those of processes that are gone hold nothing any more.
    const nodes = await alive();
    const gone = holders.filter((it) => nodes?.has(it.split(" ")[0] ?? "") === false);
    if (gone.length === 0) return false;
    await link.send(key, ["ZREM", key, ...gone]);
    return (await takeScript.run(link, [key], args)).length === 0;
  }
}
