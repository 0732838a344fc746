/** What the store refuses of an ending does not keep the run from ending. */
import { expect, test, vi } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { finishRun } from "../../src/runs/finish-run.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Ending } from "../../src/store/store.ts";
import { begin, endingOf } from "../store/store-place.ts";

const archived: Partial<Ending> = { archive: { events: new Uint8Array([1]), rawBytes: 1 } };
const besides: Partial<Ending>[] = [
  { parts: [{ type: "text", text: "A", final: false }] },
  { modelMessages: "[]" },
  archived,
];

/** A store that refuses what it is told to. */
async function storeRefusing(isRefused: (ending: Ending) => boolean, refusal: Error) {
  const store = await openSqliteStore({ path: ":memory:" });
  const finish = store.runs.finish.bind(store.runs);
  const tries = vi.spyOn(store.runs, "finish").mockImplementation(async (ending) => {
    if (isRefused(ending)) throw refusal;
    return await finish(ending);
  });
  return { store, tries, observer: { failed: vi.fn() } };
}

test.each(besides)("an ending is stored without what is refused: %o", async (more) => {
  const refusal = new Error("value too large");
  const isRefused = (ending: Ending) => Object.keys(more).some((key) => key in ending);
  const { store, observer } = await storeRefusing(isRefused, refusal);
  await using _ = store;
  const run = await begin(store);
  const ended = await finishRun(endingOf(run, more), { store, observer });
  expect(ended).toMatchObject({ finished: true, archived: false });
  expect(await store.runs.get(run.runId, "alice")).toMatchObject({ status: "completed" });
  expect(observer.failed.mock.calls).toEqual([[expect.any(String), refusal]]);
});

test("one that is refused itself is not tried again, nor is one where the store is away", async () => {
  for (const [failure, more] of [
    [new Error("value too large"), {}],
    [new LangwireError("STORE_UNAVAILABLE"), archived],
  ] as const) {
    const { store, tries, observer } = await storeRefusing(() => true, failure);
    await using _ = store;
    const run = await begin(store);
    await expect(finishRun(endingOf(run, more), { store, observer })).rejects.toBe(failure);
    expect(tries).toHaveBeenCalledOnce();
    expect(observer.failed).not.toHaveBeenCalled();
  }
});

test("whether the store has the events is told of the ending that counts", async () => {
  const { store, observer } = await storeRefusing(() => false, new Error());
  await using _ = store;
  const run = await begin(store);
  const finish = (more: Partial<Ending>) => finishRun(endingOf(run, more), { store, observer });
  expect(await finish(archived)).toMatchObject({ finished: true, archived: true });
  expect(await finish({ ...archived, endSeq: 99 })).toMatchObject({
    ...{ finished: false, archived: false },
  });
});
