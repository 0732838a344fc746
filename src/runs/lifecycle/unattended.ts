/**
 * Ends an unattended run: one that is in progress in the store, and that no process works on. Its
 * process is gone, or never got the answer to its claim. Three find such runs: recovery.ts at boot,
 * reconcile.ts later on, ../cluster/reaper.ts among several processes. (What ends a run that is worked
 * on is listed in live-run.ts.) It is not run again; the partial answer is kept. In this order:
 *
 *   1. open the log's writer; with it, nobody else can append to the run any more
 *   2. if the log has the run's `runEnd`, that is how it ended: readers have received it
 *   3. otherwise it has failed, with the answer as far as the log has it
 *   4. end it in the store: the first ending there is the one that counts
 *   5. append the `runEnd` that the store has, unless the log has one
 */
import type { LogEntry } from "../../log/entry.ts";
import type { EventLog, MaybePromise, RunWriter, SharedLog, Slice } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Usage } from "../../protocol/events.ts";
import { MessageFold } from "../../protocol/fold/message-fold.ts";
import type { Part } from "../../protocol/parts.ts";
import { addUsage } from "../../protocol/usage.ts";
import { storable } from "../../store/queries/text.ts";
import type { Run, Store } from "../../store/store.ts";
import type { Archiver, BegunArchive } from "../archives/archiver.ts";
import { finishRun } from "../finish-run.ts";
import type { RunObserver } from "../observer.ts";
import { type EndFacts, runEndOf, runStartOf } from "../run-events.ts";

export interface UnattendedRunOptions {
  readonly store: Pick<Store, "runs">;
  /** Opens the run's writer. Undefined: the log has the run's end, or a later run has begun. */
  readonly open: (after: number) => MaybePromise<RunWriter | undefined>;
  readonly read: (after: number) => MaybePromise<Slice>;
  /** Why it has failed, where the log does not know how it ended. */
  readonly error: LangwireError;
  readonly archiver: Archiver;
  readonly observer: Pick<RunObserver, "failed">;
  /**
   * Whether the log may have lost events that readers have seen; asked when it has been read. Default:
   * only if it has none of the run.
   */
  readonly mayLackEvents?: (() => boolean) | undefined;
}

/** More events than any run has: no reader has received an event whose number is this far ahead. */
const neverReached = 1_000_000_000;

export async function endUnattended(run: Run, options: UnattendedRunOptions): Promise<void> {
  const { open, read, archiver } = options;
  const { runId, firstSeq } = run;
  const writer = await open(firstSeq - 1);
  const begun = archiver.begin(run);
  const found = await foldRun(run, read, begun);
  const logged = writer === undefined ? 0 : writer.lastSeq;
  const lacksEvents = logged < firstSeq || options.mayLackEvents?.() === true;
  const end = found.end ?? {
    status: "failed" as const,
    text: found.text,
    usage: found.usage,
    error: options.error.toFailure(),
    endSeq: lacksEvents ? Math.max(logged, firstSeq) + neverReached : logged + 1,
    endedAt: new Date().toISOString(),
  };
  const archive = await begun?.end(found.end === undefined ? end : undefined);
  const ending = { runId, ...end, parts: found.parts, archive };
  const { run: ended, archived } = await finishRun(ending, options);
  if (ended?.endSeq === undefined || found.end !== undefined) return writer?.close({ archived });
  const after = ended.endSeq - 1;
  if (writer?.lastSeq === after) return await appendEnd(writer, ended, archived);
  // Somebody else ended it at another number: the runEnd has to be appended at that one.
  writer?.abandon();
  const last = await open(after);
  if (last?.lastSeq === after) await appendEnd(last, ended);
  else last?.abandon();
}

/**
 * Ends a run in the store as the log says that it has ended.
 * @returns whether the log says so
 */
export async function finishAsLogged(
  run: Run,
  options: Omit<UnattendedRunOptions, "open" | "error">,
): Promise<boolean> {
  const begun = options.archiver.begin(run);
  const { end, parts } = await foldRun(run, options.read, begun);
  if (end === undefined) return false;
  await finishRun({ runId: run.runId, ...end, parts, archive: await begun?.end() }, options);
  return true;
}

export interface UnattendedHereOptions {
  readonly store: Store;
  readonly log: EventLog & Partial<Pick<SharedLog, "readStored">>;
  /** Why it has failed. */
  readonly error: LangwireError;
  readonly archiver: Archiver;
  readonly observer: Pick<RunObserver, "failed">;
  readonly mayLackEvents?: boolean | undefined;
}

/**
 * `endUnattended` for a run of this process's own, at boot or later. Another process may have taken it
 * over while this one was away, and not have ended it: then it never will, and the run is taken back.
 */
export async function endUnattendedHere(
  run: Run,
  { store, log, error, archiver, observer, mayLackEvents }: UnattendedHereOptions,
): Promise<void> {
  const { runId, conversationId } = run;
  await endUnattended(run, {
    store,
    ...{ error, archiver, observer },
    mayLackEvents: () => mayLackEvents === true,
    read: (after) => log.readStored?.(conversationId, after) ?? log.read(conversationId, after),
    open: async (after) => {
      const writer = await unlessOver(log.open({ conversationId, runId, after, takeOver: true }));
      // Killed after the claim and before its first event, or while the disk took no events.
      if (writer !== undefined && writer.lastSeq < run.firstSeq) writer.append(runStartOf(run));
      return writer;
    },
  });
}

/** Undefined when the run has its end in the log, or a later run has begun. */
export async function unlessOver<Writer extends RunWriter>(
  opening: MaybePromise<Writer>,
): Promise<Writer | undefined> {
  try {
    return await opening;
  } catch (cause) {
    if (cause instanceof LangwireError && cause.code === "OWNER_LOST") return undefined;
    throw cause;
  }
}

/**
 * Appends the runEnd of a run that the store knows to be over, and closes the writer.
 * @param archived whether the store has its events as well
 */
export async function appendEnd(writer: RunWriter, run: Run, archived = false): Promise<void> {
  const { status, text = "", endedAt: at = new Date().toISOString() } = run;
  if (status !== "running") writer.append(runEndOf(run, { ...run, at, status, text }));
  await writer.flushed();
  writer.close({ archived });
}

/** The ending for `runs.finish`, from a `runEnd` that readers have received. */
type LoggedEnd = EndFacts & {
  readonly endSeq: number;
  readonly endedAt: string;
};

interface FoldedRun {
  /** The answer so far, and what its message is made of. */
  readonly text: string;
  readonly parts: readonly Part[];
  readonly usage: Usage | undefined;
  /** Set where the log has the run's end. */
  readonly end?: LoggedEnd;
}

/** Reads what the log has of the run, from its first event on. */
async function foldRun(
  run: Run,
  read: UnattendedRunOptions["read"],
  archive: BegunArchive | undefined,
): Promise<FoldedRun> {
  const message = new MessageFold();
  let usage: Usage | undefined;
  for (let after = run.firstSeq - 1; ; ) {
    const { entries } = await read(after);
    await archive?.add(entries);
    for (const entry of entries) {
      if (entry.runId !== run.runId) continue;
      const { event } = entry;
      message.add(event);
      if (event.type === "llmEnd") usage = addUsage(usage, event.usage);
      const end = loggedEnd(entry);
      if (end !== undefined) return { text: end.text, parts: message.parts, usage, end };
    }
    const last = entries.at(-1);
    if (last === undefined) {
      const text = storable(message.text);
      return { text, parts: message.end(text), usage };
    }
    after = last.seq;
  }
}

/** Undefined where the event is no `runEnd`. */
function loggedEnd({ event, seq }: LogEntry): LoggedEnd | undefined {
  if (event.type !== "runEnd") return undefined;
  const { status, text, output, usage, error, at } = event;
  return { status, text, output, usage, error, endSeq: seq, endedAt: at };
}
