/** The ending of another process's run: stored where its readers were told it, and only then. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { Archiver } from "../../src/runs/archives/archiver.ts";
import { storeToldEnd } from "../../src/runs/cluster/told-end.ts";
import { runEndOf, runStartOf } from "../../src/runs/run-events.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { caller, newRun } from "./run-bench.ts";

const at = "2026-01-01T00:00:00.000Z";
const archiver = new Archiver({ keepEventsMs: 0, observer: {} });
const away = new Error("no connection");

test.each([
  // What the log has last, what fails, what the store has then, and what is answered.
  { last: "nothing", fails: "nothing", comesTo: false, status: "running" },
  { last: "its start", fails: "nothing", comesTo: false, status: "running" },
  { last: "its end", fails: "nothing", comesTo: true, status: "completed" },
  { last: "another's end", fails: "nothing", comesTo: false, status: "running" },
  { last: "its end", fails: "the newest", comesTo: false, status: "running" },
  { last: "its end", fails: "the rest", comesTo: "STORE_UNAVAILABLE", status: "running" },
])("the log has $last, and $fails fails", async ({ last, fails, comesTo, status }) => {
  await using store = await openSqliteStore({ path: ":memory:" });
  await using log = new MemoryLog();
  const { ifBusy: _, ...input } = newRun();
  const { runId, conversationId } = input;
  const claimed = await store.runs.claim({ ...input, userId: caller.userId });
  if (claimed.outcome !== "claimed") expect.fail(claimed.outcome);
  const writer = await log.open({ conversationId, runId, after: 0 });
  const end = { at, status: "completed" as const, text: "said" };
  const ended = { ...claimed.run, runId: last === "its end" ? runId : randomUUID() };
  if (last !== "nothing") writer.append(runStartOf(claimed.run));
  if (last.endsWith("end")) writer.append(runEndOf(ended, end));
  await writer.flushed();
  const read = async (after: number) => await log.read(conversationId, after);
  const told = storeToldEnd(claimed.run, {
    ...{ store, archiver, observer: {} },
    log: {
      readNewest: async () => {
        if (fails === "the newest") throw away;
        return (await read(0)).entries.at(-1);
      },
      readStored: async (_conversationId, after) => {
        if (fails === "the rest") throw away;
        return await read(after);
      },
    },
  });
  expect(await told.catch(({ code }) => code)).toBe(comesTo);
  expect(await store.runs.get(runId, caller.userId)).toMatchObject({ status });
  if (comesTo !== true) return;
  // One that is over by then has ended, too.
  const readNewest = async () => (await read(0)).entries.at(-1);
  const readStored = async () => expect.fail("it is read again");
  const log2 = { readNewest, readStored };
  expect(await storeToldEnd(claimed.run, { store, archiver, observer: {}, log: log2 })).toBe(true);
});
