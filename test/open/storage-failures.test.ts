/** What keeps a server from starting, each told by its name and with the way out. */
import { once } from "node:events";
import { mkdir, readdir, readlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { lockFolder } from "../../src/open/folder-lock.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { redisFailure } from "../../src/open/storage-failure.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Redis } from "../../src/redis/redis.ts";
import { temporaryFolder } from "../faults/child-server.ts";
import { all, botSaying, caller, newRun } from "../runs/run-bench.ts";

/** The files in a folder that this process has open, where the system has a list of them. */
async function openFilesIn(folder: string): Promise<string[]> {
  const fds = await readdir("/proc/self/fd").catch(() => []);
  const paths = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return paths.filter((path) => path.startsWith(`${folder}/`));
}

async function reasonOf(dataDir: string): Promise<string> {
  const isInUse = (await openFilesIn(dataDir)).length > 0;
  try {
    await using _langwire = await openLangwire({ bots: [], dataDir });
  } catch (error) {
    expect(error).toBeInstanceOf(LangwireError);
    const cause = error instanceof LangwireError ? error.cause : undefined;
    const reason = cause instanceof Error ? cause.message : "";
    expect(reason).not.toContain("\n");
    // Whoever tries again for as long as it takes has nothing open in the end.
    if (!isInUse) expect(await openFilesIn(dataDir)).toEqual([]);
    return reason;
  }
  return "it started";
}

test("of processes that make one folder at once, one has it and is told nothing, and the others whose it is", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "made", "by", "all");
  const asked = await Promise.allSettled(Array.from({ length: 5 }, () => lockFolder(path)));
  const locks = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const refused = asked.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect([locks.length, refused.length]).toEqual([1, 4]);
  for (const { cause } of refused)
    expect(cause.message).toMatch(/^another process uses the folder/);
  for (const lock of locks) lock[Symbol.dispose]();
  (await lockFolder(path))[Symbol.dispose]();
  expect(await openFilesIn(folder.path)).toEqual([]);
});

test("a database that is damaged, one of a later version, a folder in use or none", async () => {
  await using folder = await temporaryFolder();
  const inFolder = async (name: string, content: string): Promise<string> => {
    const path = join(folder.path, name, "langwire.sqlite");
    await mkdir(join(folder.path, name));
    await writeFile(path, content);
    return await reasonOf(join(folder.path, name));
  };
  expect(await inFolder("damaged", "this is no database ".repeat(1_000))).toMatch(
    /langwire\.sqlite is damaged .*: put a backup .*move it away .*loses all conversations$/,
  );

  const later = join(folder.path, "later");
  await (await openLangwire({ bots: [], dataDir: later }))[Symbol.asyncDispose]();
  const database = new DatabaseSync(join(later, "langwire.sqlite"));
  database.exec("insert into kysely_migration values ('9999-of-a-later-version', '2030')");
  database.close();
  expect(await reasonOf(later)).toMatch(/langwire\.sqlite was written by a later version/);

  const used = join(folder.path, "used");
  await using _first = await openLangwire({ bots: [], dataDir: used });
  expect(await reasonOf(used)).toMatch(/^another process uses the folder: stop it/);
  // What is printed of it in a program that does not catch it.
  await expect(openLangwire({ bots: [], dataDir: used })).rejects.toThrow(
    `${used}: another process uses the folder`,
  );

  await writeFile(join(folder.path, "file"), "");
  expect(await reasonOf(join(folder.path, "file"))).toMatch(/cannot be written to .*EEXIST/);

  // A file system that takes no folders.
  expect(await reasonOf("/proc/of-nobody/data")).toMatch(/cannot be written to .*ENOENT/);

  const taken = join(folder.path, "taken", "langwire.lock");
  await mkdir(taken, { recursive: true });
  expect(await reasonOf(join(folder.path, "taken"))).toMatch(/langwire\.lock cannot be written to/);
});

test("a Redis that takes connections and says nothing is named, and not Postgres", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const url = `redis://127.0.0.1:${port}`;
  const opening = Redis.open({ url, nodeId: "a", times: { connectTimeoutMs: 200 } });
  const failure = await opening.catch((error: unknown) => redisFailure(error, "Redis"));
  silent.close();
  expect(failure).toMatchObject({ cause: { message: expect.stringMatching(/^Redis /) } });
});

test("one bad row of the journal is named, and the server starts", async () => {
  await using folder = await temporaryFolder();
  const dataDir = folder.path;
  const bots = [botSaying({ tokens: ["a"] }, { tokens: ["b"] })];
  await using first = await openLangwire({ bots, dataDir });
  await all(await first.runs.send(caller, newRun()));
  await first[Symbol.asyncDispose]();
  const database = new DatabaseSync(join(dataDir, "langwire.sqlite"));
  database.exec("insert into journal (events) values ('[[\"torn')");
  database.close();
  const named: string[] = [];
  const observer = { failed: (what: string) => void named.push(what) };
  await using second = await openLangwire({ bots, dataDir, observer });
  expect(named).toEqual([expect.stringMatching(/^row \d+ of the journal was skipped/)]);
  const entries = await all(await second.runs.send(caller, newRun()));
  expect(entries.at(-1)?.event).toMatchObject({ status: "completed" });
});
