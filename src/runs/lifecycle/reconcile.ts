/**
 * Compares the runs that the store has as in progress on this process with the live ones, and mends
 * both. The store's answer to a claim, an ending or a deletion may be lost after it was carried out:
 * then the store has a run that nobody works on, or a live run has no conversation any more. And the
 * database may lose what it has answered (lost-runs.ts).
 */
import type { EventLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import type { Archiver } from "../archives/archiver.ts";
import type { ShieldedObserver } from "../observer.ts";
import type { KeyedMutex } from "./keyed-mutex.ts";
import type { LiveRun } from "./live-run.ts";
import { lostFailure, restoreLost } from "./lost-runs.ts";
import { Sweep } from "./sweep.ts";
import { endUnattendedHere } from "./unattended.ts";

export interface ReconcileOptions {
  readonly store: Store;
  readonly log: EventLog;
  /** The owner of this process's runs. Undefined: there is one process, and it owns every run. */
  readonly nodeId: string | undefined;
  readonly live: ReadonlyMap<string, LiveRun>;
  /** Held by `runId` while a run is claimed, or ended by this. */
  readonly starting: KeyedMutex;
  /** Whether the run, which the store has as in progress on this process, is not live here. */
  readonly isUnattended: (run: Run) => boolean;
  readonly observer: ShieldedObserver;
  readonly archiver: Archiver;
}

export function reconcileEvery(everyMs: number, options: ReconcileOptions): Sweep {
  const what = "runs could not be compared with the store's";
  const { observer } = options;
  return new Sweep({ what, work: () => reconcile(options), everyMs, observer });
}

/** @throws what the log or the store threw for one of the runs, after each was tried */
export async function reconcile(options: ReconcileOptions): Promise<void> {
  const { store, nodeId, live, starting } = options;
  // Taken before the store is asked: its answer may not know of a run that starts meanwhile.
  const here = [...live.values()];
  const inStore = new Set(await store.runs.inProgress(nodeId));
  const idle = [...inStore].filter((runId) => !live.has(runId) && !starting.has(runId));
  if (idle.length > 0) await endIfUnattended(idle, options);
  for (const run of here) if (!inStore.has(run.run.runId)) await restoreOrEnd(run, options);
}

/** Before a run is claimed: one in progress there that the store has lost would not be in its way. */
export async function restoreIn(conversationId: string, options: ReconcileOptions): Promise<void> {
  for (const live of [...options.live.values()]) {
    if (live.run.conversationId === conversationId) await restoreLost(live, options);
  }
}

async function restoreOrEnd(run: LiveRun, options: ReconcileOptions): Promise<void> {
  switch (await restoreLost(run, options)) {
    case "restored":
      return;
    case "present": {
      // Since the list was read, a claim or an ending may have put it back.
      const inStore = await options.store.runs.inProgress(options.nodeId);
      if (!inStore.includes(run.run.runId)) run.cancel();
      return;
    }
    case "deleted":
      run.cancel();
      return;
    case "superseded":
      run.fail(lostFailure());
  }
}

/** Ends those of the runs that are unattended. @throws as `reconcile` */
export async function endIfUnattended(
  runIds: readonly string[],
  { store, log, nodeId, starting, isUnattended, observer, archiver }: ReconcileOptions,
): Promise<void> {
  const runs = await (nodeId === undefined ? store.runs.unfinished() : store.runs.ownedBy(nodeId));
  const end = async (run: Run): Promise<void> => {
    if (!isUnattended(run)) return;
    observer.failed("nobody worked on a run; it was ended", { runId: run.runId });
    const error = new LangwireError("STORE_UNAVAILABLE");
    await endUnattendedHere(run, { store, log, error, archiver, observer });
  };
  const ended = await Promise.allSettled(
    runs
      .filter(({ runId }) => runIds.includes(runId))
      .map((run) => starting.run(run.runId, () => end(run))),
  );
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}
