/** Reading a stream: entries by their numbers, in order, up to the first hole. */

import type { RedisCommands } from "../../redis/connection.ts";
import { LogEntry } from "../entry.ts";

/** Entries with one field each. */
export type StreamReply = [id: string, fields: [name: string, json: string]][];

export async function readStream(
  link: RedisCommands,
  { key, from, count }: { key: string; from: number; count: number },
): Promise<LogEntry[]> {
  const command = ["XRANGE", key, `${from}-0`, "+", "COUNT", String(count)];
  return toEntries(await link.send<StreamReply>(key, command));
}

/** The last entries, oldest first. */
export async function readNewest(
  link: RedisCommands,
  key: string,
  count: number,
): Promise<LogEntry[]> {
  const command = ["XREVRANGE", key, "+", "-", "COUNT", String(count)];
  return toEntries((await link.send<StreamReply>(key, command)).reverse());
}

function toEntries(reply: StreamReply): LogEntry[] {
  return reply.map(([id, [, json]]) => LogEntry.parse(Number.parseInt(id, 10), json));
}
