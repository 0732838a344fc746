/** What one user's calls take at the moment, and have taken of what a second has. */
import type { Holder } from "./stall-clock.ts";

export interface UserWorkLimits {
  /** Queries of one user that are worked on at once, until what they answer was taken. */
  readonly maxQueriesPerUser: number;
  /** Calls of one user in a second; those beyond wait. */
  readonly maxCallsPerSecondPerUser: number;
  /** Bytes that one user's calls may answer in a second; those beyond wait. */
  readonly maxAnswerBytesPerSecondPerUser: number;
}

/** A query may be worked on. */
export interface Turn {
  /** It is answered, and the answer was taken. Once more is no harm. */
  leave(): void;
}

interface WaitingQuery {
  readonly holder: Holder;
  readonly begin: (turn: Turn) => void;
}

/** Of what a second has, this much may be taken at once. */
const burstMs = 1_000;

export class UserWork {
  readonly waiting: WaitingQuery[] = [];
  readonly holders = new Set<Holder>();
  readonly #limits: UserWorkLimits;
  #running = 0;
  /** Time that was used and has not passed yet, as of `#atMs`. */
  #owedMs = 0;
  #atMs = performance.now();

  constructor(limits: UserWorkLimits) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#running >= this.#limits.maxQueriesPerUser;
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.waiting.length === 0 && this.#owed() === 0;
  }

  /** How long until the next query may begin; `Infinity` while others have to end first. */
  waitMs(): number {
    return this.isFull ? Number.POSITIVE_INFINITY : this.paceMs();
  }

  /** How long until there is time for one more call. */
  paceMs(): number {
    return Math.max(0, this.#owed() - burstMs);
  }

  begin(holder: Holder): void {
    this.#running += 1;
    this.holders.add(holder);
    this.count();
  }

  /** One more call. */
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
