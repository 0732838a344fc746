/**
 * Runs in progress that the database has lost: it had answered their claim, and then failed over to a
 * standby that did not have it yet. They are put back, so that they end as they would have; where their
 * place is taken by then, they fail, and the server's log says so.
 */

import type { Conversation } from "../../protocol/conversations.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Restored, Run, Store } from "../../store/store.ts";
import type { RunObserver } from "../observer.ts";

/** A run as it was claimed here: what is needed to put it back. */
export interface BegunRun {
  readonly run: Run;
  /** Its conversation, as its user had it then. Undefined: that was deleted since the claim. */
  readonly conversation: Conversation | undefined;
}

export async function restoreLost(
  { run, conversation }: BegunRun,
  { store, observer }: { readonly store: Pick<Store, "runs">; readonly observer: RunObserver },
): Promise<Restored> {
  const { runId } = run;
  const restored = await store.runs.restore(run, conversation);
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
