/** What a run holds, counts and owes, however it begins and ends. */
import { AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import { expect, test, vi } from "vitest";
import { Catalogue } from "../../src/bots/catalogue.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { admission } from "../../src/runs/admission/admission.ts";
import { memoryRateLimit } from "../../src/runs/admission/rate-limit.ts";
import { Runs } from "../../src/runs/runs.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { ScriptedModel } from "../../src/testing/scripted-model.ts";
import { all, botOf, botSaying, botWaiting, caller, newRun, upTo } from "./run-bench.ts";

const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5 };

test("a run that was claimed and cannot be started leaves its conversation and its place free", async () => {
  await using langwire = await openLangwire({
    bots: [botSaying({ tokens: ["a"] })],
    userLimits: { maxLiveRuns: 1, maxRunsPerMinute: 100 },
  });
  const opening = vi.spyOn(langwire.log, "open").mockImplementationOnce(() => {
    throw new LangwireError("STORE_UNAVAILABLE");
  });
  const run = newRun();
  await expect(langwire.runs.send(caller, run)).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
  expect(opening).toHaveBeenCalledOnce();
  expect(await langwire.store.runs.get(run.runId, caller.userId)).toMatchObject({
    status: "failed",
    error: { code: "STORE_UNAVAILABLE" },
  });
  await expect.poll(() => langwire.runs.storeAway).toBe(false);
  const next = newRun({ conversationId: run.conversationId });
  const entries = await all(await langwire.runs.send(caller, next));
  expect(entries.at(-1)?.event).toMatchObject({ status: "completed", text: "a" });
});

test("a run that is refused for the rate holds none of the user's places", async () => {
  const admit = admission({
    runsPerUser: memoryRateLimit({
      what: "runs that you begin in a minute",
      times: 2,
      perMs: 60_000,
    }),
    maxLiveRunsPerUser: 3,
  });
  const first = await admit(caller);
  await admit(caller);
  for (let times = 0; times < 5; times++) {
    await expect(admit(caller)).rejects.toMatchObject({
      code: "RATE_LIMITED",
      retryAfterMs: expect.any(Number),
      message: expect.not.stringContaining("in progress"),
    });
  }
  first();
});

test("what is refused, busy or only followed holds no place of the user's", async () => {
  const gate = Promise.withResolvers<void>();
  await using langwire = await openLangwire({
    bots: [botWaiting(gate.promise)],
    userLimits: { maxLiveRuns: 2, maxRunsPerMinute: 100 },
  });
  const run = newRun();
  const follower = await langwire.runs.send(caller, run);
  const busy = newRun({ conversationId: run.conversationId });
  for (let times = 0; times < 3; times++) {
    await expect(langwire.runs.send(caller, busy)).rejects.toMatchObject({
      code: "CONVERSATION_BUSY",
    });
    await (await langwire.runs.send(caller, run)).return();
  }
  const second = await langwire.runs.send(caller, newRun());
  await expect(langwire.runs.send(caller, newRun())).rejects.toMatchObject({
    code: "RATE_LIMITED",
  });
  gate.resolve();
  await Promise.all([all(follower), all(second)]);
  await all(await langwire.runs.send(caller, newRun()));
});

test("a shutdown while the store is away tells readers the end, and does not wait for the store", async () => {
  await using langwire = await openLangwire({
    bots: [botSaying({ tokens: ["a"] })],
    runLimits: { storeTimeoutMs: 3_600_000 },
  });
  const { runs } = langwire.store;
  const finish = runs.finish.bind(runs);
  let asked = 0;
  runs.finish = () => {
    asked += 1;
    return Promise.reject(new LangwireError("STORE_UNAVAILABLE"));
  };
  langwire.store.ping = () => Promise.reject(new LangwireError("STORE_UNAVAILABLE"));
  const run = newRun();
  const reading = all(await langwire.runs.send(caller, run));
  await expect.poll(() => asked).toBeGreaterThan(0);
  await langwire.runs.drain(0);
  expect((await reading).at(-1)?.event).toMatchObject({ status: "completed", text: "a" });
  runs.finish = finish;
});

test("a shutdown ends a run whose claim is under way, once the store has it", async () => {
  await using langwire = await openLangwire({ bots: [botWaiting(new Promise(() => {}))] });
  const { runs } = langwire.store;
  const claim = runs.claim.bind(runs);
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  runs.claim = async (...args) => {
    asked.resolve();
    await gate.promise;
    return await claim(...args);
  };
  const sending = langwire.runs.send(caller, newRun());
  await asked.promise;
  const draining = langwire.runs.drain(0);
  // A timer that is due after the grace's: by now the shutdown goes on without it.
  await new Promise((resolve) => setTimeout(resolve, 5));
  gate.resolve();
  await draining;
  expect(langwire.runs.live.size).toBe(0);
  expect(await runs.unfinished()).toEqual([]);
  expect((await all(await sending)).at(-1)?.event).toMatchObject({
    error: { code: "SERVER_RESTARTED" },
  });
});

/** Says how many tokens it has cost so far with each chunk, and waits for its end. */
class CountingModel extends ScriptedModel {
  constructor() {
    super(() => ({}));
  }

  override async *_streamResponseChunks(
    ..._: Parameters<ScriptedModel["_streamResponseChunks"]>
  ): AsyncGenerator<ChatGenerationChunk> {
    const [, { signal }, runManager] = _;
    for (const [input_tokens, output_tokens] of [
      [3, 1],
      [0, 1],
    ] as const) {
      const usage_metadata = { input_tokens, output_tokens, total_tokens: 0 };
      usage_metadata.total_tokens = input_tokens + output_tokens;
      const message = new AIMessageChunk({ content: "a", usage_metadata });
      const chunk = new ChatGenerationChunk({ text: "a", message });
      yield chunk;
      const nowhere = { prompt: 0, completion: 0 };
      await runManager?.handleLLMNewToken("a", nowhere, undefined, undefined, undefined, { chunk });
    }
    await new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  }
}

test("what a call had cost when its run was cancelled is counted", async () => {
  await using langwire = await openLangwire({ bots: [botOf(new CountingModel())] });
  const run = newRun();
  const follower = await langwire.runs.send(caller, run);
  for (let said = ""; said !== "aa"; ) {
    const { event } = (await upTo(follower, "token")).at(-1) ?? expect.fail();
    if (event.type === "token") said += event.text;
  }
  await langwire.runs.cancel(caller, run.runId);
  expect((await all(follower)).at(-1)?.event).toMatchObject({ status: "cancelled", usage });
  const stored = await langwire.store.runs.get(run.runId, caller.userId);
  expect(stored).toMatchObject({ status: "cancelled", usage });
});

test("what calls had cost that ended before their process died is counted", async () => {
  await using store = await openSqliteStore({ path: ":memory:" });
  await using log = new MemoryLog();
  const run = newRun();
  const { runId, conversationId } = run;
  await store.runs.claim({ ...run, userId: caller.userId });
  const writer = log.open({ conversationId, runId, after: 0 });
  const at = new Date().toISOString();
  writer.append({ ...run, type: "runStart", at, userId: caller.userId });
  for (const spanId of ["a", "b"]) {
    writer.append({ type: "llmStart", runId, spanId, at, name: "model" });
    writer.append({ type: "token", runId, spanId, text: spanId });
    writer.append({ type: "llmEnd", runId, spanId, at, usage });
  }
  await writer.flushed();
  await using runs = await Runs.start({ bots: new Catalogue([]), store, log });
  const twice = { inputTokens: 6, outputTokens: 4, totalTokens: 10 };
  expect(await store.runs.get(runId, caller.userId)).toMatchObject({
    status: "failed",
    text: "b",
    error: { code: "SERVER_RESTARTED" },
    usage: twice,
  });
  const entries = await upTo(await runs.follow(caller, { runId, lastEventId: "0" }), "runEnd");
  expect(entries.at(-1)?.event).toMatchObject({ text: "b", usage: twice });
});
