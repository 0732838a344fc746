/**
 * A Lua script: what Redis does in one step, so that nobody comes in between. All its keys are in one
 * slot, by a hash tag that they share, so it works on a cluster too. Scripts stand beside what they are
 * for: log/redis/run-scripts.ts, node-lease.ts, concurrency-slots.ts. Nodes of several versions run them on
 * the same keys, so the names of keys and fields stay, and a new field is one that may be absent.
 */
import { createHash } from "node:crypto";
import type { RedisCommands } from "./connection.ts";

/** Lua that sets `now`: milliseconds since 1970 on Redis's clock, the only one that processes share. */
export const luaNow = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

export class Script<Reply> {
  readonly #source: string;
  readonly #sha: string;
  /** The type of what Redis answers, on the type level alone: it is not checked at run time. */
  declare readonly reply: Reply;

  constructor(source: string) {
    this.#source = source;
    this.#sha = createHash("sha1").update(source).digest("hex");
  }

  /** @throws the connection's error, or what Redis answered in place of a reply */
  async run(
    link: RedisCommands,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<Reply> {
    const [key = ""] = keys;
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    try {
      return await link.send<Reply>(key, ["EVALSHA", this.#sha, ...rest]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return await link.send<Reply>(key, ["EVAL", this.#source, ...rest]);
    }
  }
}
