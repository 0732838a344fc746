/** What the database has lost is put back once, by whoever comes first, and no run is run again for it. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, onTestFinished, test, vi } from "vitest";
import { defineBot, openLangwire } from "../../src/index.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Archiver } from "../../src/runs/archives/archiver.ts";
import { KeyedMutex } from "../../src/runs/lifecycle/keyed-mutex.ts";
import type { LiveRun } from "../../src/runs/lifecycle/live-run.ts";
import { type ReconcileOptions, reconcile, restoreIn } from "../../src/runs/lifecycle/reconcile.ts";
import { shielded } from "../../src/runs/observer.ts";

const userId = "ann";
const caller = { userId };
const newInput = () => ({
  ...{ runId: randomUUID(), conversationId: randomUUID(), botId: "test" },
  ...{ message: "hi", ifBusy: "reject" as const },
});

async function open(answer: () => Promise<string> = async () => "answer", dataDir?: string) {
  const runnable = RunnableLambda.from(answer);
  const langwire = await openLangwire({
    bots: [defineBot({ id: "test", title: "Test", description: "", runnable })],
    runLimits: { storeTimeoutMs: 100 },
    dataDir,
  });
  onTestFinished(() => langwire[Symbol.asyncDispose]());
  return langwire;
}

test("a run whose ending is not stored yet is not run again, though its claim was lost", async () => {
  let calls = 0;
  const dataDir = await mkdtemp(join(tmpdir(), "langwire-late-"));
  // Before the server is opened: what comes first is called last, when the server is closed.
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const { runs, store } = await open(async () => `answer ${++calls}`, dataDir);
  const finish = store.runs.finish.bind(store.runs);
  const finishing = vi.spyOn(store.runs, "finish");
  const ping = vi.spyOn(store, "ping");
  for (const spy of [finishing, ping]) {
    spy.mockRejectedValue(new LangwireError("STORE_UNAVAILABLE"));
  }
  const input = newInput();
  for await (const _ of await runs.send(caller, input));
  // The standby that is promoted has nothing of it; storing its ending takes a while.
  using database = new DatabaseSync(join(dataDir, "langwire.sqlite"));
  database.exec("delete from runs; delete from members; delete from conversations");
  const [asked, stored] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  finishing.mockImplementation(async (ending) => {
    asked.resolve();
    await stored.promise;
    return await finish(ending);
  });
  ping.mockRestore();
  await expect.poll(() => runs.storeAway).toBe(false);
  const again = runs.send(caller, input);
  await asked.promise;
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  stored.resolve();
  const texts: unknown[] = [];
  for await (const { event } of await again) if ("text" in event) texts.push(event.text);
  expect(calls).toBe(1);
  expect(texts.at(-1)).toBe("answer 1");
  expect(await store.runs.get(input.runId, userId)).toMatchObject({ text: "answer 1" });
});

test("a run whose claim was answered to nobody is begun as it was claimed, whatever is sent again", async () => {
  const botNamed = (id: string) => {
    const runnable = RunnableLambda.from(() => `${id} answers`);
    return defineBot({ id, title: id, description: "", runnable });
  };
  await using langwire = await openLangwire({ bots: [botNamed("first"), botNamed("second")] });
  const { runs, store } = langwire;
  const claim = store.runs.claim.bind(store.runs);
  vi.spyOn(store.runs, "claim").mockImplementationOnce(async (input) => {
    await claim(input);
    throw new LangwireError("STORE_UNAVAILABLE");
  });
  // The sweep that would end it comes later.
  const swept = Promise.withResolvers<string[]>();
  vi.spyOn(store.runs, "inProgress").mockReturnValue(swept.promise);
  // What is carried along to put it back is its own conversation.
  const restoring = vi.spyOn(store.runs, "restore");
  vi.spyOn(store.runs, "finish").mockResolvedValueOnce({ finished: false, run: undefined });
  const input = { ...newInput(), botId: "first" };
  await expect(runs.send(caller, input)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect.poll(() => runs.storeAway).toBe(false);
  const other = { botId: "second", conversationId: randomUUID() };
  const texts: unknown[] = [];
  for await (const { event } of await runs.send(caller, { ...input, ...other })) {
    if ("text" in event) texts.push(event.text);
  }
  expect(texts.at(-1)).toBe("first answers");
  const { runId, conversationId } = input;
  expect(restoring.mock.calls).toMatchObject([
    [{ runId }, { conversationId, botId: "first", owned: true }],
  ]);
  swept.resolve([]);
});

test("a run that somebody has put back since the list was read goes on", async () => {
  const { store, log } = await open();
  const claimed = await Promise.all(
    [0, 1].map(async () => {
      const { ifBusy: _, ...claim } = newInput();
      const answer = await store.runs.claim({ ...claim, userId, owner: undefined });
      return answer.outcome === "claimed" ? answer.run : expect.fail();
    }),
  );
  const stopped: string[] = [];
  const lives = claimed.map((run) => ({
    run,
    cancel: () => stopped.push(`cancelled ${run.runId}`),
    fail: () => stopped.push(`failed ${run.runId}`),
  }));
  const [listed, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  vi.spyOn(store.runs, "inProgress").mockImplementationOnce(async () => {
    listed.resolve();
    await goOn.promise;
    // Of a database that has lost both.
    return [];
  });
  const options: ReconcileOptions = {
    ...{ store, log, nodeId: undefined, starting: new KeyedMutex(), isUnattended: () => false },
    live: new Map(lives.map((live) => [live.run.runId, live as unknown as LiveRun])),
    observer: shielded({}),
    archiver: new Archiver({ keepEventsMs: 0, observer: {} }),
  };
  const reconciling = reconcile(options);
  await listed.promise;
  for (const { conversationId } of claimed) await restoreIn(conversationId, options);
  goOn.resolve();
  await reconciling;
  expect(stopped).toEqual([]);
});

test("an erasure that broke off and is begun again leaves nothing in the log", async () => {
  const langwire = await open();
  const inputs = [newInput(), newInput(), newInput()];
  for (const input of inputs) for await (const _ of await langwire.runs.send(caller, input));
  for await (const _ of langwire.eraseUser(userId)) break;
  for await (const _ of langwire.eraseUser(userId));
  for (const { conversationId } of inputs) {
    expect((await langwire.log.read(conversationId, 0)).entries).toEqual([]);
  }
});

test("an erasure does not pass over a run whose ending is not stored", async () => {
  const going = Promise.withResolvers<string>();
  const langwire = await open(() => going.promise);
  const { store, runs } = langwire;
  const input = newInput();
  await store.conversations.create({ ...input, userId: "eve", title: "Eve's" });
  await store.conversations.share(input.conversationId, "eve");
  await store.conversations.join(input.conversationId, userId);
  await runs.send(caller, input);
  vi.spyOn(runs, "cancel").mockResolvedValue({ runId: input.runId, status: "failed" });
  const erasing = async () => {
    for await (const _ of langwire.eraseUser(userId));
  };
  await expect(erasing()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  going.resolve("done");
});

test("an erasure takes along what another's run was given that began meanwhile", async () => {
  const going = Promise.withResolvers<string>();
  let calls = 0;
  const langwire = await open(() => (++calls === 1 ? Promise.resolve("hers") : going.promise));
  const { store, runs } = langwire;
  const [hers, eves] = [newInput(), newInput()];
  const { conversationId } = hers;
  await store.conversations.create({ conversationId, botId: "test", userId: "eve" });
  await store.conversations.share(conversationId, "eve");
  await store.conversations.join(conversationId, userId);
  for await (const _ of await runs.send(caller, hers));
  const redact = store.administration.redact.bind(store.administration);
  vi.spyOn(store.administration, "redact").mockImplementationOnce(async (runId) => {
    const gone = await redact(runId);
    await runs.send({ userId: "eve" }, { ...eves, conversationId });
    return gone;
  });
  const archiveDeleted = vi.spyOn(runs, "archiveDeleted");
  for await (const _ of langwire.eraseUser(userId));
  going.resolve("too late");
  const { status } = (await store.runs.get(eves.runId, "eve")) ?? expect.fail("no run");
  expect(status).toBe("cancelled");
  for (const { runId } of [hers, eves]) {
    expect(await store.archives.get(runId)).toEqual([]);
    // What is held of it for readers goes as well.
    expect(archiveDeleted).toHaveBeenCalledWith(runId);
  }
});
