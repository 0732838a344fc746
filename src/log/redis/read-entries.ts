/** Log entries from a conversation's stream: an entry's id there is `<seq>-0`, its field the JSON. */
import type { RedisCommands } from "../../redis/connection.ts";
import { readNewest, readStream, type StreamEntry } from "../../redis/stream.ts";
import { LogEntry } from "../entry.ts";

export interface EntryRange {
  readonly key: string;
  /** The number of the first entry. */
  readonly from: number;
  readonly maxEntries: number;
}

/** Oldest first. @throws the connection's error */
export async function readEntries(
  link: RedisCommands,
  { key, from, maxEntries }: EntryRange,
): Promise<LogEntry[]> {
  return toEntries(await readStream(link, { key, from: `${from}-0`, maxEntries }));
}

/** The last entries, oldest first. @throws the connection's error */
export async function readNewestEntries(
  link: RedisCommands,
  key: string,
  maxEntries: number,
): Promise<LogEntry[]> {
  return toEntries(await readNewest(link, key, maxEntries));
}

function toEntries(stream: readonly StreamEntry[]): LogEntry[] {
  return stream.map(([id, [, json]]) => LogEntry.parse(Number.parseInt(id, 10), json));
}
