/**
 * The ending of another process's run that its readers have received, and the store has not: that process
 * cannot reach the store, and its conversation would stay busy until its lease has run out. What is in the
 * log is what the store gets, whoever writes it.
 */
import type { ListedRun, SharedLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Store } from "../../store/store.ts";
import type { Archiver } from "../archives/archiver.ts";
import { finishAsLogged } from "../lifecycle/unattended.ts";
import type { RunObserver } from "../observer.ts";

export interface ToldEndOptions {
  readonly store: Pick<Store, "runs">;
  readonly log: Pick<SharedLog, "readNewest" | "readStored">;
  readonly archiver: Archiver;
  readonly observer: Pick<RunObserver, "failed">;
}

/**
 * @returns whether the run has ended
 * @throws LangwireError STORE_UNAVAILABLE
 */
export async function storeToldEnd(
  { conversationId, runId }: ListedRun,
  { store, log, archiver, observer }: ToldEndOptions,
): Promise<boolean> {
  // Without Redis, what the store says stands.
  const newest = await log.readNewest(conversationId).catch(() => undefined);
  if (newest?.runId !== runId || newest.type !== "runEnd") return false;
  const run = await store.runs.running(conversationId);
  if (run?.runId !== runId) return true;
  const read = (after: number) =>
    log.readStored(conversationId, after).catch((cause: unknown) => {
      throw new LangwireError("STORE_UNAVAILABLE", { cause });
    });
  return await finishAsLogged(run, { store, read, archiver, observer });
}
