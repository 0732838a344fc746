/**
 * Everything that a server keeps, read as it is: files as bytes, tables by row, Redis by key; and the events
 * of archives, which are compressed.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";
import { RunArchive } from "../../src/log/archive/run-archive.ts";
import type { TestRedis } from "../support/redis.ts";

export interface Kept {
  readonly folder: string;
  readonly databaseUrl?: string | undefined;
  readonly redis?: TestRedis | undefined;
}

/** Where the text is found, as `langwire.sqlite: 3` or `table runs: 1`. */
export async function placesOf(text: string, kept: Kept): Promise<string[]> {
  const found: string[] = [];
  for await (const [place, content] of placesIn(kept)) {
    const count = content.split(text).length - 1;
    if (count > 0) found.push(`${place}: ${count}`);
  }
  return found;
}

async function* placesIn({ folder, databaseUrl, redis }: Kept): AsyncGenerator<[string, string]> {
  for (const name of await readdir(folder, { recursive: true })) {
    // One character a byte: nothing is lost of what is no text.
    yield [name, await readFile(join(folder, name), "latin1").catch(() => "")];
    if (name.endsWith(".sqlite")) yield* archivesIn(join(folder, name));
  }
  if (databaseUrl !== undefined) yield* tablesOf(databaseUrl);
  if (redis !== undefined) yield* keysOf(redis);
}

async function* tablesOf(url: string): AsyncGenerator<[string, string]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'public'",
    );
    for (const { name } of tables.rows) {
      const { rows } = await client.query<Record<string, unknown>>(`select * from ${name}`);
      yield [`table ${name}`, JSON.stringify(rows)];
      for (const { events } of rows) {
        if (events instanceof Uint8Array) yield [`table ${name}`, await unpacked(events)];
      }
    }
  } finally {
    await client.end();
  }
}

async function* archivesIn(path: string): AsyncGenerator<[string, string]> {
  using database = new DatabaseSync(path, { readOnly: true });
  const isThere = database.prepare("select 1 from sqlite_master where name = 'run_archives'").get();
  if (isThere === undefined) return;
  for (const { events } of database.prepare("select events from run_archives").all()) {
    if (events instanceof Uint8Array) yield ["archives", await unpacked(events)];
  }
}

/** The events, and what is kept of an archive that is none, as it is. */
async function unpacked(events: Uint8Array): Promise<string> {
  const lines: string[] = [];
  try {
    const archive = RunArchive.open(events);
    for (let after = 0; ; ) {
      const entries = await archive.after(after);
      lines.push(...entries.map(({ json }) => json));
      const last = entries.at(-1);
      if (last === undefined) return lines.join("\n");
      after = last.seq;
    }
  } catch {
    return Buffer.from(events).toString("latin1");
  }
}

const readers: Readonly<Record<string, (key: string) => string[]>> = {
  string: (key) => ["GET", key],
  hash: (key) => ["HGETALL", key],
  list: (key) => ["LRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
  zset: (key) => ["ZRANGE", key, "0", "-1"],
  stream: (key) => ["XRANGE", key, "-", "+"],
};

async function* keysOf(redis: TestRedis): AsyncGenerator<[string, string]> {
  for (const key of await redis.command<string[]>("KEYS", "*")) {
    const type = await redis.command<string>("TYPE", key);
    const read = readers[type]?.(key);
    // It has expired in between.
    if (read === undefined) continue;
    yield [`Redis ${key}`, `${key} ${JSON.stringify(await redis.command(...read))}`];
  }
}
