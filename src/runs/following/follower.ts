/**
 * A reader of a conversation's log: a cursor, paced by its own socket, with nothing queued for it.
 *
 *   next ──▶ something is there ──▶ delivered
 *     └────▶ waiting ── the log has more, the socket drains, a read settles ──▶ delivered
 *
 * By hand and without `async`: this is the path of every event to every reader. When the log wakes
 * it, it settles the one promise that `next` has given out, or hands on what `deliver` is for.
 */
import { setImmediate } from "node:timers/promises";
import type { LogEntry } from "../../log/entry.ts";
import type { EventLog, Slice } from "../../log/log.ts";
import { LogCursor, type Wanted } from "./log-cursor.ts";
import type { Pacer } from "./pacer.ts";

/** Where a reader stands and what it wants to have; with `runId`, it completes after its runEnd. */
export interface FollowOptions extends Wanted {
  readonly log: EventLog;
  readonly conversationId: string;
  /** The number of the last event that the reader has. */
  readonly after: number;
  /** The number of the run's runEnd, where it has ended: a reader who has that gets no more. */
  readonly completeAt?: number | undefined;
  /** What stands in for events after `after` that have left the log; empty if there is nothing. */
  readonly missed: (after: number) => Promise<readonly LogEntry[]>;
  /**
   * What else may be known when nothing has come for a while: the end of a run of which the log
   * will never tell. Rejects when the reader may not read on.
   */
  readonly lookAgain?: LookAgain | undefined;
  readonly pacer?: Pacer | undefined;
  /** Told now and then how long it took from the log's call until an event was handed over. */
  readonly onDelivered?: ((afterMs: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onClose?: (follower: Follower) => void;
}

export interface LookAgain {
  readonly afterMs: number;
  readonly look: (after: number) => Promise<readonly LogEntry[]>;
}

type Result = IteratorResult<LogEntry, undefined>;

interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Deliveries in a row after which a reader lets others have their turn. */
const deliveriesPerTurn = 32;
/** The log's calls to a reader of which one is timed: asking the clock each time would show. */
const callsPerSample = 32;

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };

export class Follower implements AsyncIterableIterator<LogEntry, undefined> {
  readonly #options: FollowOptions;
  readonly #cursor: LogCursor;
  /** The log may have more than was read. */
  #stale = true;
  /** Something has to happen first: the socket drains, a read settles, others have their turn. */
  #held = false;
  #deliveriesThisTurn = 0;
  #calls = 0;
  #calledAtMs: number | undefined;
  #waiting: Waiting | undefined;
  #take: ((entry: LogEntry) => void) | undefined;
  #lookAgainTimer: NodeJS.Timeout | undefined;
  #closed = false;
  #failure: unknown;
  #unsubscribe: (() => void) | undefined;

  private constructor(options: FollowOptions) {
    this.#options = options;
    this.#cursor = new LogCursor(options.after, options);
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  static async start(options: FollowOptions): Promise<Follower> {
    const follower = new Follower(options);
    const unsubscribe = await options.log.subscribe(options.conversationId, follower.#onChange);
    if (follower.#closed) unsubscribe();
    else follower.#unsubscribe = unsubscribe;
    const complete = options.completeAt !== undefined && options.after >= options.completeAt;
    if (complete || options.signal?.aborted === true) follower.#close();
    return follower;
  }

  /** The number of the last event that was taken or passed over. */
  get place(): number {
    return this.#cursor.place;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Ends the reader with an error: it may not read on. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#close();
  }

  /** One call at a time, as `for await` and tRPC do. */
  next(): Promise<Result> {
    try {
      const result = this.#advance();
      if (result !== undefined) return Promise.resolve(result);
    } catch (cause) {
      return Promise.reject(cause);
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** In place of `next`: events go to `take` as they come. @returns settles with the end */
  async deliver(take: (entry: LogEntry) => void): Promise<void> {
    this.#take = take;
    await this.next();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#close();
    return done;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  #advance(): Result | undefined {
    for (;;) {
      const result = this.#step();
      if (this.#take === undefined || result === undefined || result.done === true) return result;
      this.#take(result.value);
    }
  }

  /** What can be delivered now; undefined when something has to happen first. */
  #step(): Result | undefined {
    while (!this.#closed) {
      if (this.#held) return undefined;
      const busy = this.#options.pacer?.ready();
      if (busy !== undefined) {
        // Who takes nothing keeps nothing: what was read is read again, once it is wanted.
        this.#cursor.load([]);
        this.#stale = true;
        this.#holdFor(busy);
      } else if (this.#deliveriesThisTurn >= deliveriesPerTurn) {
        this.#deliveriesThisTurn = 0;
        this.#holdFor(setImmediate());
      } else {
        const entry = this.#cursor.take();
        if (entry !== undefined) return this.#delivered(entry);
        if (!this.#stale) return this.#idle();
        this.#read();
      }
    }
    if (this.#failure !== undefined) throw this.#failure;
    return done;
  }

  #delivered(entry: LogEntry): Result {
    this.#deliveriesThisTurn += 1;
    if (this.#calledAtMs !== undefined) {
      this.#options.onDelivered?.(performance.now() - this.#calledAtMs);
      this.#calledAtMs = undefined;
    }
    clearTimeout(this.#lookAgainTimer);
    this.#lookAgainTimer = undefined;
    if (entry.type === "runEnd" && this.#options.runId !== undefined) this.#close();
    return { done: false, value: entry };
  }

  #idle(): undefined {
    this.#deliveriesThisTurn = 0;
    const { lookAgain } = this.#options;
    if (lookAgain === undefined) return;
    this.#lookAgainTimer ??= setTimeout(() => {
      this.#lookAgainTimer = undefined;
      const looked = lookAgain.look(this.#cursor.place);
      this.#holdFor(
        looked.then((known) => {
          if (!this.#stale) this.#cursor.load(known);
        }),
      );
    }, lookAgain.afterMs);
  }

  #read(): void {
    this.#stale = false;
    const { log, conversationId } = this.#options;
    const reading = log.read(conversationId, this.#cursor.place);
    if (reading instanceof Promise) this.#holdFor(reading.then((slice) => this.#accept(slice)));
    else {
      const bridging = this.#accept(reading);
      if (bridging !== undefined) this.#holdFor(bridging);
    }
  }

  /** Takes what was read; where it does not follow the cursor, first what is known of the gap. */
  #accept({ entries, oldest }: Slice): Promise<void> | undefined {
    const { place } = this.#cursor;
    if (oldest === undefined || oldest > place + 1) return this.#bridge({ entries, oldest });
    if (this.#cursor.load(entries)) this.#stale = true;
    return undefined;
  }

  async #bridge({ entries, oldest }: Slice): Promise<void> {
    const known = await this.#options.missed(this.#cursor.place);
    // The log has begun meanwhile: what it has, nothing may stand in for.
    if (oldest === undefined && this.#stale) return;
    // What the log still has, it tells better.
    const kept = oldest === undefined ? known : known.filter(({ seq }) => seq < oldest);
    if (kept.length === 0 && oldest !== undefined) this.#cursor.passOver(oldest - 1);
    if (this.#cursor.load(kept.length > 0 ? kept : entries)) this.#stale = true;
  }

  #holdFor(work: Promise<unknown>): void {
    this.#held = true;
    work.then(
      () => {
        this.#held = false;
        this.#wake();
      },
      (cause) => this.fail(cause),
    );
  }

  readonly #onChange = (): void => {
    this.#stale = true;
    if (this.#calls % callsPerSample === 0) this.#calledAtMs ??= performance.now();
    this.#calls += 1;
    this.#wake();
  };

  readonly #onAbort = (): void => this.#close();

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    try {
      const result = this.#advance();
      if (result === undefined) this.#waiting = waiting;
      else waiting.resolve(result);
    } catch (cause) {
      waiting.reject(cause);
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cursor.load([]);
    clearTimeout(this.#lookAgainTimer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#unsubscribe?.();
    this.#options.onClose?.(this);
    this.#wake();
  }
}
