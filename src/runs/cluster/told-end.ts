/**
 * The ending of another process's run that its readers have received, and the store has not: that process
 * cannot reach the store, and its conversation would stay busy until its lease has run out. What is in the
 * log is what the store gets, whoever writes it.
 */
import type { ListedRun, SharedLog } from "../../log/log.ts";
import type { Store } from "../../store/store.ts";
import { loggedEnd } from "../lifecycle/unattended.ts";

export interface ToldEndOptions {
  readonly store: Pick<Store, "runs">;
  readonly log: Pick<SharedLog, "readNewest">;
}

/**
 * @returns whether the run has ended
 * @throws LangwireError STORE_UNAVAILABLE
 */
export async function storeToldEnd(
  { conversationId, runId }: ListedRun,
  { store, log }: ToldEndOptions,
): Promise<boolean> {
  // Without Redis, what the store says stands.
  const newest = await log.readNewest(conversationId).catch(() => undefined);
  const end = newest?.runId === runId ? loggedEnd(newest) : undefined;
  if (end === undefined) return false;
  await store.runs.finish({ runId, ...end });
  return true;
}
