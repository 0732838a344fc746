/** One user's share of the work queue: calls in progress, and the rates of calls and of bytes. */
import type { Holder } from "./stall-clock.ts";
import { StartSlots } from "./start-slots.ts";

export interface UserWorkLimits {
  /** Concurrency limit of one user's queries; a query counts until its answer was taken. */
  readonly maxQueriesPerUser: number;
  /** Calls of one user in a second; those beyond wait. */
  readonly maxCallsPerSecondPerUser: number;
  /** Bytes that one user may send in a second, and be answered; those beyond wait. */
  readonly maxAnswerBytesPerSecondPerUser: number;
}

/** A query's slot in the concurrency limits. */
export interface QuerySlot {
  /** To be called when the answer was taken. A second call does nothing. */
  release(): void;
}

interface WaitingQuery {
  readonly holder: Holder;
  readonly begin: (slot: QuerySlot) => void;
}

/** Rates allow bursts of up to this much time's worth. */
const burstMs = 1_000;

export class UserWork {
  readonly waiting: WaitingQuery[] = [];
  readonly holders = new Set<Holder>();
  readonly starts = new StartSlots();
  readonly #limits: UserWorkLimits;
  #running = 0;
  /** Leaky bucket, in milliseconds: the time's worth of calls and bytes that was left at `#atMs`. */
  #owedMs = 0;
  #atMs = performance.now();

  constructor(limits: UserWorkLimits) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#running >= this.#limits.maxQueriesPerUser;
  }

  get isIdle(): boolean {
    const isWaiting = this.waiting.length > 0 || !this.starts.isIdle;
    return this.#running === 0 && !isWaiting && this.#owed() === 0;
  }

  /** How long until the next query may begin; `Infinity` while the user has no free slot. */
  waitMs(): number {
    return this.isFull ? Number.POSITIVE_INFINITY : this.paceMs();
  }

  /** How long until the rates allow one more call. */
  paceMs(): number {
    return Math.max(0, this.#owed() - burstMs);
  }

  begin(holder: Holder): void {
    this.#running += 1;
    this.holders.add(holder);
    this.count();
  }

  /** Counts one more call. */
  count(): void {
    this.#pay(1 / this.#limits.maxCallsPerSecondPerUser);
  }

  charge(bytes: number): void {
    this.#pay(bytes / this.#limits.maxAnswerBytesPerSecondPerUser);
  }

  end(holder: Holder): void {
    this.#running -= 1;
    this.holders.delete(holder);
  }

  #pay(seconds: number): void {
    this.#owedMs = this.#owed() + seconds * 1_000;
  }

  #owed(): number {
    const now = performance.now();
    this.#owedMs = Math.max(0, this.#owedMs - Math.max(0, now - this.#atMs));
    this.#atMs = now;
    return this.#owedMs;
  }
}
