/**
 * A concurrency limit that all processes share: for each key a set of who holds a slot. A slot expires
 * by itself, so one whose holder was killed comes back; those of processes that are known to be gone
 * come back at once.
 */
import { randomUUID } from "node:crypto";
import type { Redis } from "./redis.ts";
import { luaNow, Script } from "./script.ts";

export interface ConcurrencySlotsOptions {
  readonly redis: Redis;
  /** Comes after the prefix in every key. */
  readonly name: string;
  /** Slots of one key. */
  readonly max: number;
  /** When a slot expires: longer than anything holds one. */
  readonly keptMs: number;
  /** The processes that are alive; undefined when that cannot be told. */
  readonly alive: () => Promise<ReadonlySet<string> | undefined>;
}

/** ARGV: slots, the new holder, time kept. Answers all holders when no slot is free. */
const takeScript = new Script<string[]>(
  1,
  `${luaNow}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  return redis.call('ZRANGE', KEYS[1], 0, -1)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {}
`,
);

export class ConcurrencySlots {
  readonly #options: ConcurrencySlotsOptions;

  constructor(options: ConcurrencySlotsOptions) {
    this.#options = options;
  }

  /**
   * @returns gives the slot back; undefined when none is free
   * @throws the connection's error
   */
  async take(of: string): Promise<(() => void) | undefined> {
    const { redis, name } = this.#options;
    const key = `${redis.prefix}:${name}:${of}`;
    const holder = `${redis.nodeId} ${randomUUID()}`;
    if (!(await this.#take(key, holder))) return undefined;
    return () => {
      redis.link.send(key, ["ZREM", key, holder]).catch(() => {});
    };
  }

  async #take(key: string, holder: string): Promise<boolean> {
    const { redis, max, keptMs, alive } = this.#options;
    const args = [max, holder, keptMs];
    const holders = await takeScript.run(redis.link, [key], args);
    if (holders.length === 0) return true;
    const nodes = await alive();
    const gone = holders.filter((it) => nodes?.has(it.split(" ")[0] ?? "") === false);
    if (gone.length === 0) return false;
    await redis.link.send(key, ["ZREM", key, ...gone]);
    return (await takeScript.run(redis.link, [key], args)).length === 0;
  }
}
