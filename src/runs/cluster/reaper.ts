/**
 * Ends the runs of processes that are gone. They are not run again; the partial answer is kept. The
 * order makes it safe against an owner that was only asleep:
 *
 *   1. take the run's write lease over: from here on the owner cannot append any more
 *   2. fold what it wrote into the partial answer
 *   3. end the run in the store: whoever comes first there, the owner or we, decides how it ended
 *   4. append the runEnd that the store has
 */
import type { ListedRun, SharedLog, SharedRunWriter } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import { appendEnd, foldRun } from "../lifecycle/recovery.ts";
import type { RunObserver } from "../observer.ts";
import type { NodeLease } from "./coordination.ts";

export interface ReaperOptions {
  readonly store: Store;
  readonly log: SharedLog;
  readonly lease: NodeLease;
  readonly observer: RunObserver;
}

/** More events than any run has: a number this far ahead was never shown to a reader. */
const neverReached = 1_000_000_000;
const runsAtOnce = 16;

export async function reap(options: ReaperOptions): Promise<void> {
  const { store, lease } = options;
  // The runs first: a process that begins one meanwhile has its lease by the time of the census. The
  // other way round, it would be an owner without a lease, and be taken for gone.
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
  // What is left are runs that ended in the store, of which the log may not have the runEnd.
  for (const run of await log.openRunsOf(owner)) await endInLog(run, options);
  await log.forgetOpenRunsOf(owner);
  await lease.clear(owner);
}

async function endLost(run: Run, { store, log, observer }: ReaperOptions): Promise<void> {
  const { runId, conversationId, firstSeq } = run;
  const takeOver = { conversationId, runId, takeOver: true };
  const writer = await unlessOver(log.open({ ...takeOver, after: firstSeq - 1 }));
  const { text, usage } = await foldRun(run, (after) => log.readStored(conversationId, after));
  // With nothing in the log, it may have lost what readers had already seen.
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
  const last = inPlace ?? (await unlessOver(log.open({ ...takeOver, after: ended.endSeq - 1 })));
  if (last !== undefined) await appendEnd(last, ended);
  observer.failed?.("a run's owner is gone; the run was ended", { runId, owner: run.owner });
}

async function endInLog(
  { runId, conversationId }: ListedRun,
  { store, log }: ReaperOptions,
): Promise<void> {
  const takeOver = { conversationId, runId, takeOver: true };
  const writer = await unlessOver(log.open({ ...takeOver, after: 0 }));
  if (writer === undefined) return;
  const [run] = await store.runs.endedBetween(conversationId, writer.lastSeq, 1);
  if (run?.runId !== runId || run.endSeq === undefined) {
    writer.close();
    return;
  }
  if (writer.lastSeq === run.endSeq - 1) return appendEnd(writer, run);
  writer.abandon();
  const last = await unlessOver(log.open({ ...takeOver, after: run.endSeq - 1 }));
  if (last !== undefined) await appendEnd(last, run);
}

/** Undefined when the run has its end in the log, or a later run has begun. */
async function unlessOver(opening: Promise<SharedRunWriter>): Promise<SharedRunWriter | undefined> {
  try {
    return await opening;
  } catch (cause) {
    if (cause instanceof LangwireError && cause.code === "OWNER_LOST") return undefined;
    throw cause;
  }
}
