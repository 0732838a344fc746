/** Copies of a data folder's database, which hold all that is kept: none stays that nobody fetched. */
import { readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, test, vi } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import type { SqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { temporaryFolder } from "../faults/child-server.ts";

const copiesIn = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.includes("backup")).sort();

test("a start removes those that a process left which was killed, and nothing else", async () => {
  await using folder = await temporaryFolder();
  const dataDir = folder.path;
  const kept = "my-backup-of-langwire.sqlite";
  {
    await using langwire = await openLangwire({ bots: [], dataDir });
    const copy = (await langwire.snapshot?.()) ?? expect.fail("no copy");
    await writeFile(join(dataDir, kept), "");
    expect(await copiesIn(dataDir)).toEqual([basename(copy), kept].sort());
  }
  await using _again = await openLangwire({ bots: [], dataDir });
  expect(await copiesIn(dataDir)).toEqual([kept]);
});

test("one that cannot be finished is removed, and its caller is told", async () => {
  await using folder = await temporaryFolder();
  const dataDir = folder.path;
  await using langwire = await openLangwire({ bots: [], dataDir });
  const store = langwire.store as SqliteStore;
  vi.spyOn(store, "snapshot").mockImplementation(async (to) => {
    await writeFile(to, "half of it");
    throw new Error("disk full");
  });
  await expect(langwire.snapshot?.()).rejects.toThrow();
  expect(await copiesIn(dataDir)).toEqual([]);
});
