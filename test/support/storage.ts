/** The three forms of storage, each empty and its own: for suites that must pass on all of them. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe } from "vitest";
import type { StorageOptions } from "../../src/open/open-storage.ts";
import { describeWithPostgres, type TestPostgres } from "./postgres.ts";
import { needsRedis, startRedis, type TestRedis } from "./redis.ts";

export interface StoragePlace extends AsyncDisposable {
  readonly storage: StorageOptions;
}

export type NewPlace = () => Promise<StoragePlace>;

/** Declares the same tests on SQLite, on Postgres, and on Postgres with Redis. */
export async function describeOnEveryStorage(
  name: string,
  declare: (newPlace: NewPlace) => void,
): Promise<void> {
  describe(`${name}, on SQLite`, () => {
    declare(async () => ({ storage: {}, [Symbol.asyncDispose]: async () => {} }));
  });
  await describeWithPostgres(`${name}, on Postgres`, (postgres) => {
    declare(() => onPostgres(postgres));
    needsRedis("with Redis", () => {
      let redis: TestRedis;
      beforeAll(async () => {
        redis = await startRedis();
      });
      afterAll(() => redis[Symbol.asyncDispose]());
      declare(() => onPostgres(postgres, redis));
    });
  });
}

async function onPostgres(postgres: TestPostgres, redis?: TestRedis): Promise<StoragePlace> {
  const database = await postgres.createDatabase();
  const shared = redis && { redisUrl: redis.url, redisPrefix: randomUUID() };
  return {
    storage: { databaseUrl: database.url, ...shared },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
