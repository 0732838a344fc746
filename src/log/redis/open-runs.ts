/** Which runs each process is writing, in Redis, for whoever takes them over when it is gone. */
import type { RedisCommands } from "../../redis/connection.ts";

export interface ListedRun {
  readonly runId: string;
  readonly conversationId: string;
}

/** A process's list goes when it began nothing for as long: by then it is long looked after. */
const keptMs = 24 * 60 * 60_000;

export class OpenRuns {
  readonly #link: RedisCommands;
  readonly #prefix: string;

  constructor(link: RedisCommands, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  /** @throws the connection's error */
  async add(nodeId: string, { runId, conversationId }: ListedRun): Promise<void> {
    const key = this.#keyOf(nodeId);
    await Promise.all([
      this.#link.send(key, ["HSET", key, runId, conversationId]),
      this.#link.send(key, ["PEXPIRE", key, String(keptMs)]),
    ]);
  }

  /** At once; a run that stays listed is a run to look after that is none. */
  remove(nodeId: string, runId: string): void {
    const key = this.#keyOf(nodeId);
    this.#link.send(key, ["HDEL", key, runId]).catch(() => {});
  }

  /** The runs that a process was writing and has not put down. @throws the connection's error */
  async of(nodeId: string): Promise<ListedRun[]> {
    const key = this.#keyOf(nodeId);
    const runs = await this.#link.send<Record<string, string>>(key, ["HGETALL", key]);
    return Object.entries(runs).map(([runId, conversationId]) => ({ runId, conversationId }));
  }

  /** To be called when all of them have been looked after. @throws the connection's error */
  async forget(nodeId: string): Promise<void> {
    const key = this.#keyOf(nodeId);
    await this.#link.send(key, ["DEL", key]);
  }

  #keyOf(nodeId: string): string {
    return `${this.#prefix}:open-runs:${nodeId}`;
  }
}
