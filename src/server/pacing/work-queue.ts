/**
 * Whose call is worked on next. A user's calls are bounded together, over all sockets and requests:
 * in a time, by number and by bytes, and queries at once, until what they answer was taken. What is
 * beyond waits, users take turns, and between any two queries everybody else has theirs: an answer
 * may be a MiB that is read and made into text in one turn of the event loop.
 */
import { setTimeout as delay } from "node:timers/promises";
import { LangwireError } from "../../protocol/errors.ts";
import type { Holder } from "./stall-clock.ts";
import { type Turn, UserWork, type UserWorkLimits } from "./user-work.ts";

export interface WorkLimits extends UserWorkLimits {
  /** Queries that are worked on at once, of all users. */
  readonly maxQueries: number;
}

/** How long a holder may take nothing while others wait for its place. */
const patienceMs = 5_000;
const lookEveryMs = 1_000;
/** What of one user may wait where nothing else bounds it: queries, and time for other calls. */
const maxWaitingQueries = 256;
const maxWaitMs = 5_000;
const retryAfterMs = 1_000;

export class WorkQueue implements Disposable {
  readonly #limits: WorkLimits;
  readonly #users = new Map<string, UserWork>();
  /** Users with queries that wait: the first is next. */
  readonly #line = new Set<UserWork>();
  readonly #timer: NodeJS.Timeout;
  #running = 0;
  /** A query has begun in this turn of the event loop. */
  #begun = false;
  #later: NodeJS.Timeout | undefined;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  /**
   * Counts a call that holds nothing: a mutation, a subscription.
   * @param bounded whether to refuse where too many of the user's calls wait, and not to wait as well
   * @throws LangwireError RATE_LIMITED
   */
  pace(userId: string, { bounded }: { bounded: boolean }): Promise<void> | undefined {
    const user = this.#user(userId);
    const waitMs = user.paceMs();
    if (bounded && waitMs > maxWaitMs) throw tooMany();
    user.count();
    return waitMs > 0 ? delay(waitMs, undefined, { ref: false }) : undefined;
  }

  /** Counts what a call has answered. */
  charge(userId: string, bytes: number): void {
    this.#user(userId).charge(bytes);
  }

  /**
   * A query.
   * @param holder whom the call is for: cut when it holds its turn, takes nothing, and others wait
   * @param bounded whether to refuse where too many of the user's calls wait, and not to queue
   * @throws LangwireError RATE_LIMITED
   */
  enter(userId: string, holder: Holder, { bounded }: { bounded: boolean }): Turn | Promise<Turn> {
    const user = this.#user(userId);
    if (this.#line.size === 0 && this.#mayBegin(user)) return this.#begin(user, holder);
    if (bounded && user.waiting.length >= maxWaitingQueries) throw tooMany();
    const { promise, resolve } = Promise.withResolvers<Turn>();
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

  #begin(user: UserWork, holder: Holder): Turn {
    this.#begun = true;
    setImmediate(() => {
      this.#begun = false;
      this.#next();
    });
    this.#running += 1;
    user.begin(holder);
    let held = true;
    return {
      leave: () => {
        if (!held) return;
        held = false;
        this.#running -= 1;
        user.end(holder);
        this.#next();
      },
    };
  }

  /** Begins what waits, if anything may begin, one query in a turn of the event loop. */
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
      // To the end of the line.
      if (user.waiting.length > 0) this.#line.add(user);
      call?.begin(this.#begin(user, call.holder));
      return;
    }
    clearTimeout(this.#later);
    // Whoever waits for a turn of their own is woken by its end.
    if (soonestMs === Number.POSITIVE_INFINITY) return;
    this.#later = setTimeout(() => this.#next(), Math.ceil(soonestMs));
  }

  /** Cuts who holds what others wait for and takes nothing, and forgets who has not called for a while. */
  #look(): void {
    const full = this.#line.size > 0 && this.#running >= this.#limits.maxQueries;
    for (const [userId, user] of this.#users) {
      if (user.isIdle) this.#users.delete(userId);
      const waits = user.isFull && user.waiting.length > 0;
      if (!full && !waits) continue;
      for (const holder of user.holders) if (holder.stalledMs() >= patienceMs) holder.cut();
    }
  }
}

function tooMany(): LangwireError {
  const message = "Too many calls of the caller wait.";
  return new LangwireError("RATE_LIMITED", { message, retryAfterMs });
}
