/** One run's bounds, where a single step of the bot goes past them. */
import { expect, test } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { all, botDoing, botSaying, caller, newRun } from "./run-bench.ts";

const runLimits = { maxRunBytes: 10_000 };

test("one token larger than the bound does not get into the log", async () => {
  const bot = botSaying({ tokens: ["small", "x".repeat(1_000_000)] });
  await using langwire = await openLangwire({ bots: [bot], runLimits });
  const entries = await all(await langwire.runs.send(caller, newRun()));
  expect(entries.at(-1)?.event).toMatchObject({
    status: "failed",
    text: "small",
    error: { code: "RUN_TOO_LARGE" },
  });
  expect(entries.reduce((sum, { json }) => sum + json.length, 0)).toBeLessThan(20_000);
});

test("an answer larger than the bound that was returned at once does not either", async () => {
  const bot = botDoing(() => "x".repeat(1_000_000));
  await using langwire = await openLangwire({ bots: [bot], runLimits });
  const entries = await all(await langwire.runs.send(caller, newRun()));
  expect(entries.at(-1)?.event).toMatchObject({
    status: "failed",
    error: { code: "RUN_TOO_LARGE" },
  });
  expect(entries.reduce((sum, { json }) => sum + json.length, 0)).toBeLessThan(20_000);
});

test("bytes are counted, not characters", async () => {
  const bot = botSaying({
    tokens: ["炭酸水".repeat(500), "炭酸水".repeat(500), "炭酸水".repeat(500)],
  });
  await using langwire = await openLangwire({ bots: [bot], runLimits });
  const entries = await all(await langwire.runs.send(caller, newRun()));
  expect(entries.at(-1)?.event).toMatchObject({ error: { code: "RUN_TOO_LARGE" } });
});

test("the log as a whole is bounded: the runs that ended first leave first", async () => {
  const bot = botSaying({ tokens: ["x".repeat(1_000)] });
  const logBounds = { maxBytes: 20_000 };
  await using langwire = await openLangwire({ bots: [bot], logBounds });
  const runs = Array.from({ length: 30 }, () => newRun());
  for (const run of runs) await all(await langwire.runs.send(caller, run));
  const kept: boolean[] = [];
  let length = 0;
  for (const { conversationId } of runs) {
    const { entries } = await langwire.log.read(conversationId, 0);
    kept.push(entries.length > 0);
    length += entries.reduce((sum, { json }) => sum + json.length, 0);
  }
  expect(length).toBeLessThan(logBounds.maxBytes);
  expect(kept).toEqual([...kept].sort());
  expect(kept.at(0)).toBe(false);
  expect(kept.at(-1)).toBe(true);
  // Who comes for one that has left is told all of it, as it is archived.
  const [first] = runs;
  if (first === undefined) throw new Error("no run");
  const late = await all(await langwire.runs.send(caller, first));
  expect(late.map(({ type }) => type)).toEqual([
    ...["runStart", "llmStart", "token", "llmEnd", "runEnd"],
  ]);
  expect(late.at(-1)?.event).toMatchObject({ status: "completed", text: "x".repeat(1_000) });
});
