/** What the store still knows of runs whose events have left the log: their start and their end. */
import { LogEntry } from "../../log/entry.ts";
import type { Run, Store } from "../../store/store.ts";

const runsAtOnce = 20;

/**
 * Stands in for a conversation's events after a place. A run that began after it is told by its
 * `runStart` and `runEnd`, one that was under way by its `runEnd`, which carries the whole answer.
 */
export async function backfillEntries(
  store: Store,
  conversationId: string,
  after: number,
): Promise<LogEntry[]> {
  const runs = await store.runs.endedBetween(conversationId, after, runsAtOnce);
  return runs.flatMap((run) => storedEntries(run, after));
}

/** A run's end as the store has it, at a place where a reader who has `after` will take it. */
export function endAfter(run: Run, after: number): LogEntry[] {
  const { runId, status, text = "", usage, error, endSeq, endedAt: at } = run;
  if (status === "running" || endSeq === undefined || at === undefined) return [];
  const seq = Math.max(endSeq, after + 1);
  return [LogEntry.of(seq, { type: "runEnd", runId, at, status, text, usage, error })];
}

function storedEntries(run: Run, after: number): LogEntry[] {
  const [end] = endAfter(run, after);
  if (end === undefined) return [];
  const { runId, conversationId, botId, userId, message } = run;
  if (run.firstSeq <= after) return [end];
  const at = run.startedAt;
  const start = { type: "runStart" as const, runId, at, conversationId, botId, userId, message };
  return [LogEntry.of(run.firstSeq, start), end];
}
