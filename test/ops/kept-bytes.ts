/** Everything that a server keeps, read as it is: files as bytes, tables by row, Redis by key. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
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
      yield [`table ${name}`, JSON.stringify((await client.query(`select * from ${name}`)).rows)];
    }
  } finally {
    await client.end();
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
