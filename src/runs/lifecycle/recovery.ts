/**
 * At boot: ends the runs that an earlier process left behind. Nobody reruns them by himself; their
 * partial answer is kept, and whoever follows them gets the events so far and then the end.
 */
import type { EventLog, MaybePromise, RunWriter, Slice } from "../../log/log.ts";
import { AnswerFold } from "../../protocol/answer.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { ChatEvent, Usage } from "../../protocol/events.ts";
import { addUsage } from "../../protocol/usage.ts";
import type { Run, Store } from "../../store/store.ts";

export async function recoverRuns({ store, log }: { store: Store; log: EventLog }): Promise<void> {
  for (const run of await store.runs.unfinished()) await endLeftBehind(run, { store, log });
  // The store hears of an end first: a crash in between leaves the log without its runEnd.
  for (const { conversationId, runId, lastSeq } of await log.leftBehind()) {
    const [run] = await store.runs.endedBetween(conversationId, lastSeq, 1);
    if (run?.runId !== runId || run.endSeq === undefined) continue;
    await appendEnd(await log.open({ conversationId, runId, after: run.endSeq - 1 }), run);
  }
}

async function endLeftBehind(run: Run, { store, log }: { store: Store; log: EventLog }) {
  const { runId, conversationId, firstSeq } = run;
  const partial = await foldRun(run, (after) => log.read(conversationId, after));
  const writer = await log.open({ conversationId, runId, after: firstSeq - 1 });
  // Killed after the claim and before its first event, or while the disk took no events.
  if (writer.lastSeq < firstSeq) writer.append(runStartOf(run));
  const finished = await store.runs.finish({
    runId,
    status: "failed",
    text: partial.text,
    usage: partial.usage,
    error: new LangwireError("SERVER_RESTARTED").toFailure(),
    endSeq: writer.lastSeq + 1,
    endedAt: new Date().toISOString(),
  });
  if (finished.run === undefined) writer.close();
  else await appendEnd(writer, finished.run);
}

/** Appends the runEnd of a run that the store knows to be over, and puts the pen down. */
export async function appendEnd(writer: RunWriter, run: Run): Promise<void> {
  const { runId, status, text = "", usage, error, endedAt = new Date().toISOString() } = run;
  if (status !== "running") {
    writer.append({ type: "runEnd", runId, at: endedAt, status, text, usage, error });
  }
  await writer.flushed();
  writer.close();
}

function runStartOf(run: Run): ChatEvent {
  const { runId, conversationId, botId, userId, message, startedAt: at } = run;
  return { type: "runStart", runId, at, conversationId, botId, userId, message };
}

/** The answer so far, folded from what the log kept of the run. */
export async function foldRun(
  run: Run,
  read: (after: number) => MaybePromise<Slice>,
): Promise<{ text: string; usage: Usage | undefined }> {
  const answer = new AnswerFold();
  let usage: Usage | undefined;
  for (let after = run.firstSeq - 1; ; ) {
    const { entries } = await read(after);
    for (const entry of entries) {
      if (entry.runId !== run.runId) continue;
      const { event } = entry;
      answer.add(event);
      if (event.type === "llmEnd") usage = addUsage(usage, event.usage);
    }
    const last = entries.at(-1);
    if (last === undefined) return { text: answer.text, usage };
    after = last.seq;
  }
}
