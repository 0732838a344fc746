/** What an earlier process left behind. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { all, botSaying, botWaiting, caller, newRun, types, upTo } from "./run-bench.ts";

async function dataFolder() {
  const path = await mkdtemp(join(tmpdir(), "langwire-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("a run whose claim is all that was stored has a start and an end", async () => {
  await using folder = await dataFolder();
  const run = newRun();
  {
    await using store = await openSqliteStore({ path: join(folder.path, "langwire.sqlite") });
    await store.runs.claim({ ...run, userId: caller.userId });
  }
  await using langwire = await openLangwire({ bots: [botSaying({})], dataDir: folder.path });
  const entries = await all(await langwire.runs.send(caller, run));
  expect(types(entries)).toEqual(["runStart", "runEnd"]);
  expect(entries.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(entries[1]?.event).toMatchObject({ error: { code: "SERVER_RESTARTED" } });
  const stored = await langwire.store.runs.get(run.runId, caller.userId);
  expect(stored).toMatchObject({ firstSeq: 1, endSeq: 2 });
});

test("a second process on the same data is refused, and harms no run of the first", async () => {
  await using folder = await dataFolder();
  const gate = Promise.withResolvers<void>();
  const bots = [botWaiting(gate.promise)];
  await using langwire = await openLangwire({ bots, dataDir: folder.path });
  const follower = await langwire.runs.send(caller, newRun());
  await upTo(follower, "token");
  await expect(openLangwire({ bots, dataDir: folder.path })).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
  gate.resolve();
  expect((await all(follower)).at(-1)?.event).toMatchObject({ status: "completed" });
});
