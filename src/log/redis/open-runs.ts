/**
 * Which runs each process writes, in Redis: whoever finds a process gone takes these over.
 *
 *   open-runs:<node>   a hash of run id → conversation id
 */
import type { Redis } from "../../redis/redis.ts";
import type { ListedRun } from "../log.ts";

/** A list expires when its process has begun nothing for as long: the reaper was there long before. */
const keptMs = 24 * 60 * 60_000;

export class OpenRuns {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Lists a run as this process's. @throws the connection's error */
  async add({ runId, conversationId }: ListedRun): Promise<void> {
    const key = this.#keyOf(this.#redis.nodeId);
    await Promise.all([
      this.#redis.link.send(key, ["HSET", key, runId, conversationId]),
      this.#redis.link.send(key, ["PEXPIRE", key, String(keptMs)]),
    ]);
  }

  /** Returns at once; a run that stays listed although it is over costs the reaper one look. */
  remove(runId: string): void {
    const key = this.#keyOf(this.#redis.nodeId);
    this.#redis.link.send(key, ["HDEL", key, runId]).catch(() => {});
  }

  /** The runs that a process has opened and not closed. @throws the connection's error */
  async of(nodeId: string): Promise<ListedRun[]> {
    const key = this.#keyOf(nodeId);
    const runs = await this.#redis.link.send<Record<string, string>>(key, ["HGETALL", key]);
    return Object.entries(runs).map(([runId, conversationId]) => ({ runId, conversationId }));
  }

  /** To be called when all of them have been taken over. @throws the connection's error */
  async forget(nodeId: string): Promise<void> {
    const key = this.#keyOf(nodeId);
    await this.#redis.link.send(key, ["DEL", key]);
  }

  #keyOf(nodeId: string): string {
    return `${this.#redis.prefix}:open-runs:${nodeId}`;
  }
}
