/**
 * Runs in progress that the database has lost: it had answered their claim, and then failed over to a
 * standby that did not have it yet. They are put back, so that they end as they would have; where their
 * place is taken by then, they fail, and the server's log says so.
 */
import { LangwireError } from "../../protocol/errors.ts";
import type { Restored, Run, Store } from "../../store/store.ts";
import type { RunObserver } from "../observer.ts";

export async function restoreLost(
  run: Run,
  { store, observer }: { readonly store: Pick<Store, "runs">; readonly observer: RunObserver },
): Promise<Restored> {
  const { runId } = run;
  const restored = await store.runs.restore(run);
  if (restored === "restored") {
    observer.failed?.("the database had lost a run in progress; it was put back", { runId });
  }
  if (restored === "superseded") {
    const what = "the database has lost a run in progress, and its place is taken; it fails";
    observer.failed?.(what, { runId });
  }
  return restored;
}

/** How a run ends whose place in the store is taken. */
export function lostFailure(): LangwireError {
  return new LangwireError("STORE_UNAVAILABLE");
}
