/**
 * Makes one of what the store says is in progress here and what is. The store's answer to a claim, an
 * ending or a deletion may be lost after it was carried out: then there is a run that nobody works on,
 * or one that works on for nobody.
 */
import type { EventLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import type { ShieldedObserver } from "../observer.ts";
import type { KeyedMutex } from "./keyed-mutex.ts";
import type { LiveRun } from "./live-run.ts";
import { endHere } from "./recovery.ts";

export interface ReconcileOptions {
  readonly store: Store;
  readonly log: EventLog;
  /** This process, where there are several; else every run in progress is its own. */
  readonly nodeId: string | undefined;
  readonly live: ReadonlyMap<string, LiveRun>;
  /** Runs that are being begun, or ended by this. */
  readonly starting: KeyedMutex;
  /** Whether nobody here works on a run that the store has in progress as this process's. */
  readonly isUnattended: (run: Run) => boolean;
  readonly observer: ShieldedObserver;
}

/** @throws what the log or the store threw for one of the runs, when each was tried */
export async function reconcile(options: ReconcileOptions): Promise<void> {
  const { store, nodeId, live, starting } = options;
  // Those that begin while the store is asked are not judged by its answer.
  const here = [...live.values()];
  const inStore = new Set(await store.runs.inProgress(nodeId));
  const idle = [...inStore].filter((runId) => !live.has(runId) && !starting.has(runId));
  if (idle.length > 0) await endUnattended(idle, options);
  for (const run of here) if (!inStore.has(run.run.runId)) run.cancel();
}

/** Ends those of the runs on which nobody works. @throws as `reconcile` */
export async function endUnattended(
  runIds: readonly string[],
  { store, log, nodeId, starting, isUnattended, observer }: ReconcileOptions,
): Promise<void> {
  const runs = await (nodeId === undefined ? store.runs.unfinished() : store.runs.ownedBy(nodeId));
  const end = async (run: Run): Promise<void> => {
    if (!isUnattended(run)) return;
    observer.failed("nobody worked on a run; it was ended", { runId: run.runId });
    await endHere(run, { store, log, error: new LangwireError("STORE_UNAVAILABLE") });
  };
  const ended = await Promise.allSettled(
    runs
      .filter(({ runId }) => runIds.includes(runId))
      .map((run) => starting.run(run.runId, () => end(run))),
  );
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}
