/**
 * At boot: ends the runs that an earlier process left behind. Whoever follows them gets the events so
 * far and then the end.
 */
import type { EventLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { ChatEvent } from "../../protocol/events.ts";
import type { Run, Store } from "../../store/store.ts";
import { appendEnd, endUnattended } from "./unattended.ts";

export async function recoverRuns(options: { store: Store; log: EventLog }): Promise<void> {
  const { store, log } = options;
  for (const run of await store.runs.unfinished()) {
    const error = new LangwireError("SERVER_RESTARTED");
    await endHere(run, { store, log, error, mayLackEvents: log.mayLackEvents });
  }
  // The store hears of an end first: a crash in between leaves the log without its runEnd.
  for (const { conversationId, runId, lastSeq } of await log.leftBehind()) {
    const [run] = await store.runs.endedBetween(conversationId, lastSeq, 1);
    if (run?.runId !== runId || run.endSeq === undefined) continue;
    await appendEnd(await log.open({ conversationId, runId, after: run.endSeq - 1 }), run);
  }
}

interface EndHereOptions {
  readonly store: Store;
  readonly log: EventLog;
  /** Why it has failed. */
  readonly error: LangwireError;
  readonly mayLackEvents?: boolean | undefined;
}

/** Ends a run of this process's own on which it does not work. */
export async function endHere(
  run: Run,
  { store, log, error, mayLackEvents }: EndHereOptions,
): Promise<void> {
  const { runId, conversationId } = run;
  await endUnattended(run, {
    store,
    error,
    mayLackEvents,
    read: (after) => log.read(conversationId, after),
    open: async (after) => {
      const writer = await log.open({ conversationId, runId, after });
      // Killed after the claim and before its first event, or while the disk took no events.
      if (writer.lastSeq < run.firstSeq) writer.append(runStartOf(run));
      return writer;
    },
  });
}

function runStartOf(run: Run): ChatEvent {
  const { runId, conversationId, botId, userId, message, startedAt: at } = run;
  return { type: "runStart", runId, at, conversationId, botId, userId, message };
}
