/**
 * Ends the runs of processes that are gone. Nobody reruns them by himself; the partial answer is
 * kept. The order makes it safe against an owner who was only asleep:
 *
 *   1. take the pen: from here on the owner cannot append any more
 *   2. fold what it wrote into the partial answer
 *   3. end the run in the store: whoever comes first there, the owner or we, decides how it ended
 *   4. append the runEnd that the store has
 */
import type { RunWriter } from "../../log/log.ts";
import type { RedisLog } from "../../log/redis/redis-log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import { appendEnd, foldRun } from "../lifecycle/recovery.ts";
import type { RunObserver } from "../observer.ts";
import type { Lease } from "./lease.ts";

export interface ReaperOptions {
  readonly store: Store;
  readonly log: RedisLog;
  readonly lease: Lease;
  readonly observer: RunObserver;
}

/** More events than any run has: a number this far ahead was never shown to a reader. */
const neverReached = 1_000_000_000;
const runsAtOnce = 16;

export async function reap(options: ReaperOptions): Promise<void> {
  const { store, lease } = options;
  // The runs first: who begins one while we look, has a place by the time of the census.
  const owners = await store.runs.owners();
  const census = await lease.census();
  if (census === undefined) return;
  const { alive, gone } = census;
  const lost = new Set<string | null>(gone);
  for (const owner of owners) if (owner === null || !alive.has(owner)) lost.add(owner);
  for (const owner of lost) await endRunsOf(owner, options);
}

async function endRunsOf(owner: string | null, options: ReaperOptions): Promise<void> {
  const { store, log, lease } = options;
  const runs = await store.runs.ownedBy(owner);
  for (let from = 0; from < runs.length; from += runsAtOnce) {
    const some = runs.slice(from, from + runsAtOnce);
    await Promise.all(some.map((run) => endLost(run, options)));
  }
  if (owner === null) return;
  // Ended in the store, and gone before the log had the runEnd.
  for (const run of await log.openRuns.of(owner)) await endInLog(run, options);
  await log.openRuns.forget(owner);
  await lease.clear(owner);
}

async function endLost(run: Run, { store, log, observer }: ReaperOptions): Promise<void> {
  const { runId, conversationId, firstSeq } = run;
  const pen = { conversationId, runId, takeOver: true };
  const writer = await orPutDown(log.open({ ...pen, after: firstSeq - 1 }));
  const { text, usage } = await foldRun(run, (after) => log.readStored(conversationId, after));
  // Without anything in the log, Redis may have lost what readers had already seen.
  const known = writer !== undefined && writer.lastSeq >= firstSeq;
  const { run: ended } = await store.runs.finish({
    runId,
    status: "failed",
    text,
    usage,
    error: new LangwireError("OWNER_LOST").toFailure(),
    endSeq: known ? writer.lastSeq + 1 : firstSeq + neverReached,
    endedAt: new Date().toISOString(),
  });
  if (ended?.endSeq === undefined) {
    writer?.close();
    return;
  }
  const inPlace = writer?.lastSeq === ended.endSeq - 1 ? writer : undefined;
  if (inPlace === undefined) writer?.abandon();
  const last = inPlace ?? (await orPutDown(log.open({ ...pen, after: ended.endSeq - 1 })));
  if (last !== undefined) await appendEnd(last, ended);
  observer.failed?.("a run's owner is gone; the run was ended", { runId, owner: run.owner });
}

async function endInLog(
  { runId, conversationId }: { runId: string; conversationId: string },
  { store, log }: ReaperOptions,
): Promise<void> {
  const pen = { conversationId, runId, takeOver: true };
  const writer = await orPutDown(log.open({ ...pen, after: 0 }));
  if (writer === undefined) return;
  const [run] = await store.runs.endedBetween(conversationId, writer.lastSeq, 1);
  if (run?.runId !== runId || run.endSeq === undefined) {
    writer.close();
    return;
  }
  if (writer.lastSeq === run.endSeq - 1) return appendEnd(writer, run);
  writer.abandon();
  const last = await orPutDown(log.open({ ...pen, after: run.endSeq - 1 }));
  if (last !== undefined) await appendEnd(last, run);
}

/** Undefined when the run has its end in the log, or a later run has begun. */
async function orPutDown<Writer extends RunWriter>(
  opening: Promise<Writer>,
): Promise<Writer | undefined> {
  try {
    return await opening;
  } catch (cause) {
    if (cause instanceof LangwireError && cause.code === "OWNER_LOST") return undefined;
    throw cause;
  }
}
