/** What a run that was stopped still says, and what is left of one that is over. */
import { AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import { expect, test } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { ScriptedModel } from "../../src/testing/scripted-model.ts";
import { all, botOf, botSaying, botWaiting, caller, newRun, upTo } from "./run-bench.ts";

type Stream = Parameters<ScriptedModel["_streamResponseChunks"]>;

/** Says "a", and when it is told to stop, it does something else first. */
class StubbornModel extends ScriptedModel {
  readonly #whenStopped: (say: (text: string) => Promise<void>) => Promise<void>;

  constructor(whenStopped: (say: (text: string) => Promise<void>) => Promise<void>) {
    super(() => ({}));
    this.#whenStopped = whenStopped;
  }

  override async *_streamResponseChunks(
    ...[, { signal }, runManager]: Stream
  ): AsyncGenerator<ChatGenerationChunk> {
    const say = async (text: string) => await runManager?.handleLLMNewToken(text);
    await say("a");
    yield new ChatGenerationChunk({ text: "a", message: new AIMessageChunk("a") });
    await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
    await this.#whenStopped(say);
    signal?.throwIfAborted();
  }
}

test("what a bot says after its run was stopped is nobody's", async () => {
  const said = Promise.withResolvers<void>();
  const model = new StubbornModel(async (say) => {
    await say("late");
    said.resolve();
  });
  await using langwire = await openLangwire({ bots: [botOf(model)] });
  const run = newRun();
  const follower = await langwire.runs.send(caller, run);
  await upTo(follower, "token");
  const cancelled = langwire.runs.cancel(caller, run.runId);
  await said.promise;
  await cancelled;
  const rest = await all(follower);
  expect(rest.filter(({ type }) => type === "token")).toEqual([]);
  expect(rest.at(-1)?.event).toMatchObject({ status: "cancelled", text: "a" });
});

test("a bot that does not stop is left behind after its grace", async () => {
  const model = new StubbornModel(() => new Promise(() => {}));
  const bots = [botOf(model)];
  await using langwire = await openLangwire({ bots, runLimits: { botCloseTimeoutMs: 50 } });
  const run = newRun();
  const follower = await langwire.runs.send(caller, run);
  await upTo(follower, "token");
  expect(await langwire.runs.cancel(caller, run.runId)).toMatchObject({ status: "cancelled" });
  const next = await langwire.runs.send(caller, newRun({ conversationId: run.conversationId }));
  await next.return();
});

test("how the store says that a run has ended is how it has, whatever its process made of it", async () => {
  const gate = Promise.withResolvers<void>();
  await using langwire = await openLangwire({
    bots: [botWaiting(gate.promise)],
    runLimits: { reconcileMs: 3_600_000 },
  });
  const { runs } = langwire.store;
  const run = newRun();
  const follower = await langwire.runs.send(caller, run);
  await upTo(follower, "token");
  const error = { code: "OWNER_LOST", message: "Gone.", retryable: true } as const;
  const ended = { status: "failed", text: "half", error } as const;
  const endSeq = (langwire.runs.live.get(run.runId)?.lastSeq ?? 0) + 100;
  const endedAt = new Date().toISOString();
  await runs.finish({ runId: run.runId, ...ended, providerCalls: 1, endSeq, endedAt });
  gate.resolve();
  expect((await all(follower)).at(-1)?.event).toMatchObject(ended);
});

test("a run that is over leaves no timer", async () => {
  await using langwire = await openLangwire({ bots: [botSaying({ tokens: ["a"] })] });
  await all(await langwire.runs.send(caller, newRun()));
  const timers = () =>
    process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
  const before = timers();
  for (let times = 0; times < 20; times++) await all(await langwire.runs.send(caller, newRun()));
  expect(timers() - before).toBeLessThan(10);
});
