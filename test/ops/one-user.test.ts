/** One user's data: exported whole, then gone from everything that the server keeps. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { openLangwire } from "../../src/index.ts";
import { ArchiveWriter } from "../../src/log/archive/run-archive.ts";
import { LogEntry } from "../../src/log/entry.ts";
import type { StorageOptions } from "../../src/open/open-storage.ts";
import type { Erased } from "../../src/runs/erase-user.ts";
import { adminRoutes } from "../../src/server/admin/admin.ts";
import type { UserExportLine } from "../../src/server/admin/admin-users.ts";
import { createServer } from "../../src/server/app.ts";
import type { Ending } from "../../src/store/store.ts";
import { scriptedBot } from "../security/scripted-bot.ts";
import { exchange } from "../store/store-place.ts";
import { startProgram } from "../support/child-process.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { type Kept, placesOf } from "./kept-bytes.ts";

const token = "0123456789abcdef01234567";
const program = new URL("../../src/cli/admin/main.ts", import.meta.url).pathname;
const notFound = { data: { langwire: { code: "NOT_FOUND" } } };

/** In everything of hers, her name included. */
const canary = "CANARY";
const anna = `anna/${canary}@example.org`;
const bob = "bob";

/** In all that an ending has. */
async function endingWith(text: string): Promise<Partial<Ending>> {
  const writer = new ArchiveWriter();
  const event = { type: "custom" as const, runId: randomUUID(), spanId: "1", name: "said" };
  await writer.add([LogEntry.of(1, { ...event, data: text })]);
  return {
    text,
    parts: [
      { type: "tool", name: "search", state: "done", output: { found: text } },
      { type: "text", text, final: true },
    ],
    output: { text },
    modelMessages: JSON.stringify([text]),
    archive: await writer.end(),
  };
}

type NewStorage = () => Promise<{ storage: StorageOptions; kept: Omit<Kept, "folder"> }>;

function declare(newStorage: NewStorage): void {
  async function start() {
    const folder = await mkdtemp(join(tmpdir(), "langwire-one-user-"));
    const { storage, kept } = await newStorage();
    const held = Promise.withResolvers<void>();
    const bot = scriptedBot((messages) => {
      const said = messages.at(-1)?.text ?? "";
      const until = said.includes("hold") ? held.promise : undefined;
      return { tokens: ["You said: ", said], ...(until && { until }) };
    });
    const langwire = await openLangwire({
      bots: [bot],
      ...storage,
      dataDir: folder,
      userLimits: { maxLiveRuns: 100, maxRunsPerMinute: 1_000, maxConversationsPerMinute: 1_000 },
    });
    const { app, close } = await createServer({ langwire });
    adminRoutes(app, langwire, token);
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const [annas, bobs] = [anna, bob].map((userId) =>
      wsClient(`ws://127.0.0.1:${port}/trpc`, { userId }),
    );
    if (annas === undefined || bobs === undefined) throw new Error("Two clients were made.");
    onTestFinished(async () => {
      held.resolve();
      annas[Symbol.dispose]();
      bobs[Symbol.dispose]();
      await close(0);
      await langwire[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });
    const admin = async <Line>(...args: string[]): Promise<Line[]> => {
      const env = { ADMIN_TOKEN: token };
      const url = ["--url", `http://127.0.0.1:${port}`];
      const ran = startProgram(process.execPath, [program, ...url, ...args], { env });
      expect(await ran.exited, ran.output).toBe(0);
      return ran.output
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    };
    const send = (client: typeof annas, conversationId: string, message: string) => {
      const input = { runId: randomUUID(), botId: "test", conversationId, message };
      return { ...input, ...read((options) => client.api.chat.send.subscribe(input, options)) };
    };
    const said = async (client: typeof annas, conversationId: string, message: string) => {
      const sent = send(client, conversationId, message);
      const [last] = (await sent.completed).slice(-1);
      return { runId: sent.runId, lastSeq: Number(last?.id) };
    };
    const watch = async (client: typeof annas, conversationId: string) => {
      const started = Promise.withResolvers<void>();
      const reading = read((options) =>
        client.api.chat.watch.subscribe(
          { conversationId },
          { ...options, onStarted: () => started.resolve() },
        ),
      );
      await started.promise;
      return reading;
    };
    const places = (text: string) => placesOf(text, { folder, ...kept });
    return { langwire, annas, bobs, admin, send, said, watch, places, held };
  }

  test("is exported whole and erased without a trace, and nobody else's is touched", async () => {
    const s = await start();
    const { annas, bobs, said } = s;
    const { store } = s.langwire;
    const [hers, his, his2, hers2, deleted] = Array.from({ length: 5 }, () => randomUUID());
    if (!hers || !his || !his2 || !hers2 || !deleted) throw new Error("Five ids were made.");

    await said(annas, hers, `My ${canary} illness.`);
    await annas.api.conversations.share.mutate({ conversationId: hers });
    await bobs.api.conversations.join.mutate({ conversationId: hers });
    await said(bobs, hers, `Bob on her ${canary}.`);
    await bobs.api.conversations.create.mutate({ conversationId: his, botId: "test" });
    await bobs.api.conversations.share.mutate({ conversationId: his });
    await annas.api.conversations.join.mutate({ conversationId: his });
    await annas.api.conversations.leave.mutate({ conversationId: his });
    await annas.api.conversations.join.mutate({ conversationId: his });
    const first = await said(annas, his, `The first ${canary} gives the title.`);
    const kept = await said(bobs, his, "What Bob said.");
    await said(bobs, his2, "Bob alone.");
    await said(annas, deleted, `${canary}, deleted.`);
    await annas.api.conversations.delete.mutate({ conversationId: deleted });
    // Rows of both between each other, of all lengths: what moves in a file must not leave a copy.
    for (let index = 0; index < 120; index++) {
      const [userId, conversationId] = index % 2 === 0 ? [anna, hers] : [bob, his2];
      const text = `${userId} ${"text ".repeat((index * 37) % 700)}`;
      const given = { botId: "test", userId, conversationId, message: text, input: { text } };
      await exchange(store, given, await endingWith(text));
    }
    // Not compressed: what is left of it in a file would show.
    const rawArchive = { events: Buffer.from(`${canary} `.repeat(2_000)), rawBytes: 1 };
    const toHim = { botId: "test", userId: anna, conversationId: his, message: `${canary}?` };
    const emptied = await exchange(
      store,
      { ...toHim, input: { canary } },
      { ...(await endingWith(canary)), archive: rawArchive },
    );
    const his3 = randomUUID();
    await bobs.api.conversations.create.mutate({ conversationId: his3, botId: "test" });
    await bobs.api.conversations.share.mutate({ conversationId: his3 });
    await annas.api.conversations.join.mutate({ conversationId: his3 });
    const remembered = await said(annas, his3, `${canary}, remembered.`);
    await annas.api.conversations.leave.mutate({ conversationId: his3 });
    // Its bot was given what she has said.
    const given = s.send(bobs, his3, "hold on, Bob");
    await given.until(({ type }) => type === "token");
    const live = s.send(annas, hers2, `hold on, ${canary}`);
    const inHis = s.send(annas, his, `hold on there, ${canary}`);
    await live.until(({ type }) => type === "token");
    await inHis.until(({ type }) => type === "token");
    const cut = await Promise.all([s.watch(annas, hers), s.watch(annas, his), s.watch(bobs, hers)]);
    const stays = await s.watch(bobs, his);
    const bobsBefore = await s.admin("export", his2);
    expect((await s.places(canary)).join()).toMatch(/archives|table run_archives/);

    const lines = await s.admin<UserExportLine>("export-user", anna);
    const of = <Type extends UserExportLine["type"]>(type: Type) =>
      lines.filter((line): line is Extract<UserExportLine, { type: Type }> => line.type === type);
    expect(new Set(of("conversation").map((line) => line.conversationId))).toEqual(
      new Set([hers, hers2]),
    );
    expect(of("membership")).toEqual([
      expect.objectContaining({
        conversationId: his,
        title: `The first ${canary} gives the title.`,
      }),
    ]);
    expect(of("run")).toHaveLength(63);
    expect(of("run").map(({ message }) => message)).toContain(`Bob on her ${canary}.`);
    expect(
      of("sent")
        .map(({ runId }) => runId)
        .toSorted(),
    ).toEqual([first, emptied, inHis, remembered].map(({ runId }) => runId).toSorted());
    for (const type of ["run", "sent"] as const) {
      const parts = of(type).flatMap((line) => line.parts ?? []);
      const outputs = parts.flatMap((part) => (part.type === "tool" ? [part.output] : []));
      expect(outputs).toContainEqual({ found: expect.stringContaining(canary) });
    }
    const archived = of("event").filter(({ event }) => event.type === "custom");
    expect(archived).toHaveLength(60);
    expect(of("event").some(({ event }) => event.type === "token")).toBe(true);
    expect(JSON.stringify(lines)).not.toContain("Bob alone.");

    const erased = await s.admin<Erased>("delete-user", anna);
    expect(erased.map(({ type }) => type).toSorted()).toEqual([
      "conversation",
      "conversation",
      "membership",
      ...["run", "run", "run", "run"],
    ]);
    // A slot of hers in Redis is given back a moment after her run's end.
    await expect.poll(() => s.places(canary)).toEqual([]);
    expect((await given.completed).at(-1)?.event).toMatchObject({ status: "cancelled" });
    for (const reading of cut) await expect(reading.completed).rejects.toMatchObject(notFound);
    expect(await s.admin("export-user", anna)).toEqual([]);
    expect(await s.admin("export", his2)).toEqual(bobsBefore);
    const page = { conversationId: his, limit: 50 };
    const { items } = await bobs.api.conversations.messages.query(page);
    expect(items.map(({ text, userId }) => [text, userId])).toEqual([
      ["", undefined],
      ["", undefined],
      ["What Bob said.", bob],
      ["You said: What Bob said.", undefined],
      ...Array(4).fill(["", undefined]),
    ]);
    expect(JSON.stringify(items)).not.toContain(canary);
    expect(await bobs.api.conversations.get.query({ conversationId: his })).toMatchObject({
      title: "",
    });
    // Numbers go on, also behind what was emptied; and nothing of hers begins again by its id.
    const next = await said(bobs, his, "And on.");
    expect(next.lastSeq).toBeGreaterThan(kept.lastSeq);
    await stays.until(({ runId, type }) => runId === next.runId && type === "runEnd");
    for (const conversationId of [hers, his]) {
      const input = { runId: first.runId, botId: "test", conversationId, message: "Again?" };
      const again = read((options) => annas.api.chat.send.subscribe(input, options));
      await expect(again.completed).rejects.toMatchObject(notFound);
    }
  });

  test("a conversation that its owner deletes is gone in a moment, its run in progress too", async () => {
    const s = await start();
    const conversationId = randomUUID();
    await s.said(s.annas, conversationId, `A ${canary}.`);
    const other = s.send(s.bobs, randomUUID(), "hold on");
    await other.until(({ type }) => type === "token");
    const live = s.send(s.annas, conversationId, `hold on, ${canary}`);
    await live.until(({ type }) => type === "token");
    expect((await s.places(canary)).length).toBeGreaterThan(0);
    await s.annas.api.conversations.delete.mutate({ conversationId });
    await expect(live.completed).rejects.toMatchObject(notFound);
    // In Redis her name is in counts of how often she did what, for a minute.
    const places = async () => (await s.places(canary)).filter((it) => !it.includes("runs-begun"));
    await expect.poll(places).toEqual([]);
    s.held.resolve();
    expect((await other.completed).at(-1)?.event).toMatchObject({ status: "completed" });
  });

  test("one that is deleted while a run of it is being begun leaves nothing, either", async () => {
    const s = await start();
    const { conversations, runs } = s.langwire.store;
    const claim = runs.claim.bind(runs);
    vi.spyOn(runs, "claim").mockImplementationOnce(async (input) => {
      const claimed = await claim(input);
      const { conversationId } = input;
      const deleted = await conversations.delete(conversationId, anna);
      await s.langwire.runs.deleted(conversationId, deleted?.runningRunId);
      await s.langwire.runs.membersChanged(conversationId);
      return claimed;
    });
    const sent = s.send(s.annas, randomUUID(), `hold on, ${canary}`);
    await expect(sent.completed).rejects.toBeDefined();
    const places = async () => (await s.places(canary)).filter((it) => !it.includes("runs-begun"));
    await expect.poll(places).toEqual([]);
  });
}

describe("one user's data, in SQLite", () => {
  declare(async () => ({ storage: {}, kept: {} }));
});

await describeWithPostgres("one user's data, in Postgres", (postgres) => {
  const newDatabase = async () => {
    const database = await postgres.createDatabase();
    onTestFinished(() => database[Symbol.asyncDispose]());
    return database.url;
  };
  describe("with a journal", () => {
    declare(async () => {
      const databaseUrl = await newDatabase();
      return { storage: { databaseUrl }, kept: { databaseUrl } };
    });
  });
  needsRedis("with Redis", () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis[Symbol.asyncDispose]());
    declare(async () => {
      const databaseUrl = await newDatabase();
      const shared = { redisUrl: redis.url, redisPrefix: randomUUID() };
      return { storage: { databaseUrl, ...shared }, kept: { databaseUrl, redis } };
    });
  });
});
