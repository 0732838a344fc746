/** Who reads which conversation at the moment, so that whoever may no longer can be shut out. */
import { setImmediate } from "node:timers/promises";
import type { EventLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { EventType } from "../../protocol/events.ts";
import type { Store } from "../../store/store.ts";
import type { Caller } from "../caller.ts";
import { Backfill, type KnownPositions, startingPosition } from "./backfill.ts";
import { Follower } from "./follower.ts";
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
  /** The number of the last event that the reader has, where it says that it has any. */
  readonly position: number | undefined;
  readonly known: KnownPositions;
  readonly runId?: string;
  readonly only?: ReadonlySet<EventType> | undefined;
}

/** A log that another process writes, and that storage of its own keeps. */
export interface UnsureLog {
  /** How long a reader waits for it before it asks the store whether a run has ended. */
  readonly lookAgainMs: number;
  /** Rises whenever this process may not have heard everything that was written. */
  readonly interruptions: number;
}

export interface ReadersOptions {
  readonly store: Store;
  readonly log: EventLog;
  /** Where the log may lose what it had. */
  readonly unsure?: UnsureLog | undefined;
  readonly onDelivered?: ((afterMs: number) => void) | undefined;
}

export class Readers implements AsyncDisposable {
  readonly #store: Store;
  readonly #log: EventLog;
  readonly #unsure: UnsureLog | undefined;
  readonly #onDelivered: ((afterMs: number) => void) | undefined;
  readonly #followers = new Map<string, Map<Follower, string>>();
  /** Readers of one run, who are done with its end. */
  readonly #ofRuns = new Set<Follower>();
  #revocations = 0;
  #noneOfRuns: (() => void) | undefined;

  constructor({ store, log, unsure, onDelivered }: ReadersOptions) {
    this.#store = store;
    this.#log = log;
    this.#unsure = unsure;
    this.#onDelivered = onDelivered;
  }

  /** How often somebody was shut out: who was let in before and reads only now is looked at again. */
  get revocations(): number {
    return this.#revocations;
  }

  async follow(
    { userId }: Caller,
    { pacer, signal, onClose }: Reader,
    { revocations, position, known, ...what }: Reading,
  ): Promise<Follower> {
    const { conversationId, runId } = what;
    const unsure = this.#unsure;
    const interruptions = () => unsure?.interruptions ?? 0;
    const follower = await Follower.start({
      ...what,
      log: this.#log,
      ...startingPosition(position, known),
      backfill: new Backfill({ store: this.#store, userId, conversationId, runId, interruptions }),
      silenceMs: unsure?.lookAgainMs,
      pacer,
      onDelivered: this.#onDelivered,
      signal,
      onClose: (closed) => {
        this.#forget(conversationId, closed);
        onClose?.();
      },
    });
    if (follower.closed) return follower;
    const followers = this.#followers.get(conversationId) ?? new Map<Follower, string>();
    this.#followers.set(conversationId, followers.set(follower, userId));
    if (runId !== undefined) this.#ofRuns.add(follower);
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
