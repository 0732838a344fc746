/**
 * Runs belong to the server: this starts them, stops them, and lets readers follow them.
 *
 * A run is claimed by an insert, so whoever sends the same `runId` again, on this socket or another,
 * only follows it. A reader that leaves stops nothing; lifecycle/live-run.ts lists what does.
 */
import type { Catalogue } from "../bots/catalogue.ts";
import type { EventLog } from "../log/log.ts";
import { LangwireError } from "../protocol/errors.ts";
import type { RunStatus } from "../protocol/events.ts";
import type { FollowInput, SendInput, WatchInput } from "../protocol/inputs.ts";
import type { Run, Store } from "../store/store.ts";
import { within } from "../time/within.ts";
import type { Admit } from "./admission/admission.ts";
import { type FindLimits, findLimits } from "./admission/user-limits.ts";
import { Archiver } from "./archives/archiver.ts";
import type { Caller } from "./caller.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { Notice } from "./cluster/notices.ts";
import { Deletions } from "./deletions.ts";
import type { Follower } from "./following/follower.ts";
import type { ProofTimes } from "./following/memberships.ts";
import { type EventSink, Readers } from "./following/readers.ts";
import type { LiveRun } from "./lifecycle/live-run.ts";
import { LiveRuns, type LiveRunsOptions } from "./lifecycle/live-runs.ts";
import { Recovery } from "./lifecycle/recovery.ts";
import { defaultRunLimits, type RunLimits } from "./limits.ts";
import { type RunObserver, shielded } from "./observer.ts";

export interface RunsOptions {
  readonly bots: Catalogue;
  readonly store: Store;
  readonly log: EventLog;
  readonly limits?: Partial<RunLimits> | undefined;
  /** Makes the archives of runs that end. Default: of all of them. */
  readonly archiver?: Archiver | undefined;
  readonly observer?: RunObserver | undefined;
  /** Whether a caller may start another run. Default: always, within `limits`. */
  readonly admit?: Admit | undefined;
  /** The limits of each caller. Default: `limits`' length of a message, and no others. */
  readonly limitsOf?: FindLimits | undefined;
  /** The other processes that share the store and the log, if there may be any. */
  readonly cluster?: Cluster | undefined;
  /**
   * How often the store is asked whose reading may go on, where members can be removed without this
   * process knowing. Default: the cluster's; without one, only when there is a reason to ask.
   */
  readonly proofs?: ProofTimes | undefined;
  /** Whether errors that get out of bots' code end at most their run. Default: false. */
  readonly containStrayErrors?: boolean | undefined;
}

/** A run that the store lets the caller read, and where in it to begin. */
interface Following extends Pick<FollowInput, "lastEventId" | "only"> {
  readonly run: Run;
  /** When the query began by which the store said so (`performance.now()`). */
  readonly askedAtMs: number;
}

/** How long a removal waits until the removed members' readers have failed. */
const revokeTimeoutMs = 1_000;
/** How long a shutdown waits for readers to take their `runEnd`. */
const lastEventsMs = 1_000;

export class Runs implements AsyncDisposable {
  readonly #store: Store;
  readonly #live: LiveRuns;
  readonly #readers: Readers;
  readonly #cluster: Cluster | undefined;
  readonly #recovery: Recovery | undefined;
  readonly #deletions: Deletions;

  /** What a caller may do. @throws LangwireError where the application cannot say */
  readonly limitsOf: FindLimits;

  private constructor(
    options: RunsOptions & Pick<LiveRunsOptions, "observer" | "archiver" | "recovery">,
  ) {
    const { bots, store, log, admit, cluster, observer, archiver, recovery } = options;
    const limits = { ...defaultRunLimits, ...options.limits };
    this.#store = store;
    this.#cluster = cluster;
    this.#recovery = recovery;
    this.#deletions = new Deletions({ store, log, observer });
    const { maxMessageLength } = limits;
    const { containStrayErrors = false, limitsOf = findLimits({ maxMessageLength }) } = options;
    this.limitsOf = limitsOf;
    const shared = { bots, store, log, limits, observer, archiver, admit, cluster, recovery };
    this.#live = new LiveRuns({ ...shared, limitsOf, containStrayErrors });
    const proofs = options.proofs ?? cluster?.proofs;
    this.#readers = new Readers({ ...shared, doubts: cluster, proofs });
    cluster?.onNotice((notice) => this.#receive(notice));
  }

  /**
   * Ends what an earlier process left behind, then takes runs. Among several processes, what one
   * leaves behind is found by the others.
   */
  static async start(options: RunsOptions): Promise<Runs> {
    const { store, log, cluster } = options;
    const observer = shielded(options.observer ?? {});
    const keepEventsMs = Number.POSITIVE_INFINITY;
    const { archiver = new Archiver({ keepEventsMs, observer }) } = options;
    const recovery =
      cluster === undefined ? await Recovery.start({ store, log, observer, archiver }) : undefined;
    return new Runs({ ...options, observer, archiver, recovery });
  }

  /** Runs in progress on this process. */
  get live(): ReadonlyMap<string, LiveRun> {
    return this.#live.all;
  }

  get accepting(): boolean {
    return !this.#live.draining;
  }

  /** Whether runs are refused because the store did not answer, and has not answered since. */
  get storeAway(): boolean {
    return this.#live.storeAway;
  }

  /**
   * Claims the run and starts it, unless it was claimed before; then follows it.
   * @returns the run's events after `lastEventId`, ending with its `runEnd`
   * @throws LangwireError when the run is refused
   */
  async send(caller: Caller, input: SendInput, sink: EventSink = {}): Promise<Follower> {
    const askedAtMs = performance.now();
    const run = (await this.#existing(caller, input)) ?? (await this.#live.start(caller, input));
    return this.#read(caller, sink, { run, askedAtMs, ...input });
  }

  /**
   * Follows a run that was sent before, by whomever. Starts nothing.
   * @returns the run's events after `lastEventId`, ending with its `runEnd`
   * @throws LangwireError NOT_FOUND when it is none of a conversation that the caller is in
   */
  async follow(caller: Caller, input: FollowInput, sink: EventSink = {}): Promise<Follower> {
    const askedAtMs = performance.now();
    const run = await this.#store.runs.get(input.runId, caller.userId);
    if (run === undefined) throw new LangwireError("NOT_FOUND");
    return this.#read(caller, sink, { run, askedAtMs, ...input });
  }

  /**
   * Every event of every run of a conversation, for ever: after `lastEventId`, or from the start of
   * the run in progress, or from now.
   * @throws LangwireError NOT_FOUND when the caller is not a member
   */
  async watch(caller: Caller, input: WatchInput, sink: EventSink = {}): Promise<Follower> {
    const { conversationId, lastEventId } = input;
    const askedAtMs = performance.now();
    const known = await this.#store.conversations.isMember(conversationId, caller.userId);
    if (!known) throw new LangwireError("NOT_FOUND");
    const { position: start, running } = await this.watchStart(conversationId);
    const last = running === undefined ? start : this.live.get(running.runId)?.lastSeq;
    return this.#readers.follow(caller, sink, {
      askedAtMs,
      conversationId,
      position: positionOf(lastEventId),
      known: { start, last, restart: start },
    });
  }

  /** The number after which a watch would begin now, before the run in progress if there is one. */
  async watchStart(
    conversationId: string,
  ): Promise<{ readonly position: number; readonly running: Run | undefined }> {
    const running = await this.#store.runs.running(conversationId);
    const position =
      running === undefined
        ? await this.#store.conversations.lastSeq(conversationId)
        : running.firstSeq - 1;
    return { position, running };
  }

  /**
   * Stops a run for a caller; any member of its conversation may.
   * @returns how the run ended, once it has
   * @throws LangwireError NOT_FOUND when it is none of a conversation that the caller is in
   */
  cancel(caller: Caller, runId: string): Promise<{ runId: string; status: RunStatus }> {
    return this.#live.cancel(caller, runId);
  }

  /**
   * A conversation was deleted: stops its run, has the log forget its events, in the background, and
   * deletes what it had. Its members have changed besides. Never rejects.
   * @returns settles when the store has nothing of it, or has failed and is asked again later
   */
  deleted(conversationId: string, runningRunId?: string): Promise<void> {
    if (runningRunId !== undefined) this.stop(runningRunId);
    return this.#deletions.finish(conversationId);
  }

  /**
   * Stops a run of a conversation that is deleted: as `cancel`, but nobody is a member any more, so
   * nobody is asked for, and there is no ending to wait for. Whoever calls it has checked the right to.
   */
  stop(runId: string): void {
    void this.#live.started(runId).then((live) => {
      if (live === undefined) this.#cluster?.publish({ type: "stop", runId });
      else live.cancel();
    });
  }

  /**
   * The members of a conversation may have changed, whether or not the store has said so: its answer
   * may be lost after the removal. Readers who are no members any more fail: here before this settles
   * (while the store is away they receive nothing, and fail when it is back), elsewhere within seconds.
   * @param removed who is known to be removed; absent for everybody
   */
  async membersChanged(conversationId: string, removed?: readonly string[]): Promise<void> {
    const userIds = removed && [...removed];
    this.#cluster?.publish({ type: "revoke", conversationId, userIds });
    await within(this.#readers.membersChanged(conversationId), revokeTimeoutMs);
  }

  /** The archive of a run was deleted: nobody is given anything of it any more, elsewhere after a second. */
  archiveDeleted(runId: string): void {
    this.#readers.archives.forget(runId);
  }

  /** Takes no more runs, and waits for those in progress; then ends what is left. */
  async drain(graceMs: number): Promise<void> {
    await this.#live.drain(graceMs);
    await this.#readers.finished(Math.min(graceMs, lastEventsMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
    await this.#readers[Symbol.asyncDispose]();
    await this.#live[Symbol.asyncDispose]();
    await this.#deletions[Symbol.asyncDispose]();
    await this.#recovery?.[Symbol.asyncDispose]();
  }

  #read(caller: Caller, sink: EventSink, following: Following): Promise<Follower> {
    const { run, askedAtMs, lastEventId, only } = following;
    const { runId, conversationId, firstSeq, endSeq } = run;
    const start = firstSeq - 1;
    const last = endSeq ?? this.live.get(runId)?.lastSeq;
    return this.#readers.follow(caller, sink, {
      askedAtMs,
      conversationId,
      runId,
      position: positionOf(lastEventId),
      known: { start, last, restart: last === undefined ? start : last - 1, end: endSeq },
      only: only === undefined ? undefined : new Set(only),
    });
  }

  /** Asked before any claim, and without a write: a client that comes back sends the same run again. */
  async #existing(caller: Caller, input: SendInput): Promise<Run | undefined> {
    const refusal = this.#live.refusal(caller, input);
    const run = await this.#store.runs.get(input.runId, caller.userId);
    const isKnown = run !== undefined && !this.#live.isUnattended(run);
    if (!isKnown && refusal !== undefined) throw refusal;
    return isKnown ? run : undefined;
  }

  #receive(notice: Notice): void {
    switch (notice.type) {
      case "stop":
        void this.#live.started(notice.runId).then((live) => live?.cancel());
        break;
      case "revoke":
        // The notice is a hint and may be old: a removed member may have joined again. The store decides.
        void this.#readers.membersChanged(notice.conversationId);
        break;
    }
  }
}

function positionOf(lastEventId: string | undefined): number | undefined {
  return lastEventId === undefined ? undefined : Number(lastEventId);
}
