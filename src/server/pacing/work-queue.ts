/**
 * A fair queue of calls. A user's calls are limited together, over all sockets and requests: by rate
 * (calls and bytes) and by concurrency: queries until their answers were taken, other calls while they ask
 * the store. Calls past a limit wait, and users take turns. One query begins in a turn of the event loop, since an answer may be a MiB
 * that is read and made into text in one turn.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { LangwireError } from "../../protocol/errors.ts";
import { usedUp } from "../../runs/admission/used-up.ts";
import type { Holder } from "./stall-clock.ts";
import { type QuerySlot, UserWork, type UserWorkLimits } from "./user-work.ts";

export interface WorkLimits extends UserWorkLimits {
  /** Concurrency limit of queries, of all users together. */
  readonly maxQueries: number;
}

/** How long a connection may take nothing of its answer while other queries wait for its slot. */
const maxStallMs = 5_000;
const checkEveryMs = 1_000;
/** Limits of what may wait for one user, for `bounded` calls: queries, and how long other calls wait. */
const maxWaitingQueries = 256;
const maxWaitMs = 5_000;
const retryAfterMs = 1_000;

export class WorkQueue implements Disposable {
  readonly #limits: WorkLimits;
  readonly #users = new Map<string, UserWork>();
  /** Users with waiting queries, the next one first. */
  readonly #line = new Set<UserWork>();
  readonly #timer: NodeJS.Timeout;
  #running = 0;
  /** Whether a query has begun in this turn of the event loop. */
  #begun = false;
  #later: NodeJS.Timeout | undefined;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#cutStalled(), checkEveryMs).unref();
  }

  /**
   * Counts a mutation or a subscription, which take no query's slot.
   * @param bounded whether to refuse the call where it would wait for too long
   * @throws LangwireError RATE_LIMITED
   */
  pace(userId: string, { bounded }: { bounded: boolean }): Promise<void> | undefined {
    const user = this.#user(userId);
    const waitMs = user.paceMs();
    if (bounded && waitMs > maxWaitMs) throw this.#tooFast();
    user.count();
    return waitMs > 0 ? delay(waitMs, undefined, { ref: false }) : undefined;
  }

  /** Waits until a mutation or a subscription may begin. @returns to be called when it has */
  start(userId: string): Promise<() => void> {
    return this.#user(userId).starts.take();
  }

  /** Counts the bytes of a call's answer, or of a request. */
  charge(userId: string, bytes: number): void {
    this.#user(userId).charge(bytes);
  }

  /** Counts a request that was refused before it was a call. */
  countRefused(userId: string): void {
    this.#user(userId).count();
  }

  /** @returns settles when what the user sends may be worked on; undefined: at once */
  owed(userId: string): Promise<void> | undefined {
    const waitMs = this.#user(userId).paceMs();
    return waitMs > 0 ? delay(waitMs, undefined, { ref: false }) : undefined;
  }

  /**
   * Waits for a slot for a query.
   * @param holder the caller's connection: cut when it takes nothing of its answer while others wait
   * @param bounded whether to refuse the query where too many of the user's already wait
   * @throws LangwireError RATE_LIMITED
   */
  enter(
    userId: string,
    holder: Holder,
    { bounded }: { bounded: boolean },
  ): QuerySlot | Promise<QuerySlot> {
    const user = this.#user(userId);
    if (this.#line.size === 0 && this.#mayBegin(user)) return this.#begin(user, holder);
    if (bounded && user.waiting.length >= maxWaitingQueries) {
      throw usedUp({ what: "queries of one user that wait", max: maxWaitingQueries }, retryAfterMs);
    }
    const { promise, resolve } = Promise.withResolvers<QuerySlot>();
    user.waiting.push({ holder, begin: resolve });
    this.#line.add(user);
    this.#next();
    return promise;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearTimeout(this.#later);
  }

  #user(userId: string): UserWork {
    const user = this.#users.get(userId) ?? new UserWork(this.#limits);
    this.#users.set(userId, user);
    return user;
  }

  #mayBegin(user: UserWork): boolean {
    return !this.#begun && this.#running < this.#limits.maxQueries && user.waitMs() === 0;
  }

  #begin(user: UserWork, holder: Holder): QuerySlot {
    this.#begun = true;
    setImmediate(() => {
      this.#begun = false;
      this.#next();
    });
    this.#running += 1;
    user.begin(holder);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        this.#running -= 1;
        user.end(holder);
        this.#next();
      },
    };
  }

  /** Begins the next waiting query that may begin. */
  #next(): void {
    if (this.#begun || this.#line.size === 0 || this.#running >= this.#limits.maxQueries) return;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const user of this.#line) {
      const waitMs = user.waitMs();
      if (waitMs > 0) {
        soonestMs = Math.min(soonestMs, waitMs);
        continue;
      }
      this.#line.delete(user);
      const call = user.waiting.shift();
      // Behind the other users.
      if (user.waiting.length > 0) this.#line.add(user);
      call?.begin(this.#begin(user, call.holder));
      return;
    }
    clearTimeout(this.#later);
    // Who waits for a slot, and not for a rate, begins when one is released.
    if (soonestMs === Number.POSITIVE_INFINITY) return;
    this.#later = setTimeout(() => this.#next(), Math.ceil(soonestMs));
  }

  /** Calls and bytes have one account: which of the two it was is not known. */
  #tooFast(): LangwireError {
    const { maxCallsPerSecondPerUser: max, maxAnswerBytesPerSecondPerUser: bytes } = this.#limits;
    return usedUp({ what: `calls, or ${bytes} bytes, of one user in a second`, max }, retryAfterMs);
  }

  /** Cuts stalled connections whose slots others wait for. Drops users without calls, too. */
  #cutStalled(): void {
    const full = this.#line.size > 0 && this.#running >= this.#limits.maxQueries;
    for (const [userId, user] of this.#users) {
      if (user.isIdle) this.#users.delete(userId);
      const waits = user.isFull && user.waiting.length > 0;
      if (!full && !waits) continue;
      for (const holder of user.holders) if (holder.stalledMs() >= maxStallMs) holder.cut();
    }
  }
}
