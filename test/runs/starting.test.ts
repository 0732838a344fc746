/** The moment between a run's claim and its first event. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { defineBot } from "../../src/bots/bot.ts";
import { type Langwire, openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { all, botDoing, botSaying, botWaiting, caller, newRun, upTo } from "./run-bench.ts";

test("a cancel that comes while its run is being started stops it", async () => {
  await using langwire = await openLangwire({ bots: [botWaiting(new Promise(() => {}))] });
  for (let turns = 0; turns < 60; turns++) {
    const run = newRun();
    const sending = langwire.runs.send(caller, run);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const cancelled = langwire.runs.cancel(caller, run.runId).catch(({ code }) => code);
    const follower = await sending;
    const answer = await cancelled;
    // Before the claim there is nothing to cancel; from then on there is.
    if (answer === "NOT_FOUND") await langwire.runs.cancel(caller, run.runId);
    else expect(answer).toEqual({ runId: run.runId, status: "cancelled" });
    expect((await all(follower)).at(-1)?.event).toMatchObject({ status: "cancelled" });
  }
});

test("a shutdown waits for runs that are being started, and ends them", async () => {
  for (let turns = 0; turns < 60; turns += 3) {
    await using langwire = await openLangwire({ bots: [botWaiting(new Promise(() => {}))] });
    const run = newRun();
    const sending = langwire.runs.send(caller, run).catch(({ code }) => code);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await langwire.runs.drain(0);
    expect(langwire.runs.live.size).toBe(0);
    const follower = await sending;
    if (follower === "OVERLOADED") continue;
    expect((await all(follower)).at(-1)?.event).toMatchObject({
      status: "failed",
      error: { code: "SERVER_RESTARTED" },
    });
    expect(await langwire.store.runs.unfinished()).toEqual([]);
  }
});

test("a process whose log takes nothing begins no run, until it does", async () => {
  await using langwire = await openLangwire({ bots: [botSaying({ tokens: ["here"] })] });
  const healthy = vi.spyOn(langwire.log, "healthy", "get").mockReturnValue(false);
  const run = newRun();
  const refused = { code: "STORE_UNAVAILABLE", retryAfterMs: 1_000 };
  await expect(langwire.runs.send(caller, run)).rejects.toMatchObject(refused);
  expect(await langwire.store.runs.get(run.runId, caller.userId)).toBeUndefined();
  healthy.mockRestore();
  const entries = await all(await langwire.runs.send(caller, run));
  expect(entries.at(-1)?.event).toMatchObject({ status: "completed" });
});

test("a shutdown does not wait for ever for a run whose log does not take its end", async () => {
  await using langwire = await openLangwire({ bots: [botWaiting(new Promise(() => {}))] });
  const { log, runs } = langwire;
  const open = log.open.bind(log);
  const taken = Promise.withResolvers<void>();
  vi.spyOn(log, "open").mockImplementation(async (opening) => {
    const writer = await open(opening);
    return Object.assign(writer, { flushed: () => taken.promise });
  });
  const follower = await runs.send(caller, newRun());
  await upTo(follower, "token");
  await runs.drain(0);
  expect((await all(follower)).at(-1)?.event).toMatchObject({
    error: { code: "SERVER_RESTARTED" },
  });
  taken.resolve();
});

test("many sends at one moment do not start more runs than there may be", async () => {
  let started = 0;
  const bot = botDoing(() => {
    started += 1;
    return new Promise(() => {});
  });
  await using langwire = await openLangwire({ bots: [bot], runLimits: { maxLiveRuns: 3 } });
  const sends = Array.from({ length: 20 }, () => langwire.runs.send(caller, newRun()));
  const outcomes = await Promise.allSettled(sends);
  const refused = outcomes.filter(({ status }) => status === "rejected");
  expect(refused.map((outcome) => outcome.status === "rejected" && outcome.reason.code)).toEqual(
    refused.map(() => "OVERLOADED"),
  );
  expect(refused).toHaveLength(17);
  await expect.poll(() => started).toBe(3);
});

test("deleting a conversation stops a run that is being started there", async () => {
  for (let turns = 0; turns < 60; turns += 3) {
    let stopped = 0;
    const bot = botDoing((signal) => {
      signal?.addEventListener("abort", () => stopped++);
      return new Promise(() => {});
    });
    await using langwire = await openLangwire({ bots: [bot] });
    const run = newRun();
    const sending = langwire.runs.send(caller, run).catch(({ code }) => code);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const deleted = await langwire.store.conversations.delete(run.conversationId, caller.userId);
    if (deleted?.runningRunId !== undefined) {
      langwire.runs.stop(deleted.runningRunId);
      await sending;
      await expect.poll(() => langwire.runs.live.size).toBe(0);
    }
    await sending;
  }
});

test("a bot that is replaced while a run of it is begun has the run, whole", async () => {
  const checks = new Set<string>();
  const checkedInput = Promise.withResolvers<void>();
  const mayGoOn = Promise.withResolvers<void>();
  const version = (name: string) =>
    defineBot({
      id: "test",
      title: "test",
      description: "",
      input: z.object({ city: z.string() }).transform(async ({ city }) => {
        checks.add(`input by ${name}`);
        checkedInput.resolve();
        await mayGoOn.promise;
        return { city, checkedBy: name };
      }),
      context: z.unknown().transform(() => {
        checks.add(`context by ${name}`);
        return { checkedBy: name };
      }),
      runnable: ({ context }) =>
        RunnableLambda.from((input: { checkedBy: string }) =>
          [name, input.checkedBy, context.checkedBy].join(", "),
        ),
    });
  await using langwire = await openLangwire({ bots: [version("old")] });
  const { message: _message, ...run } = newRun();
  const sending = langwire.runs.send(caller, { ...run, input: { city: "Kyoto" } });
  await checkedInput.promise;
  langwire.bots.replace([version("new")]);
  mayGoOn.resolve();
  const end = (await all(await sending)).at(-1)?.event;
  expect(end).toMatchObject({ status: "completed", text: "old, old, old" });
  expect([...checks]).toEqual(["input by old", "context by old"]);
});

test("a bot that is taken away while a run of it is begun has the run all the same", async () => {
  await using langwire: Langwire = await openLangwire({
    bots: [botSaying({ tokens: ["here"] })],
    limitsOf: async () => {
      langwire.bots.replace([]);
      return {};
    },
  });
  const follower = await langwire.runs.send(caller, newRun());
  expect((await all(follower)).at(-1)?.event).toMatchObject({ text: "here" });
  await expect(langwire.runs.send(caller, newRun())).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a run that somebody took over before it began ends in the store as its log says", async () => {
  await using langwire = await openLangwire({ bots: [botSaying({ tokens: ["ours"] })] });
  const { log, store, runs } = langwire;
  const run = newRun();
  const { runId, conversationId, botId, message } = run;
  const open = log.open.bind(log);
  vi.spyOn(log, "open").mockImplementation(async (opening) => {
    if ((await log.read(conversationId, 0)).entries.length === 0) {
      const at = new Date().toISOString();
      const { userId } = caller;
      const writer = await open(opening);
      writer.append({ type: "runStart", runId, at, conversationId, botId, userId, message });
      writer.append({ type: "runEnd", runId, at, status: "completed", text: "theirs" });
      await writer.flushed();
      writer.close();
    }
    throw new LangwireError("OWNER_LOST");
  });
  await expect(runs.send(caller, run)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  const stored = async () => await store.runs.get(runId, caller.userId);
  await expect.poll(async () => (await stored())?.status).not.toBe("running");
  expect(await stored()).toMatchObject({ status: "completed", text: "theirs", endSeq: 2 });
});
