/**
 * The runs in progress on this process: which may begin, how they are claimed and started, and how
 * all of them end at a shutdown.
 */
import type { Catalogue } from "../../bots/catalogue.ts";
import type { EventLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { RunStatus } from "../../protocol/events.ts";
import type { SendInput } from "../../protocol/inputs.ts";
import type { Run, Store } from "../../store/store.ts";
import { within } from "../../time/within.ts";
import type { Admit } from "../admission/admission.ts";
import { type ClaimedRun, type ClaimOptions, claimRun } from "../admission/claim-run.ts";
import { botFor, inputRefusal } from "../admission/input-refusal.ts";
import { LiveBytes } from "../admission/live-bytes.ts";
import { type Preparation, type PreparationOptions, prepare } from "../admission/preparation.ts";
import type { FindLimits } from "../admission/user-limits.ts";
import type { Archiver } from "../archives/archiver.ts";
import type { Caller } from "../caller.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { RunLimits } from "../limits.ts";
import type { ShieldedObserver } from "../observer.ts";
import type { RunEnding } from "../run-events.ts";
import { botHistory } from "./bot-history.ts";
import { Cancellation } from "./cancellation.ts";
import { Finalizer } from "./finalizer.ts";
import { KeyedMutex } from "./keyed-mutex.ts";
import { LiveRun } from "./live-run.ts";
import { endIfUnattended, type ReconcileOptions, reconcileEvery, restoreIn } from "./reconcile.ts";
import type { Recovery } from "./recovery.ts";
import { StoreWatch } from "./store-watch.ts";
import type { Sweep } from "./sweep.ts";

export interface LiveRunsOptions {
  readonly bots: Catalogue;
  readonly store: Store;
  readonly log: EventLog;
  readonly limits: RunLimits;
  readonly observer: ShieldedObserver;
  readonly archiver: Archiver;
  readonly admit: Admit | undefined;
  readonly limitsOf: FindLimits;
  readonly cluster: Cluster | undefined;
  /** Whether errors that get out of bots' code end at most their run. */
  readonly containStrayErrors: boolean;
  /** Ends what an earlier process left behind. */
  readonly recovery: Recovery | undefined;
}

const retryAfterMs = 1_000;
/** How long a shutdown waits for the endings of the runs that it has stopped. */
const lastEndsMs = 3_000;

export class LiveRuns implements AsyncDisposable {
  readonly #options: LiveRunsOptions;
  readonly #asked: Omit<PreparationOptions, "bot">;
  readonly #watch: StoreWatch;
  readonly #finalizer: Finalizer;
  readonly #cancellation: Cancellation;
  readonly #live = new Map<string, LiveRun>();
  readonly #sweep: Sweep;
  readonly #bytes: LiveBytes;
  /** Held by `runId` while a run is claimed: two calls with one id do not both start it. */
  readonly #starting = new KeyedMutex();
  readonly #reconciled: ReconcileOptions;
  readonly #claims: ClaimOptions;
  /** `closed` of every run whose bot has not yet closed what it opened, ended runs included. */
  readonly #closing = new Set<Promise<void>>();
  #draining = false;

  constructor(options: LiveRunsOptions) {
    const { store, log, limits, limitsOf, observer, cluster, archiver } = options;
    this.#options = options;
    const onStrayError = options.containStrayErrors ? observer.strayError : undefined;
    this.#asked = { limitsOf, onStrayError };
    this.#bytes = new LiveBytes(limits.maxLiveBytes);
    const cancelHere = (run: Run) => this.#cancelHere(run);
    this.#cancellation = new Cancellation({ store, cluster, cancelHere });
    this.#watch = new StoreWatch(store);
    const shared = { store, log, observer, archiver };
    const waiting = { watch: this.#watch, timeoutMs: limits.storeTimeoutMs };
    this.#finalizer = new Finalizer({ ...shared, cluster, ...waiting });
    this.#reconciled = {
      ...{ ...shared, nodeId: cluster?.nodeId },
      ...{ live: this.#live, starting: this.#starting },
      isUnattended: (run) => this.isUnattended(run),
    };
    this.#claims = {
      ...{ bots: options.bots, store, cluster, asked: this.#asked },
      isUnattended: (run) => this.isUnattended(run),
      stop: (caller, runId) => this.cancel(caller, runId),
    };
    this.#sweep = reconcileEvery(limits.reconcileMs, this.#reconciled);
  }

  get all(): ReadonlyMap<string, LiveRun> {
    return this.#live;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Whether runs are refused because the store did not answer, and has not answered since. */
  get storeAway(): boolean {
    return this.#watch.away;
  }

  /**
   * Why the caller may start no run now. A run that was claimed before can still be followed.
   * @param input left out where a bot has been found for it
   */
  refusal({ userId }: Caller, input?: SendInput): LangwireError | undefined {
    const { bots, log, limits, cluster } = this.#options;
    const tooMany = this.#live.size + this.#starting.size >= limits.maxLiveRuns;
    if (this.#draining || tooMany || !this.#bytes.mayBegin(userId)) {
      return new LangwireError("OVERLOADED", { retryAfterMs });
    }
    if (this.#watch.away || !log.healthy || cluster?.joined === false) {
      return new LangwireError("STORE_UNAVAILABLE", { retryAfterMs });
    }
    return input && inputRefusal(input, bots.get(input.botId));
  }

  /**
   * Claims the run and starts it; one that was claimed before is only looked up. It counts as live
   * before it is claimed, so `maxLiveRuns` and the shutdown include it.
   */
  async start(caller: Caller, input: SendInput): Promise<Run> {
    const mayBegin = (): void => {
      const refusal = this.refusal(caller);
      if (refusal !== undefined) throw refusal;
    };
    const bot = botFor(input, this.#options.bots);
    // As long as a bot's code takes for it, it has no place among the runs: those are everybody's.
    const prepared = await prepare(caller, input, { ...this.#asked, bot });
    // Two calls with one id are one run: the later one finds what the earlier one has claimed.
    return await this.#starting.run(
      input.runId,
      () =>
        this.#claim(caller, input, prepared).catch((cause: unknown) => {
          // The store may have taken the claim, and only its answer was lost.
          if (this.#watch.note(cause)) this.#sweep.soon();
          throw cause;
        }),
      mayBegin,
    );
  }

  /** The run, once it is no longer being started; undefined when it is not in progress here. */
  async started(runId: string): Promise<LiveRun | undefined> {
    await this.#starting.free(runId);
    await this.#options.recovery?.ended(runId);
    return this.#live.get(runId);
  }

  /**
   * Whether the store has the run as in progress on this process, and no LiveRun exists for it: the
   * store's answer to its claim was lost, or its ending could not be stored.
   */
  isUnattended({ runId, status, owner }: Run): boolean {
    const { cluster, recovery } = this.#options;
    const ours = status === "running" && (cluster === undefined || owner === cluster.nodeId);
    const isAttended = this.#live.has(runId) || this.#finalizer.holds(runId);
    return ours && !isAttended && recovery?.has(runId) !== true;
  }

  /**
   * Stops a run, wherever it is in progress; any member of its conversation may.
   * @returns how it ended, once it has
   * @throws LangwireError NOT_FOUND when it is none of a conversation that the caller is in
   */
  cancel(caller: Caller, runId: string): Promise<{ runId: string; status: RunStatus }> {
    return this.#cancellation.cancel(caller, runId);
  }

  /** Takes no more runs, and waits for those in progress; then ends what is left. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    const ended = this.#allEnded();
    await within(ended, graceMs);
    this.#finalizer.hurry();
    await this.#starting.allFree();
    for (const run of this.#live.values()) run.fail(new LangwireError("SERVER_RESTARTED"));
    // Longer only where the store or the log does not answer; then the endings are left to recovery.
    await within(ended, lastEndsMs);
    await within(Promise.all(this.#closing), this.#options.limits.botCloseTimeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sweep[Symbol.asyncDispose]();
    this.#watch[Symbol.dispose]();
    await this.#finalizer[Symbol.asyncDispose]();
  }

  async #allEnded(): Promise<void> {
    while (this.#starting.size + this.#live.size > 0) {
      await this.#starting.allFree();
      await Promise.all([...this.#live.values()].map(({ ended }) => ended));
    }
  }

  async #cancelHere(run: Run): Promise<RunEnding | undefined> {
    const live = await this.started(run.runId);
    live?.cancel();
    if (live !== undefined) return live.ended;
    await this.#finalizer.settle(run.runId);
    const isTold = run.status === "running" && (await this.#options.cluster?.storeToldEnd(run));
    if (!isTold && this.isUnattended(run)) await endIfUnattended([run.runId], this.#reconciled);
    return undefined;
  }

  async #claim(caller: Caller, input: SendInput, prepared: Preparation): Promise<Run> {
    const { admit } = this.#options;
    const { conversationId } = input;
    using admitted = new DisposableStack();
    admitted.defer((await admit?.(caller, prepared.limits)) ?? (() => {}));
    await this.#finalizer.settleIn(conversationId);
    await restoreIn(conversationId, this.#reconciled);
    const claimed = await claimRun({ caller, input, prepared }, this.#claims);
    return "begin" in claimed ? await this.#begin(claimed.begin, admitted.move()) : claimed.run;
  }

  /** @param admitted frees the run's slot in its caller's concurrency limit: disposed of at its end */
  async #begin(begun: ClaimedRun, admitted: DisposableStack): Promise<Run> {
    const { log, limits, observer, store } = this.#options;
    const { run, bot } = begun;
    const { runId, conversationId, firstSeq } = run;
    try {
      const writer = await log.open({ conversationId, runId, after: firstSeq - 1 });
      const live = new LiveRun({
        ...begun,
        history: () => botHistory(run, bot, store),
        writer,
        limits,
        liveBytes: this.#bytes,
        store: (ending, end) => this.#finalizer.store(begun, ending, end),
        onBotFailure: (failure) => observer.botFailed(run, failure),
        onFailure: observer.failed,
        onStrayError: this.#asked.onStrayError,
        within: (botCode) => observer.withinRun(run, botCode),
        observe: observer.spanEvent?.bind(observer, run),
      });
      this.#live.set(runId, live);
      this.#closing.add(live.closed);
      live.closed.then(() => this.#closing.delete(live.closed));
      observer.runStarted(run);
      live.ended.then((ending) => {
        this.#live.delete(runId);
        admitted.dispose();
        observer.runEnded(run, ending);
      });
      return run;
    } catch (cause) {
      admitted.dispose();
      if (!(cause instanceof LangwireError) || cause.code !== "OWNER_LOST") {
        await this.#finalizer.abandon(begun, cause);
        throw cause;
      }
      // Somebody took it over in the log, where it may have an end already: `reconcile` finds that.
      this.#sweep.soon();
      throw new LangwireError("STORE_UNAVAILABLE", { cause, retryAfterMs });
    }
  }
}
