/** What `openLangwire` puts together: what it starts, what it takes back, and that it closes what it has opened. */
import { randomUUID } from "node:crypto";
import { readdir, readlink } from "node:fs/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { Runs } from "../../src/runs/runs.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { temporaryFolder } from "../faults/child-server.ts";
import { all, botSaying, caller, newRun } from "../runs/run-bench.ts";
import { exchange } from "../store/store-place.ts";
import { describeWithPostgres } from "../support/postgres.ts";

async function ownFolder(): Promise<string> {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

/** Files that this process has open, where the system has a list of them. */
async function openFilesIn(folder: string): Promise<string[]> {
  const fds = await readdir("/proc/self/fd").catch(() => []);
  const paths = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return paths.filter((path) => path.startsWith(`${folder}/`));
}

test("errors of the application's own are let be where it says so", async () => {
  const listeners = () =>
    ["unhandledRejection", "uncaughtException"].map((name) => process.listenerCount(name));
  const before = listeners();
  {
    await using _own = await openLangwire({ bots: [], containStrayErrors: false });
    expect(listeners()).toEqual(before);
  }
  await using _contained = await openLangwire({ bots: [] });
  expect(listeners()).toEqual(before.map((count) => count + 1));
});

test("what was opened before something failed is closed again", async () => {
  const dataDir = await ownFolder();
  vi.spyOn(Runs, "start").mockRejectedValueOnce(new Error("no such store"));
  await expect(openLangwire({ bots: [], dataDir })).rejects.toThrow("no such store");
  expect(await openFilesIn(dataDir)).toEqual([]);
  await using _again = await openLangwire({ bots: [], dataDir });
});

test("events that the store has are not taken back into memory, and are read from there", async () => {
  const dataDir = await ownFolder();
  const run = newRun();
  const options = { bots: [botSaying({ tokens: ["a"] })], dataDir };
  const read = async (langwire: Awaited<ReturnType<typeof openLangwire>>) =>
    (await all(await langwire.runs.send(caller, run))).map(({ event }) => event.type);
  const before = await (async () => {
    await using langwire = await openLangwire(options);
    return await read(langwire);
  })();
  await using langwire = await openLangwire(options);
  expect((await langwire.log.read(run.conversationId, 0)).entries).toEqual([]);
  expect(await read(langwire)).toEqual(before);
});

test("events that are older than they are kept are deleted, however many", async () => {
  const dataDir = await ownFolder();
  const runIds: string[] = [];
  {
    await using langwire = await openLangwire({ bots: [], dataDir });
    const archive = { events: new Uint8Array(10), rawBytes: 10 };
    const endedAt = new Date(Date.now() - 120_000).toISOString();
    for (let count = 0; count < 120; count++) {
      runIds.push((await exchange(langwire.store, {}, { archive, endedAt })).runId);
    }
  }
  await using langwire = await openLangwire({ bots: [], dataDir, keepEventsMs: 60_000 });
  const left = async () => {
    const archives = await Promise.all(runIds.map((id) => langwire.store.archives.get(id)));
    return archives.filter((segments) => segments.length > 0).length;
  };
  await expect.poll(left).toBe(0);
});

await describeWithPostgres("with a database that is a server", (postgres) => {
  test("whoever was removed there is found out, though nobody has said so here", async () => {
    await using database = await postgres.createDatabase();
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    await using langwire = await openLangwire({ bots: [], databaseUrl: database.url });
    const { conversations } = langwire.store;
    const ids = { conversationId: randomUUID(), botId: "test" };
    await conversations.create({ ...ids, userId: "ann" });
    await conversations.share(ids.conversationId, "ann");
    await conversations.join(ids.conversationId, "eve");
    const watching = await langwire.runs.watch({ userId: "eve" }, ids);
    const next = watching.next();
    const refused = expect(next).rejects.toMatchObject({ code: "NOT_FOUND" });
    await using somebody = await openPostgresStore({ url: database.url });
    await somebody.conversations.unshare(ids.conversationId, "ann");
    vi.advanceTimersByTime(2_000);
    await refused;
  });
});
