/** A backup of a server that is at work, put back over what a killed one left. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import {
  copyFile,
  cp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync, backup as sqliteBackup } from "node:sqlite";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { commandOf } from "../../src/cli/admin/arguments.ts";
import { WrongUsage } from "../../src/cli/wrong-usage.ts";
import { openLangwire } from "../../src/index.ts";
import { restoreBackup } from "../../src/open/restore-backup.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { root, samplesIn } from "../docs/samples.ts";
import { startChildServer, temporaryFolder } from "../faults/child-server.ts";
import { begin, endingOf, exchange, newRun } from "../store/store-place.ts";
import { startProgram } from "../support/child-process.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { read, wsClient } from "../support/stock-client.ts";

const token = "0123456789abcdef01234567";
const program = join(root, "src/cli/admin/main.ts");

async function setUp() {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const provider = stack.use(await startMockProvider());
  const folder = stack.use(await temporaryFolder());
  const dataDir = join(folder.path, "data");
  const env = { DATA_DIR: dataDir, ADMIN_TOKEN: token, DATABASE_URL: "" };
  const start = async () =>
    stack.use(
      await startChildServer({
        ...env,
        OPENAI_BASE_URL: provider.baseUrl,
        OPENAI_API_KEY: "test-key",
      }),
    );
  const admin = async (...args: string[]) => {
    const ran = startProgram(process.execPath, [program, ...args], { env });
    return { code: await ran.exited, output: ran.output };
  };
  const said = async (url: string, conversationId: string, message: string) => {
    using client = wsClient(url);
    provider.answer({ steps: [`You said: ${message}`] });
    const run = { runId: randomUUID(), botId: "chat", conversationId, message };
    const events = await read((on) => client.api.chat.send.subscribe(run, on)).completed;
    const ids = events.map(({ id }) => Number(id));
    return { first: ids[0] ?? 0, last: ids.at(-1) ?? 0, runId: run.runId };
  };
  const messagesOf = async (url: string, conversationId: string) => {
    using client = wsClient(url);
    const page = await client.api.conversations.messages.query({ conversationId, limit: 50 });
    return page.items.map(({ text, status }) => [text, status]);
  };
  const database = join(dataDir, "langwire.sqlite");
  const backup = join(folder.path, "backup.sqlite");
  const restore = ({ overwrite = true } = {}) => restoreBackup({ backup, dataDir, overwrite });
  return { provider, dataDir, database, backup, start, admin, restore, said, messagesOf };
}

const model = scriptedModel([{ tokens: ["And", " on."] }]);

/** The first page of a table, and how many bytes a page has. */
function placeOf(path: string, table: string): { page: number; bytes: number } {
  using database = new DatabaseSync(path);
  const { page } = database
    .prepare("select rootpage as page from sqlite_master where name = ?")
    .get(table) as { page: number };
  const { page_size: bytes } = database.prepare("pragma page_size").get() as { page_size: number };
  return { page, bytes };
}

function refused(reason: RegExp) {
  return { cause: { message: expect.stringMatching(reason) } };
}

test("is what was there at one moment, and its numbers are not given out again", async () => {
  const s = await setUp();
  const server = await s.start();
  const url = ["--url", `http://127.0.0.1:${server.port}`];
  const [talk, cut] = [randomUUID(), randomUUID()];
  const before = await s.said(server.url, talk, "before");
  s.provider.answer({ steps: ["half ", "stall"] });
  using client = wsClient(server.url);
  const stalled = { runId: randomUUID(), botId: "chat", conversationId: cut, message: "stall" };
  await read((on) => client.api.chat.send.subscribe(stalled, on)).until(
    ({ type }) => type === "token",
  );
  const [{ code, output }] = await Promise.all([
    s.admin(...url, "backup", s.backup),
    // While something is being written.
    ...Array.from({ length: 5 }, () => s.said(server.url, randomUUID(), "meanwhile")),
  ]);
  expect(code, output).toBe(0);
  expect((await stat(s.backup)).mode & 0o077).toBe(0);
  expect((await readdir(s.dataDir)).filter((name) => name.includes("backup"))).toEqual([]);
  for (const message of ["after 1", "after 2"]) await s.said(server.url, talk, message);
  const seen = await s.said(server.url, talk, "after 3");
  const inUse = await s.admin("restore", s.backup, "--overwrite");
  expect(inUse).toMatchObject({ code: 1, output: expect.stringContaining("another process uses") });
  server.signal("SIGKILL");
  await server.exited;
  expect((await stat(`${s.database}-wal`)).size).toBeGreaterThan(0);

  await expect(s.restore({ overwrite: false })).rejects.toMatchObject(refused(/--overwrite/));
  let [highest, highestCut] = [seen.last, 0];
  // Twice: what was given out after the first return is not given out after the second.
  for (let times = 0; times < 2; times++) {
    if (times > 0) {
      // As where a run was cut by a start of the machine: its end is far ahead.
      using file = new DatabaseSync(s.database);
      file.exec("update runs set end_seq = end_seq + 1000000000000");
      highest += 1_000_000_000_000;
    }
    if (times > 0) await s.restore();
    else expect(await s.admin("restore", s.backup, "--overwrite")).toMatchObject({ code: 0 });
    expect((await readdir(s.dataDir)).toSorted()).toEqual(["langwire.lock", "langwire.sqlite"]);
    await using again = await startTestServer({ bots: [chatBot({ model })], dataDir: s.dataDir });
    expect(await s.messagesOf(again.url, talk)).toEqual([
      ["before", undefined],
      ["You said: before", "completed"],
    ]);
    expect(await s.messagesOf(again.url, cut)).toEqual([
      ["stall", undefined],
      ["half ", "failed"],
    ]);
    using returning = wsClient(again.url);
    const { runId, last } = before;
    const known = read((on) =>
      returning.api.chat.follow.subscribe({ runId, lastEventId: String(last) }, on),
    );
    expect((await known.completed).map(({ event }) => event.type)).toEqual(["runEnd"]);
    // Its events are in the backup too, long after they have left the log.
    const whole = read((on) => returning.api.chat.follow.subscribe({ runId }, on));
    const told = (await whole.completed).map(({ event }) => event);
    expect(told[0]?.type).toBe("runStart");
    expect(told.flatMap((event) => (event.type === "token" ? [event.text] : [])).join("")).toBe(
      "You said: before",
    );
    expect(told.filter(({ type }) => type === "runEnd")).toEqual([told.at(-1)]);
    const page = { conversationId: talk, limit: 50 };
    const { items } = await returning.api.conversations.messages.query(page);
    expect(items.find((item) => item.role === "ai")?.parts).toContainEqual(
      expect.objectContaining({ type: "text", text: "You said: before", final: true }),
    );
    // Whoever saw what is lost hears of what comes.
    using reader = wsClient(again.url);
    const started = Promise.withResolvers<void>();
    const watching = read((on) =>
      reader.api.chat.watch.subscribe(
        { conversationId: talk, lastEventId: String(highest) },
        { ...on, onStarted: () => started.resolve() },
      ),
    );
    await started.promise;
    const next = await s.said(again.url, talk, "and on");
    expect(next.first).toBeGreaterThan(highest);
    highest = next.last;
    await watching.until(({ runId, type }) => runId === next.runId && type === "runEnd");
    expect(watching.received.map(({ id }) => Number(id))).toContain(next.first);
    const other = await s.said(again.url, cut, "and on, too");
    expect(other.first).toBeGreaterThan(highestCut);
    highestCut = other.last;
    await again[Symbol.asyncDispose]();
    using file = new DatabaseSync(s.database);
    expect(file.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
  }
});

test("a conversation that it knows no run of goes on behind what an open page has seen", async () => {
  const s = await setUp();
  const [unused, unknown] = [randomUUID(), randomUUID()];
  const first = await s.start();
  const lost = [];
  {
    using client = wsClient(first.url);
    await client.api.conversations.create.mutate({ conversationId: unused, botId: "chat" });
    const url = ["--url", `http://127.0.0.1:${first.port}`];
    expect(await s.admin(...url, "backup", s.backup)).toMatchObject({ code: 0 });
    for (const conversationId of [unused, unknown]) {
      lost.push(await s.said(first.url, conversationId, "this is lost"));
    }
  }
  first.signal("SIGTERM");
  await first.exited;
  // Twice: what was given out in between is not given out again either.
  for (let times = 0; times < 2; times++) {
    await s.restore();
    await using server = await startTestServer({ bots: [chatBot({ model })], dataDir: s.dataDir });
    for (const [index, conversationId] of [unused, unknown].entries()) {
      const position = lost[index]?.last ?? 0;
      using page = wsClient(server.url);
      // As a page does that comes back: it watches what is there, or begins it again.
      await page.api.conversations.create.mutate({ conversationId, botId: "chat" });
      const started = Promise.withResolvers<void>();
      const watching = read((on) =>
        page.api.chat.watch.subscribe(
          { conversationId, lastEventId: String(position) },
          { ...on, onStarted: () => started.resolve() },
        ),
      );
      await started.promise;
      const next = await s.said(server.url, conversationId, "and on");
      expect(next.first).toBeGreaterThan(position);
      await watching.until(({ type }) => type === "runEnd");
      const { received } = watching;
      expect(received.map(({ event }) => event.type).slice(0, 1)).toEqual(["runStart"]);
      expect(received.map(({ id }) => Number(id))).toContain(next.first);
      lost[index] = next;
    }
  }
});

test("what is no backup, or is damaged, leaves the folder as it is", async () => {
  const s = await setUp();
  const langwire = await openLangwire({ bots: [], dataDir: s.dataDir });
  for (let index = 0; index < 50; index++) {
    await exchange(langwire.store, {}, { text: "x".repeat(5_000) });
  }
  await langwire[Symbol.asyncDispose]();
  const before = await readFile(s.database);
  const { size } = await stat(s.database);
  const tried: [what: string, make: () => Promise<void>, reason: RegExp][] = [
    ["a text", () => writeFile(s.backup, "a text".repeat(1_000)), /damaged .*not a database/],
    ["another's database", async () => madeOf(s.backup, "create table t (a)"), /is no backup/],
    [
      "a part",
      async () => {
        await writeFile(s.backup, before);
        await truncate(s.backup, size - 40_000);
      },
      /damaged/,
    ],
    [
      "one with a hole",
      async () => {
        await writeFile(s.backup, before);
        await using file = await open(s.backup, "r+");
        await file.write(Buffer.alloc(20_000, 0xff), 0, 20_000, 60_000);
      },
      /damaged/,
    ],
    [
      "one with a hole in what a start does not read",
      async () => {
        await writeFile(s.backup, before);
        const { page, bytes } = placeOf(s.backup, "members");
        await using file = await open(s.backup, "r+");
        await file.write(Buffer.alloc(100, 0xff), 0, 100, (page - 1) * bytes);
      },
      /is damaged \(/,
    ],
    [
      "a later version's",
      async () => {
        await writeFile(s.backup, before);
        madeOf(s.backup, "insert into kysely_migration values ('9999-later', '2030')");
      },
      /later version/,
    ],
  ];
  for (const [what, make, reason] of tried) {
    await rm(s.backup, { force: true });
    await make();
    await expect(s.restore(), what).rejects.toMatchObject(refused(reason));
    expect(before.equals(await readFile(s.database)), what).toBe(true);
    expect((await readdir(s.dataDir)).filter((name) => name.includes("restoring"))).toEqual([]);
  }
});

test("the log of a database that is gone is not played in", async () => {
  const s = await setUp();
  {
    await using langwire = await openLangwire({ bots: [], dataDir: s.dataDir });
    await exchange(langwire.store);
    await rename((await langwire.snapshot?.()) ?? "", s.backup);
    for (let index = 0; index < 50; index++) await exchange(langwire.store);
    await copyFile(`${s.database}-wal`, `${s.backup}-wal`);
  }
  await rm(s.database);
  await rename(`${s.backup}-wal`, `${s.database}-wal`);
  await s.restore({ overwrite: false });
  await using langwire = await openLangwire({ bots: [], dataDir: s.dataDir });
  const { items } = await langwire.store.conversations.list("alice", { limit: 10 });
  expect(items).toHaveLength(1);
});

test("a database that is damaged is replaced, and what it left beside it is not played in", async () => {
  const s = await setUp();
  {
    await using langwire = await openLangwire({ bots: [], dataDir: s.dataDir });
    await exchange(langwire.store);
    expect(await langwire.snapshot?.()).toContain(s.dataDir);
  }
  const [snapshot = ""] = (await readdir(s.dataDir)).filter((name) => name.includes("backup"));
  await writeFile(s.backup, await readFile(join(s.dataDir, snapshot)));
  await writeFile(s.database, "no database any more ".repeat(1_000));
  await writeFile(`${s.database}-wal`, "nor a log");
  await s.restore();
  expect(existsSync(`${s.database}-wal`)).toBe(false);
  await using langwire = await openLangwire({ bots: [], dataDir: s.dataDir });
  const { items } = await langwire.store.conversations.list("alice", { limit: 10 });
  expect(items).toHaveLength(1);
  // A copy that a killed process left behind, with all that was kept.
  expect((await readdir(s.dataDir)).filter((name) => name.includes("backup"))).toEqual([]);
});

test("is what the server starts on, where it was copied by hand over what a killed one left", async () => {
  const s = await setUp();
  const server = await s.start();
  const talk = randomUUID();
  await s.said(server.url, talk, "before");
  using database = new DatabaseSync(s.database, { readOnly: true });
  await sqliteBackup(database, s.backup);
  for (const message of ["after 1", "after 2"]) await s.said(server.url, talk, message);
  const seen = await s.said(server.url, talk, "after 3");
  server.signal("SIGKILL");
  await server.exited;
  database.close();
  const left = await readFile(`${s.database}-wal`);
  expect(left.length).toBeGreaterThan(0);
  // The same folder as it was left keeps all of it.
  const untouched = `${s.dataDir}-untouched`;
  await cp(s.dataDir, untouched, { recursive: true });
  {
    await using again = await startTestServer({ bots: [chatBot({ model })], dataDir: untouched });
    expect(await s.messagesOf(again.url, talk)).toHaveLength(8);
    const next = await s.said(again.url, talk, "and on");
    expect(next.first).toBe(seen.last + 1);
  }
  await copyFile(s.backup, s.database);
  const again = await s.start();
  expect(await s.messagesOf(again.url, talk)).toEqual([
    ["before", undefined],
    ["You said: before", "completed"],
  ]);
  // Whoever saw what is lost hears of what comes.
  const next = await s.said(again.url, talk, "and on");
  expect(next.first).toBeGreaterThan(seen.last);
  const [moved = ""] = (await readdir(s.dataDir)).filter((name) => name.includes("another"));
  expect((await readFile(join(s.dataDir, moved))).equals(left)).toBe(true);
  expect(again.complaints.join()).toContain(moved);
});

test("a log that may belong to the database or to the one before it is asked about", async () => {
  const s = await setUp();
  const other = `${s.dataDir}-other`;
  {
    await using here = await openLangwire({ bots: [], dataDir: s.dataDir });
    await exchange(here.store);
    await using langwire = await openLangwire({ bots: [], dataDir: other });
    await exchange(langwire.store);
  }
  {
    using database = new DatabaseSync(join(other, "langwire.sqlite"));
    database.exec("update runs set text = 'a log of one page'");
    await copyFile(join(other, "langwire.sqlite-wal"), s.backup);
  }
  await copyFile(join(other, "langwire.sqlite"), s.database);
  await rename(s.backup, `${s.database}-wal`);
  await expect(openLangwire({ bots: [], dataDir: s.dataDir })).rejects.toMatchObject(
    refused(
      /-wal belongs to it cannot be told: if .*, move .*-wal away; if .*, move .*-mark away$/,
    ),
  );
});

function madeOf(path: string, statement: string): void {
  using database = new DatabaseSync(path);
  database.exec(statement);
}

test("wrong usage is told", async () => {
  const s = await setUp();
  await writeFile(s.backup, "");
  expect(await s.admin("backup", s.backup)).toMatchObject({
    code: 1,
    output: expect.stringContaining("is there already"),
  });
  expect(() => commandOf(["backup"])).toThrow(WrongUsage);
  expect(() => commandOf(["restore"])).toThrow(WrongUsage);
  expect(() => commandOf(["restore", "one", "two"])).toThrow(WrongUsage);
  expect(() => commandOf(["list", "--overwrite"])).toThrow(WrongUsage);
  const env = { DATABASE_URL: "postgres://127.0.0.1/langwire" };
  await using refused = startProgram(process.execPath, [program, "restore", s.backup], { env });
  expect(await refused.exited).toBe(2);
  expect(refused.output).toContain("pg_restore");
});

await describeWithPostgres("a Postgres that was put back", (postgres) => {
  test("goes on far ahead, as the document says", async () => {
    const sql = (await samplesIn("docs/deployment.md")).filter(
      ({ language }) => language === "sql",
    );
    expect(sql).toHaveLength(1);
    await using database = await postgres.createDatabase();
    await using store = await openPostgresStore({ url: database.url });
    const first = await exchange(store);
    const { conversationId } = first;
    const second = await exchange(store, { conversationId });
    const left = await begin(store);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    let highest = (second.endSeq ?? 0) + 1_000_000_000;
    // Twice: what was given out after the first return is not given out after the second.
    for (let times = 0; times < 2; times++) {
      await client.query(sql[0]?.code ?? "");
      await using again = await openPostgresStore({ url: database.url });
      expect(await again.runs.get(first.runId, "alice")).toEqual(first);
      await again.runs.finish(endingOf(left));
      const { conversationId: unknown } = newRun();
      for (const talk of [conversationId, left.conversationId, unknown]) {
        const start = await again.conversations.lastSeq(talk);
        expect(start).toBeGreaterThan(highest);
        const next = await exchange(again, { conversationId: talk });
        expect(next.firstSeq).toBe(start + 1);
      }
      highest = await again.conversations.lastSeq(unknown);
    }
    await client.end();
  });
});
