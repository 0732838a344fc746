/** Who reads which conversation at the moment, so that whoever may no longer can be shut out. */
import { setImmediate } from "node:timers/promises";
import type { EventLog } from "../log/log.ts";
import { LangwireError } from "../protocol/errors.ts";
import type { EventType } from "../protocol/events.ts";
import type { Store } from "../store/store.ts";
import type { Caller } from "./caller.ts";
import { Follower, type LookAgain } from "./follow.ts";
import { endAfter, missedEntries } from "./missed.ts";
import type { Pacer } from "./pacer.ts";

/** Where the events go. */
export interface Reader {
  readonly pacer?: Pacer | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onClose?: (() => void) | undefined;
}

export interface Reading {
  /** `revocations` as it was before the caller was found to be a member. */
  readonly revocations: number;
  readonly conversationId: string;
  readonly after: number;
  readonly runId?: string;
  readonly completeAt?: number | undefined;
  readonly only?: ReadonlySet<EventType> | undefined;
}

export interface ReadersOptions {
  readonly store: Store;
  readonly log: EventLog;
  /**
   * How long a run's reader waits before it asks the store whether the run has ended, where the log
   * may lose an end: another process writes it, and storage of its own keeps it.
   */
  readonly lookAgainMs?: number | undefined;
  readonly onDelivered?: ((afterMs: number) => void) | undefined;
}

export class Readers implements AsyncDisposable {
  readonly #store: Store;
  readonly #log: EventLog;
  readonly #lookAgainMs: number | undefined;
  readonly #onDelivered: ((afterMs: number) => void) | undefined;
  readonly #followers = new Map<string, Map<Follower, string>>();
  /** Readers of one run, who are done with its end. */
  readonly #ofRuns = new Set<Follower>();
  #revocations = 0;
  #noneOfRuns: (() => void) | undefined;

  constructor({ store, log, lookAgainMs, onDelivered }: ReadersOptions) {
    this.#store = store;
    this.#log = log;
    this.#lookAgainMs = lookAgainMs;
    this.#onDelivered = onDelivered;
  }

  /** How often somebody was shut out: who was let in before and reads only now is looked at again. */
  get revocations(): number {
    return this.#revocations;
  }

  async follow(
    { userId }: Caller,
    { pacer, signal, onClose }: Reader,
    { revocations, ...what }: Reading,
  ): Promise<Follower> {
    const { conversationId } = what;
    const follower = await Follower.start({
      ...what,
      log: this.#log,
      pacer,
      onDelivered: this.#onDelivered,
      signal,
      missed: (after) => missedEntries(this.#store, conversationId, after),
      lookAgain: this.#lookAgain(what.runId, userId),
      onClose: (closed) => {
        this.#forget(conversationId, closed);
        onClose?.();
      },
    });
    if (follower.closed) return follower;
    const followers = this.#followers.get(conversationId) ?? new Map<Follower, string>();
    this.#followers.set(conversationId, followers.set(follower, userId));
    if (what.runId !== undefined) this.#ofRuns.add(follower);
    if (revocations !== this.#revocations)
      await this.#checkMember(follower, conversationId, userId);
    return follower;
  }

  /** Ends the reading of those who are no longer members, and of all when nobody is named. */
  revoke(conversationId: string, userIds?: readonly string[]): void {
    this.#revocations += 1;
    for (const [follower, userId] of this.#followers.get(conversationId) ?? []) {
      if (userIds?.includes(userId) ?? true) follower.fail(new LangwireError("NOT_FOUND"));
    }
  }

  /** Waits until those who read one run have its end, and were told that it is the end. */
  async finished(timeoutMs: number): Promise<void> {
    if (this.#ofRuns.size > 0 && timeoutMs > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#noneOfRuns = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    }
    // The last one has just taken its end; telling it so comes after.
    await setImmediate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const followers of this.#followers.values()) {
      for (const follower of followers.keys()) await follower.return();
    }
  }

  #lookAgain(runId: string | undefined, userId: string): LookAgain | undefined {
    const afterMs = this.#lookAgainMs;
    if (afterMs === undefined || runId === undefined) return undefined;
    let knownToEnd = false;
    const look = async (after: number) => {
      const run = await this.#store.runs.get(runId, userId).catch(orAway);
      if (run === "away") return [];
      if (run === undefined) throw new LangwireError("NOT_FOUND");
      const end = endAfter(run, after);
      // The log, which has what comes before the end too, is given the same time once more.
      const late = knownToEnd;
      knownToEnd = end.length > 0;
      return late ? end : [];
    };
    return { afterMs, look };
  }

  async #checkMember(follower: Follower, conversationId: string, userId: string): Promise<void> {
    try {
      const member = await this.#store.conversations.isMember(conversationId, userId);
      if (!member) follower.fail(new LangwireError("NOT_FOUND"));
    } catch (cause) {
      await follower.return();
      throw cause;
    }
  }

  #forget(conversationId: string, follower: Follower): void {
    const followers = this.#followers.get(conversationId);
    followers?.delete(follower);
    this.#ofRuns.delete(follower);
    if (this.#ofRuns.size === 0) this.#noneOfRuns?.();
    if (followers?.size === 0) this.#followers.delete(conversationId);
  }
}

/** A reader who waits goes on waiting while the store is away. */
function orAway(cause: unknown): "away" {
  if (cause instanceof LangwireError && cause.code === "STORE_UNAVAILABLE") return "away";
  throw cause;
}
