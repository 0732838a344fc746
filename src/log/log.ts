/**
 * The event log: one for each conversation, short-lived, numbered. A run's numbers have no gap; the
 * next run's may begin far ahead, where a crash may have lost events whose numbers readers had.
 *
 * What every adapter promises (test/log/log-contract.ts tries to break each line):
 * - Order. A run's events are read in the order in which they were appended.
 * - Numbers. The first event after `after` has the number `after + 1`; none is ever used twice.
 * - Written before read. What a reader gets is stored as durably as the adapter stores at all.
 * - Writers never wait. `append` returns at once, however slow storage and readers are.
 * - Readers are only cursors. The log keeps nothing for them but the callback to wake them.
 * - Neighbouring tokens of one span that are appended together may become one entry. An entry that
 *   was readable once never changes.
 * - Bounds. Finished runs leave the log after a retention time, sooner where they are archived, and
 *   earlier, oldest first, when it is over its size; a run in progress stays.
 */
import type { ChatEvent } from "../protocol/events.ts";
import type { LogEntry } from "./entry.ts";

export type MaybePromise<T> = T | Promise<T>;

/** What the log holds of a conversation after some place in it. */
export interface Slice {
  /** Ascending and without gaps; bounded, so there may be more after the last. */
  readonly entries: readonly LogEntry[];
  /**
   * The lowest number that the log can still give, or will give next. Above `after + 1`, the events
   * in between have left the log. Undefined when the log knows nothing of the conversation.
   */
  readonly oldest: number | undefined;
  /** Set where there is nothing behind the entries until the next change. */
  readonly isLast?: boolean;
}

/** The write lease of one run: while it is open nobody else writes to the conversation. */
export interface RunWriter {
  /** The number of the last event in the conversation's log. */
  readonly lastSeq: number;
  /**
   * Adds an event. Its number is `lastSeq` afterwards. Never waits and never throws.
   * @returns by how many bytes, roughly, the log grew
   */
  append(event: ChatEvent): number;
  /** Settles when all that was appended is stored and readable. */
  flushed(): Promise<void>;
  /** What was appended here, in order. To be asked for when nothing but the run's end is to come. */
  entries(): readonly LogEntry[];
  /**
   * The run is over; what it wrote may leave the log.
   * @param options.archived whether all of the run can be read from elsewhere, for good
   */
  close(options?: { readonly archived: boolean }): void;
  /** Writes nothing more, and leaves the run open for whoever opens it again or takes it over. */
  abandon(): void;
  /**
   * Where several processes share the log: aborted when the run cannot go on, with a LangwireError
   * as its reason. After OWNER_LOST somebody else has ended it, and nothing is written any more;
   * after STORE_UNAVAILABLE its end is still to be appended, and is written when that is possible.
   */
  readonly lost?: AbortSignal;
}

/** A run that has no runEnd in the log that was found at boot. */
export interface LeftBehind {
  readonly conversationId: string;
  readonly runId: string;
  readonly lastSeq: number;
}

/** A run that the store has in progress at boot. */
export interface RecoveredRun {
  readonly conversationId: string;
  readonly runId: string;
  readonly firstSeq: number;
}

export interface OpenRun {
  readonly conversationId: string;
  readonly runId: string;
  /** The number of the conversation's last event, 0 for a new one. */
  readonly after: number;
  /** Goes on where another process stopped, whose own writer can append nothing from then on. */
  readonly takeOver?: boolean;
}

/** What a log is to forget of a conversation. */
export interface Forgotten {
  readonly conversationId: string;
  /** The number of the last event to forget. Default: all, for good. */
  readonly through?: number | undefined;
}

export interface EventLog extends AsyncDisposable {
  open(run: OpenRun): MaybePromise<RunWriter>;
  /** The events after a number, from the oldest on, as many as come easily at once. */
  read(conversationId: string, after: number): MaybePromise<Slice>;
  /**
   * Calls back whenever `read` may answer differently. What is appended after this settled is not
   * missed: subscribe, then read.
   */
  subscribe(conversationId: string, onChange: () => void): MaybePromise<() => void>;
  leftBehind(): MaybePromise<readonly LeftBehind[]>;
  /**
   * Forgets events, before their retention time is over, and wherever they are kept: of deleted
   * conversations all, once the run that writes there has ended; of others those up to a number.
   * @returns settles when nothing holds them any more, nor what the store deleted in the same files
   * @throws the connection's error: they leave after their retention time
   */
  forget(what: readonly Forgotten[]): Promise<void>;
  /**
   * Reads back what an earlier process of this machine wrote; absent where the log outlives its
   * processes. The caller, at boot:
   *
   *   - passes every run that the store has in progress, in any order
   *   - is given each of them once its events are read back, so `read` returns all there are of it
   *   - ends each one that it is given before it asks for the next: after that, a run that is not ended
   *     may leave the log
   *   - may call it again after it threw, with the runs that are not ended yet
   *
   * @throws the signal's reason when aborted: the next boot begins anew
   */
  recover?<Run extends RecoveredRun>(
    runs: readonly Run[],
    signal?: AbortSignal,
  ): AsyncIterable<Run>;
  /** Set where what readers saw of runs of an earlier process may be missing. */
  readonly mayLackEvents?: boolean;
  /** Whether events are being stored; false while storage fails. */
  readonly healthy: boolean;
  /** Bytes of all events in this process's memory, roughly; where the log keeps them there. */
  readonly bytes?: number;
}

/** The write lease of a run in a log that several processes share. */
export interface SharedRunWriter extends RunWriter {
  readonly lost: AbortSignal;
}

/** A run as the log lists it for each process that writes. */
export interface ListedRun {
  readonly conversationId: string;
  readonly runId: string;
}

/** A log that several processes read and write, each run written by one of them at a time. */
export interface SharedLog extends EventLog {
  /**
   * @throws LangwireError OWNER_LOST when another process writes the run, or its end is in the log, or
   *   a later run has begun
   */
  open(run: OpenRun): Promise<SharedRunWriter>;
  /**
   * As `read`, from where the log is stored: this process may not have received everything yet.
   * @throws the connection's error
   */
  readStored(conversationId: string, after: number): Promise<Slice>;
  /** The last event that is stored of a conversation. @throws the connection's error */
  readNewest(conversationId: string): Promise<LogEntry | undefined>;
  /** The runs that a process has opened and not closed. @throws the connection's error */
  openRunsOf(nodeId: string): Promise<readonly ListedRun[]>;
  /** To be called when all of them have been taken over. @throws the connection's error */
  forgetOpenRunsOf(nodeId: string): Promise<void>;
  /** Finds out, for every run that this process writes, whether another one has taken it over. */
  checkWriters(): void;
  /** Rises whenever this process may not have been notified of everything that others wrote. */
  readonly interruptions: number;
}

/** Events that can be read from elsewhere, for good. */
export interface ArchivedEvents {
  readonly conversationId: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface LogBounds {
  /** How long a finished run stays readable, in milliseconds. */
  readonly retentionMs: number;
  /**
   * How long one that is archived stays in this process's memory, in milliseconds: for readers who are a
   * little behind. It leaves at once while the log holds more than an eighth of `maxBytes`.
   */
  readonly archivedMs: number;
  /** Bytes of all events in memory, above which the oldest finished runs leave. */
  readonly maxBytes: number;
}

export const defaultLogBounds: LogBounds = {
  retentionMs: 5 * 60_000,
  archivedMs: 5_000,
  maxBytes: 256 * 1024 * 1024,
};
