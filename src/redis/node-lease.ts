/**
 * Which processes are alive. Each renews a lease of its own in one sorted set, on Redis's clock; a
 * lease that was not renewed for `leaseMs` means that its process is gone. One process at a time, the
 * reaper, looks for those that are.
 *
 * After Redis itself was away or stood still, all leases look old. So a process may call others gone
 * only when its own lease was renewed in time, again and again, for a whole `leaseMs`: in that time
 * every living process could do the same.
 *
 *   {nodes}:renewed   when each process last renewed its lease
 *   {nodes}:since     since when each has renewed it in time
 *   {nodes}:reaper    the process whose turn it is to look for those that are gone
 *
 * The keys' names stay as they are: nodes of several versions share them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { LangwireError } from "../protocol/errors.ts";
import { within } from "../time/within.ts";
import type { Redis } from "./redis.ts";
import { luaNow, Script } from "./script.ts";

export interface LeaseTimes {
  readonly leaseMs: number;
  readonly renewMs: number;
}

export const defaultLeaseTimes: LeaseTimes = { leaseMs: 15_000, renewMs: 2_500 };

/** How long a process that leaves waits for its lease to be taken back. */
const givingBackMs = 1_000;

export interface NodeLeaseOptions {
  readonly redis: Redis;
  readonly times?: Partial<LeaseTimes> | undefined;
  /**
   * Asked before each renewal: whether this process can do the work that it holds the lease for. One
   * that cannot lets it run out, and the others take its work over. Never rejects. Default: it can.
   */
  readonly isAble?: (() => Promise<boolean>) | undefined;
  /** Called after each renewal. */
  readonly onRenewed: (renewal: Renewal) => void;
}

export interface Renewal {
  /** The lease had run out: others may have taken this process for gone. */
  readonly lapsed: boolean;
  /** It is this process's turn to look for those that are gone. */
  readonly reaper: boolean;
}

export interface Census {
  readonly alive: ReadonlySet<string>;
  /** Those whose leases ran out and have not been cleared yet. */
  readonly gone: readonly string[];
}

/** ARGV: node, lease, time between renewals. Answers `[1 when it had lapsed, 1 for the reaper]`. */
const renewScript = new Script<[number, number]>(`${luaNow}
local node, lease, renew = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local renewed = tonumber(redis.call('ZSCORE', KEYS[1], node) or '-1')
local since = tonumber(redis.call('HGET', KEYS[2], node) or '-1')
local lapsed = renewed < 0 or now - renewed >= lease
if lapsed or since < 0 or now - renewed > lease / 2 then
  since = now
  redis.call('HSET', KEYS[2], node, string.format('%.0f', since))
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), node)
local reaper = 0
if now - since >= lease then
  local holder = redis.call('GET', KEYS[3])
  if not holder or holder == node then
    redis.call('SET', KEYS[3], node, 'PX', renew * 2)
    reaper = 1
  end
end
for _, key in ipairs({KEYS[1], KEYS[2]}) do redis.call('PEXPIRE', key, lease * 1000) end
return {lapsed and 1 or 0, reaper}
`);

/** ARGV: node, lease. Answers `[those alive, those gone]`, or nothing when the node may not ask. */
const censusScript = new Script<[string[], string[]] | []>(`${luaNow}
local node, lease = ARGV[1], tonumber(ARGV[2])
local renewed = tonumber(redis.call('ZSCORE', KEYS[1], node) or '-1')
local since = tonumber(redis.call('HGET', KEYS[2], node) or tostring(now))
if now - renewed > lease / 2 or now - since < lease then return {} end
local border = string.format('%.0f', now - lease)
return {
  redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. border, '+inf'),
  redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', border)
}
`);

/** ARGV: node, milliseconds. Answers how many others have renewed their leases within that time. */
const othersScript = new Script<number>(`${luaNow}
local border = now - ARGV[2]
local renewed = redis.call('ZCOUNT', KEYS[1], string.format('%.0f', border), '+inf')
local own = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '-1')
return own >= border and renewed - 1 or renewed
`);

/**
 * ARGV: node, milliseconds for which the lease must not have been renewed. Answers 0 where it was: the
 * process has come back since somebody took it for gone.
 */
const clearScript = new Script<0 | 1>(`${luaNow}
local renewed = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '-1')
if renewed >= 0 and now - renewed < tonumber(ARGV[2]) then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
redis.call('ZREM', KEYS[1], ARGV[1])
return 1
`);

export class NodeLease implements AsyncDisposable {
  readonly #redis: Redis;
  readonly #times: LeaseTimes;
  readonly #isAble: () => Promise<boolean>;
  readonly #onRenewed: (renewal: Renewal) => void;
  readonly #keys: readonly string[];
  readonly #closing = new AbortController();
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  /** Settles when it is no longer renewed. */
  #renewing = Promise.resolve();
  #renewal: Promise<void> | undefined;
  /** Whether the last renewal failed: Redis may be full, and take no writes. */
  #isFailing = false;

  private constructor({ redis, times, isAble = async () => true, onRenewed }: NodeLeaseOptions) {
    this.#redis = redis;
    this.#times = { ...defaultLeaseTimes, ...times };
    this.#isAble = isAble;
    this.#onRenewed = onRenewed;
    const base = `${redis.prefix}:{nodes}`;
    this.#keys = [`${base}:renewed`, `${base}:since`, `${base}:reaper`];
  }

  /** @throws the connection's error */
  static async take(options: NodeLeaseOptions): Promise<NodeLease> {
    const lease = new NodeLease(options);
    await lease.renew();
    lease.#renewing = lease.#keepRenewing();
    return lease;
  }

  /** False when others may take this process for gone, or will unless something changes. */
  get held(): boolean {
    return !this.#isFailing && performance.now() - this.#renewedAtMs < this.#times.leaseMs;
  }

  /** Renews it now, once for all who ask meanwhile. @throws the connection's error, or that it may not */
  renew(): Promise<void> {
    this.#renewal ??= this.#renew()
      .then(
        () => {
          this.#isFailing = false;
        },
        (cause: unknown) => {
          this.#isFailing = true;
          throw cause;
        },
      )
      .finally(() => {
        this.#renewal = undefined;
      });
    return this.#renewal;
  }

  /** Undefined when this process may not call anybody gone: Redis was away, or lost its data. */
  async census(): Promise<Census | undefined> {
    const { link, nodeId } = this.#redis;
    const args = [nodeId, this.#times.leaseMs];
    const [alive, gone] = await censusScript.run(link, this.#keys, args);
    return alive && gone && { alive: new Set(alive), gone };
  }

  /**
   * Whether another process has just renewed its lease, within `withinMs` at the most.
   * @throws the connection's error
   */
  async othersRenew(withinMs: number): Promise<boolean> {
    const { link, nodeId } = this.#redis;
    const [renewed = ""] = this.#keys;
    const ms = Math.min(withinMs, 2 * this.#times.renewMs);
    return (await othersScript.run(link, [renewed], [nodeId, ms])) > 0;
  }

  /**
   * Removes the lease of a process that is gone.
   * @returns false when it has renewed it since
   * @throws the connection's error
   */
  async clear(nodeId: string): Promise<boolean> {
    const args = [nodeId, this.#times.leaseMs];
    return (await clearScript.run(this.#redis.link, this.#keys, args)) === 1;
  }

  /** Gives the lease back: a process that leaves in order is not waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const { link, nodeId } = this.#redis;
    const given = async () => {
      await this.#renewing;
      await this.#renewal?.catch(() => {});
      if (link.ready) await clearScript.run(link, this.#keys, [nodeId, 0]).catch(() => {});
    };
    // A Redis that stands still does not answer: the lease runs out by itself.
    await within(given(), givingBackMs);
  }

  async #renew(): Promise<void> {
    // A lease that was given back must not appear again: the others would wait for it to run out.
    this.#closing.signal.throwIfAborted();
    const { link, nodeId } = this.#redis;
    if (!(await this.#isAble())) throw new LangwireError("STORE_UNAVAILABLE");
    // From before the command: Redis may count from any moment between it and the answer.
    const askedAtMs = performance.now();
    const args = [nodeId, this.#times.leaseMs, this.#times.renewMs];
    const [lapsed, reaper] = await renewScript.run(link, this.#keys, args);
    this.#renewedAtMs = askedAtMs;
    this.#onRenewed({ lapsed: lapsed === 1, reaper: reaper === 1 });
  }

  async #keepRenewing(): Promise<void> {
    const { signal } = this.#closing;
    const { renewMs } = this.#times;
    let waitMs = renewMs;
    while (!signal.aborted) {
      await delay(waitMs, undefined, { ref: false, signal }).catch(() => {});
      if (signal.aborted) return;
      const renewed = await this.renew().then(
        () => true,
        () => false,
      );
      waitMs = renewed ? renewMs : renewMs / 10;
    }
  }
}
