/** Reading a stream of which each entry has one field. */
import type { RedisCommands } from "./connection.ts";

/** As Redis answers it, so that nothing is copied on the way to whoever reads. */
export type StreamEntry = readonly [id: string, field: readonly [name: string, value: string]];

export interface StreamRange {
  readonly key: string;
  /** The id of the first entry that is read; after `(`, of the last one that is not. */
  readonly from: string;
  /** Default: all. */
  readonly maxEntries?: number;
}

/** Oldest first. @throws the connection's error */
export function readStream(
  link: RedisCommands,
  { key, from, maxEntries }: StreamRange,
): Promise<StreamEntry[]> {
  const count = maxEntries === undefined ? [] : ["COUNT", String(maxEntries)];
  return link.send<StreamEntry[]>(key, ["XRANGE", key, from, "+", ...count]);
}

/** The last entries, oldest first. @throws the connection's error */
export async function readNewest(
  link: RedisCommands,
  key: string,
  maxEntries: number,
): Promise<StreamEntry[]> {
  const command = ["XREVRANGE", key, "+", "-", "COUNT", String(maxEntries)];
  return (await link.send<StreamEntry[]>(key, command)).reverse();
}
