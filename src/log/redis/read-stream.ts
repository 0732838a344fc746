/** Reading a stream: entries by their numbers, in order, up to the first hole. */
import { LogEntry } from "../entry.ts";
import type { RedisCommands } from "./redis-link.ts";

type StreamReply = [id: string, fields: [name: string, json: string]][];

export async function readStream(
  { client }: RedisCommands,
  { key, from, count }: { key: string; from: number; count: number },
): Promise<LogEntry[]> {
  const command = ["XRANGE", key, `${from}-0`, "+", "COUNT", String(count)];
  return toEntries(await client.sendCommand<StreamReply>(command));
}

/** The last entries, oldest first. */
export async function readNewest(
  { client }: RedisCommands,
  key: string,
  count: number,
): Promise<LogEntry[]> {
  const command = ["XREVRANGE", key, "+", "-", "COUNT", String(count)];
  return toEntries((await client.sendCommand<StreamReply>(command)).reverse());
}

function toEntries(reply: StreamReply): LogEntry[] {
  return reply.map(([id, [, json]]) => LogEntry.parse(Number.parseInt(id, 10), json));
}
