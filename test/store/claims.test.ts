/** A claim that others get in the way of between its steps, which no two calls of a test can be made to meet in. */
import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { Engine } from "../../src/store/engine.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { newRun } from "./store-place.ts";

async function setUp() {
  const store = await openSqliteStore({ path: ":memory:" });
  onTestFinished(() => store[Symbol.asyncDispose]());
  onTestFinished(() => void vi.restoreAllMocks());
  return { store, input: newRun() };
}

test("a run that another process begins meanwhile is there, and not in its own way", async () => {
  const { store, input } = await setUp();
  // Refused for a reason that is gone, and then not seen, since it is begun only now.
  vi.spyOn(Engine.prototype, "transaction").mockImplementationOnce(async () => undefined);
  vi.spyOn(Engine.prototype, "run").mockImplementationOnce(async () => {
    expect(await store.runs.claim(input)).toMatchObject({ outcome: "claimed" });
    return undefined as never;
  });
  expect(await store.runs.claim(input)).toMatchObject({
    ...{ outcome: "exists", run: { runId: input.runId } },
  });
});

test("one that is neither begun nor refused, again and again, is a failure of ours", async () => {
  const { store, input } = await setUp();
  let attempts = 0;
  vi.spyOn(Engine.prototype, "transaction").mockImplementation(async () => {
    await turn();
    if (++attempts > 100) throw new Error("for ever");
    return undefined;
  });
  await expect(store.runs.claim(input)).rejects.toThrow("neither begun nor refused");
  expect(attempts).toBeLessThan(20);
});
