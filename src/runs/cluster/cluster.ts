/**
 * One process among several that share a store and a log: its lease, its turns as reaper, the notices
 * that it publishes and receives.
 */
import type { ListedRun, SharedLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import { within } from "../../time/within.ts";
import type { Archiver } from "../archives/archiver.ts";
import { type ProofTimes, sharedProofs } from "../following/memberships.ts";
import type { RunObserver } from "../observer.ts";
import type { Broadcast, Coordination, NodeLease, Renewal } from "./coordination.ts";
import { formatNotice, type Notice, parseNotice } from "./notices.ts";
import { reap } from "./reaper.ts";
import { storeToldEnd } from "./told-end.ts";

export interface ClusterTimes {
  /** How long a reader waits for the log before it asks the store whether a run has ended. */
  readonly lookAgainMs: number;
  /** How long a proof of membership lasts, and how often it is renewed. */
  readonly proofs: ProofTimes;
  /** How far the clocks of two machines may be apart. */
  readonly clockSkewMs: number;
}

/** A store that takes longer to answer is out of reach. */
const storePingMs = 2_000;

const defaultTimes: ClusterTimes = {
  lookAgainMs: 10_000,
  proofs: sharedProofs,
  clockSkewMs: 5_000,
};

export interface ClusterOptions {
  readonly coordination: Coordination;
  readonly log: SharedLog;
  readonly store: Store;
  readonly times?: Partial<ClusterTimes> | undefined;
  readonly observer: RunObserver;
  /** For the runs of others that this process ends. */
  readonly archiver: Archiver;
}

export class Cluster implements AsyncDisposable {
  readonly nodeId: string;
  readonly lookAgainMs: number;
  readonly proofs: ProofTimes;
  readonly #options: ClusterOptions;
  readonly #clockSkewMs: number;
  #lease: NodeLease | undefined;
  #broadcast: Broadcast | undefined;
  #reaping: Promise<void> | undefined;
  /** When this process last came to the log, or back to it, by the log's count of `interruptions`. */
  #connected: { readonly interruptions: number; readonly atMs: number };
  #onNotice: (notice: Notice) => void = () => {};
  /** Since when this process does not reach the store, on `performance.now()`'s clock. */
  #withoutStoreSinceMs: number | undefined;
  #storeElsewhere = false;
  #cutOff = false;
  #onStoreElsewhere: () => void = () => {};
  #onCutOff: () => void = () => {};

  private constructor(options: ClusterOptions) {
    this.nodeId = options.coordination.nodeId;
    const times = { ...defaultTimes, ...options.times };
    this.lookAgainMs = times.lookAgainMs;
    this.proofs = times.proofs;
    this.#clockSkewMs = times.clockSkewMs;
    this.#options = options;
    this.#connected = { interruptions: this.interruptions, atMs: Date.now() };
  }

  /** @throws LangwireError STORE_UNAVAILABLE */
  static async join(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    const { coordination } = options;
    try {
      cluster.#broadcast = await coordination.openBroadcast((message) => cluster.#receive(message));
      cluster.#lease = await coordination.takeLease({
        isAble: () => cluster.#reachesStore(),
        onRenewed: (renewal) => cluster.#renewed(renewal),
      });
    } catch (cause) {
      await cluster[Symbol.asyncDispose]();
      throw new LangwireError("STORE_UNAVAILABLE", { cause });
    }
    return cluster;
  }

  /** False when the others may take this process for gone, and end what it begins. */
  get joined(): boolean {
    return this.#lease?.held ?? false;
  }

  /** True while this process does not reach the store and another one does: that one renews its lease. */
  get storeElsewhere(): boolean {
    return this.#storeElsewhere;
  }

  /** @param handler called while `storeElsewhere` is true, again and again */
  onStoreElsewhere(handler: () => void): void {
    this.#onStoreElsewhere = handler;
  }

  /**
   * True when the store has been elsewhere for so long that no reader here can be proved to be a member:
   * all that this process has to refuse, another one can do.
   */
  get cutOff(): boolean {
    return this.#cutOff;
  }

  /** @param handler called whenever `cutOff` becomes true */
  onCutOff(handler: () => void): void {
    this.#onCutOff = handler;
  }

  /**
   * Settles when this process has renewed its lease, and holds it.
   * @throws LangwireError STORE_UNAVAILABLE, or the connection's error
   */
  async ping(): Promise<void> {
    await this.#lease?.renew();
    // The answer may have taken longer than a lease lasts.
    if (!this.joined) throw new LangwireError("STORE_UNAVAILABLE");
  }

  /** Rises whenever this process may not have been notified of everything that others wrote. */
  get interruptions(): number {
    return this.#options.log.interruptions;
  }

  /** The processes that are alive; undefined when that cannot be told. */
  async alive(): Promise<ReadonlySet<string> | undefined> {
    const census = await this.#lease?.census();
    return census?.alive;
  }

  /** Stores the ending of another process's run, where that has told it. @returns whether it had */
  storeToldEnd(run: ListedRun): Promise<boolean> {
    return storeToldEnd(run, this.#options);
  }

  /** To all processes, this one too. */
  publish(notice: Notice): void {
    this.#broadcast?.publish(formatNotice(notice));
  }

  /** Removes the notices that name a user. @throws the connection's error */
  async forgetUser(userId: string): Promise<void> {
    await this.#broadcast?.remove((message) => names(parseNotice(message), userId));
  }

  onNotice(handler: (notice: Notice) => void): void {
    this.#onNotice = handler;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reaping;
    await this.#lease?.[Symbol.asyncDispose]();
    await this.#broadcast?.[Symbol.asyncDispose]();
  }

  /** Its runs would be in progress for nobody: no end of theirs could be stored. */
  async #reachesStore(): Promise<boolean> {
    const answered = this.#options.store.ping().then(
      () => true,
      () => false,
    );
    const reached = (await within(answered, storePingMs)) ?? false;
    if (!reached) await this.#noteStoreLost();
    else {
      this.#withoutStoreSinceMs = undefined;
      this.#storeElsewhere = this.#cutOff = false;
    }
    return reached;
  }

  /** Where no other process renews its lease either, the store itself may be away. */
  async #noteStoreLost(): Promise<void> {
    const sinceMs = this.#withoutStoreSinceMs ?? performance.now();
    this.#withoutStoreSinceMs = sinceMs;
    const withoutMs = performance.now() - sinceMs;
    // Since then alone: what another process reached before, it may have lost at the same moment.
    const others = await this.#lease?.othersRenew(withoutMs).catch(() => undefined);
    // Without Redis it cannot be told: it stays as it was.
    if (others === undefined) return;
    const before = this.#cutOff;
    this.#storeElsewhere = others;
    this.#cutOff = others && withoutMs >= this.proofs.validMs;
    if (others) this.#onStoreElsewhere();
    if (this.#cutOff && !before) this.#onCutOff();
  }

  #receive(message: string): void {
    const notice = parseNotice(message);
    if (notice !== undefined) this.#onNotice(notice);
  }

  /**
   * A log that restarts or fails over breaks its connections, and may come back without its last events.
   * The run's owner writes them again, unless it is gone. What was never interrupted has lost nothing.
   */
  #mayLackEvents({ startedAt }: Run): boolean {
    this.#noteInterruption();
    return Date.parse(startedAt) - this.#clockSkewMs < this.#connected.atMs;
  }

  #noteInterruption(): void {
    const { interruptions } = this;
    if (interruptions === this.#connected.interruptions) return;
    this.#connected = { interruptions, atMs: Date.now() };
  }

  #renewed({ lapsed, reaper }: Renewal): void {
    const { log } = this.#options;
    this.#noteInterruption();
    // Otherwise a run that waits for its provider would find out late that it was taken over.
    if (lapsed) log.checkWriters();
    void this.#broadcast?.receive();
    if (reaper) this.#reaping ??= this.#reap();
  }

  async #reap(): Promise<void> {
    const { observer, store, log, archiver } = this.#options;
    try {
      const lease = this.#lease;
      const mayLackEvents = (run: Run) => this.#mayLackEvents(run);
      if (lease !== undefined) await reap({ store, log, lease, mayLackEvents, observer, archiver });
    } catch (cause) {
      // Tried again with the next renewal, here or elsewhere.
      observer.failed?.("runs of lost owners could not be ended", cause);
    } finally {
      this.#reaping = undefined;
    }
  }
}

function names(notice: Notice | undefined, userId: string): boolean {
  return notice?.type === "revoke" && notice.userIds?.includes(userId) === true;
}
