/** A disk that is full, read-only, or locked by somebody else, under runs in progress. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { Catalogue } from "../../src/bots/catalogue.ts";
import { SqliteJournal } from "../../src/log/journal.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { Runs } from "../../src/runs/runs.ts";
import { createServer } from "../../src/server/app.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { TestServer, TestServerOptions } from "../../src/testing/index.ts";
import type { Reading } from "../support/stock-client.ts";
import { temporaryFolder } from "./child-server.ts";
import { faultRow } from "./fault-table.ts";
import { World } from "./world.ts";

interface OpenServer extends TestServer {
  readonly store: SqliteStore;
}

/** The server as `openLangwire` puts it together, with the database at hand. */
async function serveFrom(path: string, options: TestServerOptions): Promise<OpenServer> {
  const stack = new AsyncDisposableStack();
  const bots = new Catalogue(options.bots);
  const store = stack.use(await openSqliteStore({ path }));
  const log = stack.use(new MemoryLog({ journal: new SqliteJournal(store.database) }));
  const runs = stack.use(await Runs.start({ bots, store, log, limits: options.runLimits }));
  const eraseUser = async function* () {};
  const onBotFailure = () => () => {};
  const dispose = async () => {};
  const langwire = {
    ...{ bots, store, log, runs, eraseUser, onBotFailure },
    [Symbol.asyncDispose]: dispose,
  };
  const server = await createServer({ ...options, langwire });
  stack.defer(() => server.close(0));
  await server.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.app.server.address() as AddressInfo;
  return {
    store,
    langwire,
    server,
    thrown: new Map(),
    port,
    url: `ws://127.0.0.1:${port}/trpc`,
    httpUrl: `http://127.0.0.1:${port}/trpc`,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type Break = (database: DatabaseSync, path: string) => Promise<() => Promise<void> | void>;

const fullDisk: Break = async (database) => {
  const pages = database.prepare("pragma page_count").get()?.page_count;
  database.exec(`pragma max_page_count = ${pages}`);
  return () => database.exec("pragma max_page_count = 1000000");
};

const readOnly: Break = async (database) => {
  database.exec("pragma query_only = on");
  return () => database.exec("pragma query_only = off");
};

/** Another process has begun to write, and does not end. */
const locked: Break = async (_database, path) => {
  const script = `
    const { DatabaseSync } = require("node:sqlite");
    const database = new DatabaseSync(process.argv[1], { timeout: 10_000 });
    database.exec("begin exclusive");
    process.stdout.write("locked");
    process.stdin.resume();
  `;
  const other = spawn(process.execPath, ["-e", script, path], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  await once(other.stdout, "data");
  return async () => {
    other.kill("SIGKILL");
    await once(other, "exit");
  };
};

const faults: readonly (readonly [name: string, breakIt: Break])[] = [
  ["full", fullDisk],
  ["read-only", readOnly],
  ["locked by another process", locked],
];

const runsAtOnce = 20;
const piece = "0123456789 ".repeat(100);

for (const [name, breakIt] of faults) {
  test(`a disk that is ${name} while runs are in progress, and is back in time`, async (context) => {
    const row = faultRow(
      context,
      `disk ${name}: running ones finish and are written when it is back`,
    );
    await using s = await setUp({ storeTimeoutMs: 15_000 });
    const repair = await breakIt(s.world.server.store.database, s.path);
    s.goOn.resolve();
    for (const { reading } of s.sent) {
      await reading.until((event) => event.type === "token" && event.text.endsWith("more "));
    }
    await expectRefused(s.world);
    const lag = monitorEventLoopDelay({ resolution: 10 });
    lag.enable();
    s.finish.resolve();
    await expect.poll(() => s.world.provider.calls.every((call) => call.steps >= 7)).toBe(true);
    await expectRefused(s.world);
    await repair();
    for (const { run, reading } of s.sent) {
      const readers = { reading: await reading.completed };
      const end = await s.world.judge(run, { readers, text: s.text });
      expect(end.status).toBe("completed");
      const stored = await s.world.server.store.runs.get(run.runId, "local");
      expect(stored).toMatchObject({ status: "completed", text: s.text });
      row.cases += 1;
    }
    lag.disable();
    expect(lag.max / 1e6).toBeLessThan(1_000);
    await expect.poll(() => s.world.server.langwire.log.healthy).toBe(true);
    expect(journalled(s.path, s.sent)).toEqual(s.sent.map(() => "runEnd"));
    await expectAccepted(s.world);
  });

  test(`a disk that is ${name} for longer than runs may wait`, async (context) => {
    const row = faultRow(
      context,
      `disk ${name}, not back in time: the end is told, and kept later`,
    );
    await using s = await setUp({ storeTimeoutMs: 300 });
    const repair = await breakIt(s.world.server.store.database, s.path);
    s.goOn.resolve();
    s.finish.resolve();
    for (const { run, reading } of s.sent) {
      const readers = { reading: await reading.completed };
      const end = await s.world.judge(run, { readers });
      expect(end).toMatchObject({ status: "completed", text: s.text });
      row.cases += 1;
    }
    await repair();
    for (const { run } of s.sent) {
      const { store } = s.world.server;
      await expect
        .poll(() => store.runs.get(run.runId, "local"))
        .toMatchObject({ status: "completed", text: s.text });
    }
    await expectAccepted(s.world);
  });
}

async function setUp({ storeTimeoutMs }: { storeTimeoutMs: number }) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const path = join(folder.path, "langwire.sqlite");
  const runLimits = { storeTimeoutMs };
  const world = stack.use(await World.start({ runLimits }, (all) => serveFrom(path, all)));
  const goOn = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const steps = [
    "one ",
    { until: goOn.promise },
    piece,
    piece,
    "more ",
    { until: finish.promise },
    "end",
  ];
  const text = ["one ", piece, piece, "more ", "end"].join("");
  const reader = stack.use(await world.reader());
  const sent: { run: ReturnType<World["newRun"]>; reading: Reading }[] = [];
  for (let index = 0; index < runsAtOnce; index++) {
    const run = world.newRun({ steps });
    const reading = reader.send(run);
    await reading.until(({ type }) => type === "token");
    sent.push({ run, reading });
  }
  return {
    world,
    path,
    sent,
    goOn,
    finish,
    text,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function expectRefused(world: World): Promise<void> {
  await using reader = await world.reader();
  await expect(reader.send(world.newRun({ steps: ["no"] })).completed).rejects.toMatchObject({
    data: { langwire: { code: "STORE_UNAVAILABLE", retryable: true } },
  });
}

async function expectAccepted(world: World): Promise<void> {
  await using reader = await world.reader();
  const isAccepted = async () => {
    const run = world.newRun({ steps: ["yes"] });
    return reader.send(run).completed.then(
      (received) => received.at(-1)?.event,
      () => undefined,
    );
  };
  await expect.poll(isAccepted).toMatchObject({ text: "yes" });
}

/** The last event that the file has of each run. */
function journalled(path: string, sent: readonly { run: { conversationId: string } }[]) {
  const database = new DatabaseSync(path, { readOnly: false });
  const log = new MemoryLog({ journal: new SqliteJournal(database) });
  const ends = sent.map(({ run: { conversationId } }) => {
    let last: string | undefined;
    for (let after = 0; ; ) {
      const { entries } = log.read(conversationId, after);
      const end = entries.at(-1);
      if (end === undefined) return last;
      last = end.type;
      after = end.seq;
    }
  });
  database.close();
  return ends;
}
