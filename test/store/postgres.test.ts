import { afterAll, beforeAll, describe } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { administer, describeWithPostgres, type TestDatabase } from "../support/postgres.ts";
import { describeStore } from "./store-contract.ts";
import { describeStoreModel } from "./store-model.ts";

await describeWithPostgres("the store on Postgres", (postgres) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await postgres.createDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const newPlace = async () => ({
    open: () => openPostgresStore({ url: database.url }),
    // Much faster than a database for each test.
    [Symbol.asyncDispose]: () => administer(database.url, "truncate conversations cascade"),
  });
  describeStore("Postgres", newPlace);
  describe("two nodes, any interleaving", () => describeStoreModel(newPlace, 2));
});
