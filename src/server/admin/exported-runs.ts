/** A run in an export: a line for what is stored of it, then a line for each of its events. */
import { DamagedArchiveError, RunArchive } from "../../log/archive/run-archive.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { EventLog } from "../../log/log.ts";
import type { ChatEvent } from "../../protocol/events.ts";
import type { Part } from "../../protocol/parts.ts";
import type { Run, Store } from "../../store/store.ts";

/**
 * A run without what the conversation's line says, and what only the server makes use of. `parts` are its
 * answer's, once it has ended.
 */
export type ExportedRun = Omit<
  Run,
  "conversationId" | "botId" | "firstSeq" | "endSeq" | "owner"
> & { readonly parts?: readonly Part[] | undefined };

/** Of the run in the line before. */
export type EventLine =
  | { readonly type: "event"; readonly seq: number; readonly event: ChatEvent }
  /** In place of its events, or of the rest of them. */
  | { readonly type: "unreadableEvents"; readonly runId: string; readonly reason: string };

export interface ExportSource {
  readonly store: Pick<Store, "administration" | "archives">;
  readonly log: Pick<EventLog, "read">;
}

export async function* exportedRun<Head extends object>(
  run: Run,
  head: Head,
  source: ExportSource,
): AsyncGenerator<(Head & ExportedRun) | EventLine, void> {
  const {
    conversationId: _,
    botId: _bot,
    firstSeq: _first,
    endSeq: _end,
    owner: _node,
    ...facts
  } = run;
  const parts = await source.store.administration.parts(run.runId);
  yield { ...head, ...facts, ...(parts !== undefined && { parts }) };
  try {
    for await (const { seq, event } of entriesOf(run, source)) yield { type: "event", seq, event };
  } catch (cause) {
    if (!(cause instanceof DamagedArchiveError)) throw cause;
    yield { type: "unreadableEvents", runId: run.runId, reason: cause.message };
  }
}

/** From its archive; where it has none, as far as the log has them. */
async function* entriesOf(run: Run, { store, log }: ExportSource): AsyncGenerator<LogEntry, void> {
  const { runId, conversationId, firstSeq, endSeq = Number.POSITIVE_INFINITY } = run;
  const segments = await store.archives.get(runId);
  for (const { events } of segments) {
    const archive = RunArchive.open(events);
    yield* slices(0, (after) => archive.after(after));
  }
  if (segments.length > 0) return;
  const logged = slices(firstSeq - 1, async (after) => {
    const { entries } = await log.read(conversationId, after);
    return entries;
  });
  for await (const entry of logged) {
    if (entry.seq > endSeq) return;
    if (entry.runId === runId) yield entry;
  }
}

async function* slices(
  from: number,
  read: (after: number) => Promise<readonly LogEntry[]>,
): AsyncGenerator<LogEntry, void> {
  for (let after = from; ; ) {
    const entries = await read(after);
    yield* entries;
    const last = entries.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}
