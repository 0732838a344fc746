import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { describeStore } from "./store-contract.ts";

describeStore("SQLite", async () => {
  const directory = await mkdtemp(join(tmpdir(), "langwire-store-"));
  return {
    open: () => openSqliteStore({ path: join(directory, "langwire.db") }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
});
