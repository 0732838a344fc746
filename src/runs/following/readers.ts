/** The readers of this process. Each reads by a membership, and fails when that membership is gone. */
import { setImmediate } from "node:timers/promises";
import type { EventLog } from "../../log/log.ts";
import type { EventType } from "../../protocol/events.ts";
import type { Store } from "../../store/store.ts";
import { within } from "../../time/within.ts";
import type { Caller } from "../caller.ts";
import type { RunLimits } from "../limits.ts";
import type { RunObserver } from "../observer.ts";
import { ArchivedRuns } from "./archived-runs.ts";
import { Backfill, type KnownPositions, startingPosition } from "./backfill.ts";
import { Follower } from "./follower.ts";
import { type Membership, Memberships, type ProofTimes } from "./memberships.ts";
import type { Pacer } from "./pacer.ts";

/** What a reader's events go into: a subscription of a socket or of an event stream. */
export interface EventSink {
  readonly pacer?: Pacer | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onClose?: (() => void) | undefined;
}

export interface Reading {
  /** When the query began that found the caller to be a member (`performance.now()`). */
  readonly askedAtMs: number;
  readonly conversationId: string;
  /** The number of the last event that the reader has, where it says that it has any. */
  readonly position: number | undefined;
  readonly known: KnownPositions;
  readonly runId?: string;
  readonly only?: ReadonlySet<EventType> | undefined;
}

/**
 * Set where other processes write the log, and this one may not hear of all that they do: notifications
 * are missed, the log loses its last events, members are removed.
 */
export interface SharedLogDoubts {
  /**
   * How long a reader receives nothing before it asks the store whether a run has ended, and how long
   * it waits for a proof of membership before it is sent to another process.
   */
  readonly lookAgainMs: number;
  /** Rises whenever this process may not have received everything that was written. */
  readonly interruptions: number;
}

export interface ReadersOptions {
  readonly store: Store;
  readonly log: EventLog;
  readonly doubts?: SharedLogDoubts | undefined;
  /** Where members can be removed without this process knowing: how long a proof of membership lasts. */
  readonly proofs?: ProofTimes | undefined;
  readonly observer: Pick<RunObserver, "delivered" | "failed">;
  readonly limits?: Pick<RunLimits, "maxRunBytes"> | undefined;
}

/** The log of a run that has ended has its end, or a moment later; or it never will. */
const endedSilenceMs = 500;

function silenceOf({ end }: KnownPositions, { lookAgainMs }: SharedLogDoubts): number {
  return end === undefined ? lookAgainMs : Math.min(lookAgainMs, endedSilenceMs);
}

export class Readers implements AsyncDisposable {
  /** What has left the log, to readers across a gap. */
  readonly archives: ArchivedRuns;
  readonly #store: Store;
  readonly #log: EventLog;
  readonly #doubts: SharedLogDoubts | undefined;
  readonly #onDelivered: ((afterMs: number) => void) | undefined;
  readonly #memberships: Memberships;
  readonly #followers = new Set<Follower>();
  /** Those of them that follow one run, and close with its end. */
  readonly #ofRuns = new Set<Follower>();
  #noneOfRuns: (() => void) | undefined;

  constructor({ store, log, doubts, proofs, observer, limits }: ReadersOptions) {
    this.archives = new ArchivedRuns({ store, observer, maxRunBytes: limits?.maxRunBytes });
    this.#store = store;
    this.#log = log;
    this.#doubts = doubts;
    this.#onDelivered = observer.delivered;
    this.#memberships = new Memberships({ store, proofs, maxWaitMs: doubts?.lookAgainMs });
  }

  async follow(
    { userId }: Caller,
    { pacer, signal, onClose }: EventSink,
    { askedAtMs, position, known, ...what }: Reading,
  ): Promise<Follower> {
    const { conversationId, runId } = what;
    const doubts = this.#doubts;
    const interruptions = () => doubts?.interruptions ?? 0;
    let membership: Membership | undefined;
    const follower = await Follower.start({
      ...what,
      log: this.#log,
      ...startingPosition(position, known),
      backfill: new Backfill({
        ...{ store: this.#store, archives: this.archives },
        ...{ userId, conversationId, runId, interruptions },
      }),
      silenceMs: doubts && silenceOf(known, doubts),
      pacer,
      onDelivered: this.#onDelivered,
      signal,
      onClose: (closed) => {
        this.#forget(closed);
        if (membership !== undefined) this.#memberships.leave(membership, closed);
        onClose?.();
      },
    });
    if (follower.closed) return follower;
    membership = this.#memberships.enter({ conversationId, userId }, follower, askedAtMs);
    follower.readBy(membership);
    this.#followers.add(follower);
    if (runId !== undefined) this.#ofRuns.add(follower);
    return follower;
  }

  /**
   * The members of a conversation may have changed: readers who are no members any more fail.
   * @returns settles when the store has said who is left
   */
  membersChanged(conversationId: string): Promise<void> {
    return this.#memberships.changed(conversationId);
  }

  /** Waits until the readers of single runs have taken `runEnd`, and have closed. */
  async finished(timeoutMs: number): Promise<void> {
    if (this.#ofRuns.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#noneOfRuns = resolve;
      await within(promise, timeoutMs);
    }
    // The last reader has just taken its runEnd: its subscription's own end is sent in this turn.
    await setImmediate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const follower of this.#followers) await follower.return();
    this.#memberships[Symbol.dispose]();
    this.archives[Symbol.dispose]();
  }

  #forget(follower: Follower): void {
    this.#followers.delete(follower);
    this.#ofRuns.delete(follower);
    if (this.#ofRuns.size === 0) this.#noneOfRuns?.();
  }
}
