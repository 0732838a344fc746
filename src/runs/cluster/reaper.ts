/**
 * Ends the runs of processes that are gone (../lifecycle/unattended.ts). An owner who was only asleep
 * can append nothing more by then: its run was taken over.
 */
import type { ListedRun, SharedLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import type { Archiver } from "../archives/archiver.ts";
import { appendEnd, endUnattended, unlessOver } from "../lifecycle/unattended.ts";
import type { RunObserver } from "../observer.ts";
import type { NodeLease } from "./coordination.ts";

export interface ReaperOptions {
  readonly store: Store;
  readonly log: SharedLog;
  readonly lease: NodeLease;
  /** Whether the log may have lost events of this run that readers have seen. */
  readonly mayLackEvents: (run: Run) => boolean;
  readonly observer: RunObserver;
  readonly archiver: Archiver;
}

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
  const failures: unknown[] = [];
  for (const owner of lost) await endRunsOf(owner, options).catch((cause) => failures.push(cause));
  // Each was tried: what cannot be ended holds up nothing else, and is tried again next time.
  if (failures.length > 0) throw failures[0];
}

async function endRunsOf(owner: string | null, options: ReaperOptions): Promise<void> {
  const { store, log, lease } = options;
  const runs = await store.runs.ownedBy(owner);
  // Ending the runs of those before took time: the owner may have come back in it.
  if (owner !== null && (await isBack(owner, lease))) return;
  const failures: unknown[] = [];
  for (let from = 0; from < runs.length; from += runsAtOnce) {
    const some = runs.slice(from, from + runsAtOnce);
    const ended = some.map((run) => endLost(run, options).catch((cause) => failures.push(cause)));
    await Promise.all(ended);
  }
  if (failures.length > 0) throw failures[0];
  if (owner === null) return;
  // What is left are runs that ended in the store, of which the log may not have the runEnd. Not those
  // that the owner has begun since, where it has come back: the store has them in progress.
  for (const run of await log.openRunsOf(owner)) {
    const stored = await store.runs.begunBy(owner, run.runId);
    if (stored?.status !== "running") await endInLog(run, options);
  }
  if (await lease.clear(owner)) await log.forgetOpenRunsOf(owner);
}

/** Whether the process is there after all, or nobody can tell. */
async function isBack(owner: string, lease: NodeLease): Promise<boolean> {
  const census = await lease.census();
  return census === undefined || census.alive.has(owner);
}

async function endLost(run: Run, options: ReaperOptions): Promise<void> {
  const { store, log, observer, archiver } = options;
  const { runId, conversationId } = run;
  await endUnattended(run, {
    ...{ store, archiver, observer },
    error: new LangwireError("OWNER_LOST"),
    // Taken over: an owner who was only asleep cannot append any more.
    open: (after) => unlessOver(log.open({ conversationId, runId, takeOver: true, after })),
    read: (after) => log.readStored(conversationId, after),
    mayLackEvents: () => options.mayLackEvents(run),
  });
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
