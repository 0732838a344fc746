/** However a run's ending came into the store: its archive, where there is one, ends as the store says. */
import { expect, test, vi } from "vitest";
import { Catalogue } from "../../src/bots/catalogue.ts";
import { RunArchive } from "../../src/log/archive/run-archive.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Runs } from "../../src/runs/runs.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Ending, Finished } from "../../src/store/store.ts";
import { all, botSaying, caller, newRun } from "./run-bench.ts";

type Finish = (ending: Ending) => Promise<Finished>;

const refused = new TypeError("check constraint");
const endedElsewhere = {
  ...{ status: "failed" as const, text: "", error: new LangwireError("OWNER_LOST").toFailure() },
  ...{ providerCalls: 0, endedAt: "2026-01-01T00:00:00.000Z" },
};

/** What becomes of the writes of a run's ending, one after another; then they go through. */
const faults: Record<string, ((ending: Ending, finish: Finish) => Promise<Finished>)[]> = {
  "nothing goes wrong": [],
  "what it has besides is refused": [() => Promise.reject(refused)],
  "it is refused itself": [() => Promise.reject(refused), () => Promise.reject(refused)],
  "its answer is lost": [
    async (ending, finish) => {
      await finish(ending);
      throw new LangwireError("STORE_UNAVAILABLE");
    },
  ],
  "somebody else has ended it": [
    async (ending, finish) => {
      await finish({ ...endedElsewhere, runId: ending.runId, endSeq: ending.endSeq });
      return await finish(ending);
    },
  ],
};

test.each(Object.entries(faults))("%s", async (_name, steps) => {
  await using store = await openSqliteStore({ path: ":memory:" });
  await using log = new MemoryLog();
  const finish = store.runs.finish.bind(store.runs);
  const finishing = vi.spyOn(store.runs, "finish");
  for (const step of steps) finishing.mockImplementationOnce((ending) => step(ending, finish));
  const bots = new Catalogue([botSaying({ tokens: ["hello"] })]);
  await using runs = await Runs.start({ bots, store, log });
  const run = newRun();
  const told = (await all(await runs.send(caller, run))).at(-1);
  const stored = await store.runs.get(run.runId, caller.userId);
  const { status, text, error, endSeq } = stored ?? expect.fail("no run");
  expect(told).toMatchObject({ seq: endSeq, event: { type: "runEnd", status, text } });
  for (const { events } of await store.archives.get(run.runId)) {
    const [end] = await RunArchive.open(events).after((endSeq ?? 0) - 1);
    expect(end).toMatchObject({ seq: endSeq, event: { type: "runEnd", status, text } });
    expect(end?.event.type === "runEnd" && end.event.error).toEqual(error);
  }
});
