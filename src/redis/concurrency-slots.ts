/**
 * A concurrency limit that all processes share: for each key a set of who holds a slot. A slot expires
 * unless its process renews it, so none depends on being given back: not when the process was killed,
 * nor when Redis was away at that moment. Those of processes that are known to be gone come back at
 * once.
 */
import { randomUUID } from "node:crypto";
import type { Redis } from "./redis.ts";
import { luaNow, Script } from "./script.ts";

export interface ConcurrencySlotsOptions {
  readonly redis: Redis;
  /** Comes after the prefix in every key. */
  readonly name: string;
  /** Slots of one key, where `take` does not say. */
  readonly max: number;
  /** When a slot expires that is not renewed. Default: 60 s. */
  readonly keptMs?: number | undefined;
  /** The processes that are alive; undefined when that cannot be told. */
  readonly alive: () => Promise<ReadonlySet<string> | undefined>;
}

const defaultKeptMs = 60_000;
/** Renewals within the time that a slot is kept: some may fail. */
const renewalsPerSlot = 4;

/** ARGV: slots, the new holder, time kept. Answers all holders when no slot is free. */
const takeScript = new Script<string[]>(`${luaNow}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  return redis.call('ZRANGE', KEYS[1], 0, -1)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {}
`);

/** ARGV: time kept, holders. One that Redis has lost is added again: its run is still in progress. */
const renewScript = new Script<number>(`${luaNow}
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[1]), ARGV[i])
end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
`);

export class ConcurrencySlots implements Disposable {
  readonly #options: ConcurrencySlotsOptions;
  readonly #keptMs: number;
  /** What this process holds, by key. */
  readonly #held = new Map<string, Set<string>>();
  readonly #renewing: NodeJS.Timeout;

  constructor(options: ConcurrencySlotsOptions) {
    this.#options = options;
    this.#keptMs = options.keptMs ?? defaultKeptMs;
    this.#renewing = setInterval(() => this.#renew(), this.#keptMs / renewalsPerSlot).unref();
  }

  /**
   * @returns gives the slot back; undefined when none is free
   * @throws the connection's error
   */
  async take(of: string, max = this.#options.max): Promise<(() => void) | undefined> {
    const { redis, name } = this.#options;
    // The script says by its holders that none is free: of none there are none.
    if (max < 1) return undefined;
    const key = `${redis.prefix}:${name}:${of}`;
    const holder = `${redis.nodeId} ${randomUUID()}`;
    if (!(await this.#take(key, { holder, max }))) return undefined;
    const held = this.#held.get(key) ?? new Set();
    this.#held.set(key, held.add(holder));
    return () => {
      held.delete(holder);
      if (held.size === 0) this.#held.delete(key);
      redis.link.send(key, ["ZREM", key, holder]).catch(() => {});
    };
  }

  /** Renews nothing any more. */
  [Symbol.dispose](): void {
    clearInterval(this.#renewing);
  }

  async #take(
    key: string,
    { holder, max }: { readonly holder: string; readonly max: number },
  ): Promise<boolean> {
    const { redis, alive } = this.#options;
    // Lua knows no word for infinity.
    const args = [Math.min(max, Number.MAX_SAFE_INTEGER), holder, this.#keptMs];
    const holders = await takeScript.run(redis.link, [key], args);
    if (holders.length === 0) return true;
    const nodes = await alive();
    const gone = holders.filter((it) => nodes?.has(it.split(" ")[0] ?? "") === false);
    if (gone.length === 0) return false;
    await redis.link.send(key, ["ZREM", key, ...gone]);
    return (await takeScript.run(redis.link, [key], args)).length === 0;
  }

  #renew(): void {
    const { link } = this.#options.redis;
    for (const [key, held] of this.#held) {
      renewScript.run(link, [key], [this.#keptMs, ...held]).catch(() => {});
    }
  }
}
