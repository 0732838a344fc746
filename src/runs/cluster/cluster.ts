/** One process among several that share a store and a log: its lease, its turn as reaper, notices. */
import type { RedisLog } from "../../log/redis/redis-log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Store } from "../../store/store.ts";
import type { RunObserver } from "../observer.ts";
import { defaultLeaseTimes, Lease, type LeaseTimes, type Renewal } from "./lease.ts";
import { type Notice, Notices } from "./notices.ts";
import { reap } from "./reaper.ts";

export interface ClusterTimes extends LeaseTimes {
  /** How long a reader waits for the log before it asks the store whether a run has ended. */
  readonly lookAgainMs: number;
}

export const defaultClusterTimes: ClusterTimes = { ...defaultLeaseTimes, lookAgainMs: 10_000 };

export interface ClusterOptions {
  readonly log: RedisLog;
  readonly store: Store;
  readonly nodeId: string;
  readonly times?: Partial<ClusterTimes> | undefined;
  readonly observer: RunObserver;
}

export class Cluster implements AsyncDisposable {
  readonly nodeId: string;
  readonly lookAgainMs: number;
  readonly #options: ClusterOptions;
  #lease: Lease | undefined;
  #notices: Notices | undefined;
  #reaping: Promise<void> | undefined;
  #onNotice: (notice: Notice) => void = () => {};

  private constructor(options: ClusterOptions) {
    this.nodeId = options.nodeId;
    this.lookAgainMs = { ...defaultClusterTimes, ...options.times }.lookAgainMs;
    this.#options = options;
  }

  /** @throws LangwireError STORE_UNAVAILABLE */
  static async join(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    const { log, nodeId } = options;
    try {
      cluster.#notices = await Notices.open(log, (notice) => cluster.#onNotice(notice));
      cluster.#lease = await Lease.take({
        link: log.link,
        prefix: log.prefix,
        nodeId,
        times: { ...defaultClusterTimes, ...options.times },
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

  /**
   * Settles when Redis takes writes and this process has joined, as of now: it renews its place.
   * @throws LangwireError STORE_UNAVAILABLE, or the connection's error
   */
  async ping(): Promise<void> {
    await this.#lease?.renew();
    // Redis may have taken longer to answer than a place lasts.
    if (!this.joined) throw new LangwireError("STORE_UNAVAILABLE");
  }

  /** Rises whenever this process may not have heard everything that others wrote. */
  get interruptions(): number {
    return this.#options.log.notifications.interruptions;
  }

  /** The processes that are there; undefined when that cannot be told. */
  async alive(): Promise<ReadonlySet<string> | undefined> {
    const census = await this.#lease?.census();
    return census?.alive;
  }

  /** Tells all processes, this one too. */
  publish(notice: Notice): void {
    this.#notices?.send(notice);
  }

  onNotice(handler: (notice: Notice) => void): void {
    this.#onNotice = handler;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reaping;
    await this.#lease?.[Symbol.asyncDispose]();
    await this.#notices?.[Symbol.asyncDispose]();
  }

  #renewed({ lapsed, reaper }: Renewal): void {
    const { log } = this.#options;
    // Runs that wait for their provider would not notice for long that they were taken over.
    if (lapsed) log.checkWriters();
    void this.#notices?.hear();
    if (reaper) this.#reaping ??= this.#reap();
  }

  async #reap(): Promise<void> {
    const { observer, store, log } = this.#options;
    try {
      if (this.#lease !== undefined) await reap({ store, log, lease: this.#lease, observer });
    } catch (cause) {
      // Tried again with the next renewal, here or elsewhere.
      observer.failed?.("runs of lost owners could not be ended", cause);
    } finally {
      this.#reaping = undefined;
    }
  }
}
