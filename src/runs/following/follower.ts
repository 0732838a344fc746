/**
 * A reader of a conversation's log: a cursor, paced by its own socket, with nothing queued for it. What
 * it waits for, and what each wait leads to, is the table of follower-state.ts.
 *
 * By hand and without `async`: this is the path of every event to every reader. When the log wakes it,
 * it settles the one promise that `next` has given out, or hands on what `deliver` is for.
 */
import { setImmediate } from "node:timers/promises";
import type { LogEntry } from "../../log/entry.ts";
import type { EventLog, Slice } from "../../log/log.ts";
import type { FollowOptions, ReadPermit } from "./follow-options.ts";
import { type FollowerState, initialState } from "./follower-state.ts";
import { LogCursor } from "./log-cursor.ts";
import type { Pacer } from "./pacer.ts";

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
  // Of the options, what each event takes: among a thousand readers, each object more on the way costs.
  readonly #pacer: Pacer | undefined;
  readonly #log: EventLog;
  readonly #conversationId: string;
  readonly #isOfRun: boolean;
  readonly #isTimed: boolean;
  readonly #cursor: LogCursor;
  #permit: ReadPermit | undefined;
  #state: FollowerState = initialState;
  /** Numbers the waits: the answer to one that is over is nothing. */
  #waitNumber = 0;
  #deliveriesThisTurn = 0;
  #calls = 0;
  #calledAtMs: number | undefined;
  #waiting: Waiting | undefined;
  #take: ((entry: LogEntry) => void) | undefined;
  #silenceTimer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #unsubscribe: (() => void) | undefined;

  private constructor(options: FollowOptions) {
    this.#options = options;
    this.#pacer = options.pacer;
    this.#log = options.log;
    this.#conversationId = options.conversationId;
    this.#isOfRun = options.runId !== undefined;
    this.#isTimed = options.silenceMs !== undefined;
    this.#cursor = new LogCursor(options.after, options);
    options.signal?.addEventListener("abort", this.#onAbort);
  }

  static async start(options: FollowOptions): Promise<Follower> {
    const follower = new Follower(options);
    if (options.signal?.aborted === true || options.complete === true) follower.#close();
    else await follower.#subscribe();
    return follower;
  }

  /** The number of the last event that was taken or passed over. */
  get position(): number {
    return this.#cursor.position;
  }

  get closed(): boolean {
    return this.#state.name === "closed";
  }

  /** From now on it reads by this. */
  readBy(permit: ReadPermit): void {
    this.#permit = permit;
  }

  /** Ends the reader with an error: it may not read on. */
  fail(error: unknown): void {
    if (this.closed) return;
    this.#failure = error;
    this.#close();
  }

  /** One call at a time, as `for await` and tRPC do. */
  next(): Promise<Result> {
    try {
      const result = this.#advance();
      if (result !== undefined) return Promise.resolve(result);
    } catch (cause) {
      this.fail(cause);
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

  async #subscribe(): Promise<void> {
    const { log, conversationId, signal } = this.#options;
    try {
      const unsubscribe = await log.subscribe(conversationId, this.#onChange);
      if (this.closed) unsubscribe();
      else this.#unsubscribe = unsubscribe;
    } catch (cause) {
      signal?.removeEventListener("abort", this.#onAbort);
      throw cause;
    }
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
    while (this.#state.name === "ready") {
      const busy = this.#permit?.proof() ?? this.#pacer?.ready();
      if (busy !== undefined) {
        this.#cursor.clear();
        this.#state = this.#state.on.busy;
        this.#waitFor(busy, () => this.#loaded(false));
      } else if (this.#deliveriesThisTurn >= deliveriesPerTurn) {
        this.#deliveriesThisTurn = 0;
        this.#state = this.#state.on.turnOver;
        this.#waitFor(setImmediate(), () => this.#loaded(false));
      } else {
        const entry = this.#cursor.take();
        if (entry !== undefined) return this.#delivered(entry);
        this.#state = this.#state.on.drained;
        if (this.#state.name === "reading") this.#read();
        else this.#idle();
      }
    }
    if (!this.closed) return undefined;
    if (this.#failure !== undefined) throw this.#failure;
    return done;
  }

  #delivered(entry: LogEntry): Result {
    this.#deliveriesThisTurn += 1;
    if (this.#calledAtMs !== undefined) {
      this.#options.onDelivered?.(performance.now() - this.#calledAtMs);
      this.#calledAtMs = undefined;
    }
    if (this.#silenceTimer !== undefined) {
      clearTimeout(this.#silenceTimer);
      this.#silenceTimer = undefined;
    }
    if (this.#isOfRun && entry.type === "runEnd") this.#close();
    return { done: false, value: entry };
  }

  #idle(): void {
    this.#deliveriesThisTurn = 0;
    if (!this.#isTimed) return;
    const { silenceMs, backfill } = this.#options;
    // Of the rest of an archive the log has not told either.
    const ms = backfill.isWithinArchive(this.#cursor.position) ? 0 : silenceMs;
    this.#silenceTimer ??= setTimeout(() => this.#checkStore(), ms);
  }

  #read(): void {
    const reading = this.#log.read(this.#conversationId, this.#cursor.position);
    if (reading instanceof Promise) this.#waitFor(reading, (slice) => this.#accept(slice));
    else this.#accept(reading);
  }

  /** Takes what was read; where it does not follow the cursor, first what is known of the gap. */
  #accept(slice: Slice): void {
    if (!this.#cursor.isBehind(slice)) {
      const any = this.#cursor.load(slice.entries);
      this.#loaded(any && slice.isLast !== true);
      return;
    }
    this.#state = this.#state.on.gap;
    this.#waitFor(this.#options.backfill.acrossGap(this.#cursor.position), (known) => {
      // The log has begun meanwhile: what it has, nothing may stand in for.
      const begun = slice.oldest === undefined && this.#state.unread;
      this.#loaded(!begun && this.#cursor.loadAcross(slice, known));
    });
  }

  #checkStore(): void {
    this.#silenceTimer = undefined;
    this.#state = this.#state.on.silence;
    if (this.#state.name !== "checking") return;
    const asked = this.#options.backfill.afterSilence(this.#cursor.position);
    this.#waitFor(asked, (known) => this.#loaded(this.#cursor.load(known)));
  }

  #loaded(mayBeMore: boolean): void {
    this.#state = mayBeMore ? this.#state.on.found : this.#state.on.settled;
  }

  /** Goes on with what a wait brings, unless the wait was over before that. */
  #waitFor<T>(work: Promise<T>, then: (answer: T) => void): void {
    const number = ++this.#waitNumber;
    work
      .then((answer) => {
        if (number !== this.#waitNumber) return;
        then(answer);
        this.#wake();
      })
      // Also of a wait that is over: where a reader may not read on, it does not matter when it asked.
      .catch((cause) => this.fail(cause));
  }

  readonly #onChange = (): void => {
    if (this.#calls % callsPerSample === 0) this.#calledAtMs ??= performance.now();
    this.#calls += 1;
    if (this.#state.name === "checking") this.#waitNumber += 1;
    this.#state = this.#state.on.changed;
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
      this.fail(cause);
      waiting.reject(cause);
    }
  }

  #close(): void {
    if (this.closed) return;
    this.#state = this.#state.on.close;
    this.#waitNumber += 1;
    this.#cursor.clear();
    clearTimeout(this.#silenceTimer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#unsubscribe?.();
    this.#options.onClose?.(this);
    this.#wake();
  }
}
