/**
 * What the store knows past a reader's position that the log cannot tell: the log is short-lived, and
 * where another process writes it, it may lose what it had. Asked at three moments:
 *
 *   a reader begins      ── startingPosition ──▶ where, or that it has everything
 *   the log has a gap    ── acrossGap ─────────▶ the runs whose events have left the log
 *   nothing has come     ── afterSilence ──────▶ ends of which the log will never tell
 *
 * A run that is archived is told event by event, a slice at a time, as from the log. One that is not (the
 * setting says so, a version before ended it, its archive is damaged) is told in short: by its `runStart`,
 * where the reader has not had it, and by its `runEnd`, which carries the whole answer.
 */
import { LogEntry } from "../../log/entry.ts";
import { sliceMaxBytes } from "../../log/slice.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import { isStoreAway } from "../lifecycle/store-watch.ts";
import { runEndOf, runStartOf } from "../run-events.ts";
import type { ArchivedRuns } from "./archived-runs.ts";

/** What is known of the log when a reader begins. */
export interface KnownPositions {
  /** Where a reader without a position of its own begins. */
  readonly start: number;
  /** The last number there is; undefined where another process is giving out numbers. */
  readonly last: number | undefined;
  /** Where a reader begins whose position is ahead of `last`. */
  readonly restart: number;
  /** The number of the runEnd, to a reader of one run that has ended. */
  readonly end?: number | undefined;
}

/**
 * @param position the number of the last event that the reader has, where it has any
 * @returns the number after which it reads on, and whether there is nothing to come
 */
export function startingPosition(
  position: number | undefined,
  { start, last, restart, end }: KnownPositions,
): { readonly after: number; readonly complete: boolean } {
  if (position === undefined) return { after: start, complete: false };
  // Ahead of all that there is, nothing would ever come: a crash has taken that position back.
  const isAhead = last !== undefined && position > last;
  return { after: isAhead ? restart : position, complete: position === end };
}

export interface BackfillOptions {
  readonly store: Store;
  readonly userId: string;
  readonly conversationId: string;
  /** Of this run alone; otherwise of all. */
  readonly runId?: string | undefined;
  readonly archives: Pick<ArchivedRuns, "after">;
  /** Rises whenever the log may not have received everything that others wrote. */
  readonly interruptions: () => number;
}

type Entries = readonly LogEntry[];

const runsAtOnce = 20;

export class Backfill {
  readonly #options: BackfillOptions;
  /**
   * The position after which the store knew of an end that the log had not told, at the last silence. A
   * reader who still stands there at the next one gets what the store knows.
   */
  #untoldAfter: number | undefined;
  /** A watcher to whom silence was found to hide nothing, and what that depends on. */
  #quiet: { readonly after: number; readonly interruptions: number } | undefined;
  /** Where in an archived run the reader is: its row, with the whole answer, is not read for each slice. */
  #within: { readonly runId: string; readonly after: number; readonly endSeq: number } | undefined;

  constructor(options: BackfillOptions) {
    this.#options = options;
  }

  /**
   * Stands in for events after a position that have left the log; empty when nothing is known of them.
   * @throws LangwireError NOT_FOUND when the reader may not read on
   */
  async acrossGap(after: number): Promise<Entries> {
    const { runId } = this.#options;
    if (this.#within !== undefined && this.isWithinArchive(after)) {
      await this.#proveMember();
      const rest = await this.#archivedOf(this.#within, after);
      if (rest.length > 0) return rest;
    }
    if (runId !== undefined) return this.#knownOfRun(runId, after);
    const known = await this.#knownOfAll(after);
    if (known.length > 0) await this.#proveMember();
    return known;
  }

  /** Whether the reader stands where a slice of an archive ended that has more. */
  isWithinArchive(after: number): boolean {
    const within = this.#within;
    return within?.after === after && after < within.endSeq;
  }

  /**
   * To be asked again and again while nothing comes. The log, which has what comes before an end too,
   * goes first: it is given the same time once more.
   * @returns the entries to go on with, if the log does not tell them
   * @throws LangwireError NOT_FOUND when the reader may not read on
   */
  async afterSilence(after: number): Promise<Entries> {
    const { runId } = this.#options;
    const asked = runId === undefined ? this.#lookAtAll(after) : this.#knownOfRun(runId, after);
    const known = await asked.catch(orAway);
    if (known === "away") return [];
    const late = this.#untoldAfter === after;
    const last = known.at(-1);
    this.#untoldAfter = late ? last?.seq : last && after;
    return late ? known : [];
  }

  async #knownOfRun(runId: string, after: number): Promise<Entries> {
    const { store, userId } = this.#options;
    const run = await store.runs.get(runId, userId);
    if (run === undefined) throw new LangwireError("NOT_FOUND");
    const archived = await this.#archivedOf(run, after);
    return archived.length > 0 ? archived : standInsFor(run, after);
  }

  async #knownOfAll(after: number): Promise<Entries> {
    const { store, conversationId } = this.#options;
    const runs = await store.runs.endedBetween(conversationId, after, runsAtOnce);
    const known: LogEntry[] = [];
    let archivedBytes = 0;
    for (const run of runs) {
      const archived = run.archived ? await this.#archivedOf(run, after) : [];
      archivedBytes += bytesOf(archived);
      if (archivedBytes > sliceMaxBytes && known.length > 0) break;
      known.push(...(archived.length > 0 ? archived : standInsFor(run, after)));
      if (this.isWithinArchive(known.at(-1)?.seq ?? after)) break;
    }
    return known;
  }

  async #archivedOf(
    { runId, endSeq }: Pick<Run, "runId" | "endSeq">,
    after: number,
  ): Promise<Entries> {
    if (endSeq === undefined || after >= endSeq) return [];
    const entries = await this.#options.archives.after(runId, after);
    const last = entries.at(-1);
    this.#within = last && { runId, after: last.seq, endSeq };
    return entries;
  }

  /**
   * Most who watch, watch a conversation in which nothing happens. Whoever was found to miss nothing
   * there would have heard of a run since, unless the log was interrupted: the store is spared.
   */
  async #lookAtAll(after: number): Promise<Entries> {
    const { store, conversationId, interruptions } = this.#options;
    const now = { after, interruptions: interruptions() };
    const quiet = this.#quiet;
    if (quiet?.after === after && quiet.interruptions === now.interruptions) return [];
    this.#quiet = undefined;
    await this.#proveMember();
    // First: a run that ends in between is found below.
    const running = await store.runs.running(conversationId);
    const known = await this.#knownOfAll(after);
    if (running === undefined && known.length === 0) this.#quiet = now;
    return known;
  }

  async #proveMember(): Promise<void> {
    const { store, userId, conversationId } = this.#options;
    const member = await store.conversations.isMember(conversationId, userId);
    if (!member) throw new LangwireError("NOT_FOUND");
  }
}

function bytesOf(entries: Entries): number {
  return entries.reduce((bytes, { jsonBytes }) => bytes + jsonBytes, 0);
}

/** A run that has ended as the store has it, at numbers that a reader who has `after` will take. */
function standInsFor(run: Run, after: number): LogEntry[] {
  const { firstSeq, status, text = "", endSeq, endedAt: at } = run;
  if (status === "running" || endSeq === undefined || at === undefined) return [];
  const endEvent = runEndOf(run, { ...run, at, status, text });
  const end = LogEntry.of(Math.max(endSeq, after + 1), endEvent);
  if (firstSeq <= after) return [end];
  return [LogEntry.of(firstSeq, runStartOf(run)), end];
}

/** A reader who waits goes on waiting while the store is away. */
function orAway(cause: unknown): "away" {
  if (isStoreAway(cause)) return "away";
  throw cause;
}
