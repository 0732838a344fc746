/**
 * A log, a store and a socket that do what a schedule says, each answer when it says so: what a follower
 * may meet, without a clock, a network or a process.
 */
import { LogEntry } from "../../src/log/entry.ts";
import type { EventLog, MaybePromise, Slice } from "../../src/log/log.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import {
  Backfill,
  type BackfillOptions,
  startingPosition,
} from "../../src/runs/following/backfill.ts";
import { Follower } from "../../src/runs/following/follower.ts";
import type { Run, Store } from "../../src/store/store.ts";

const at = "2026-01-01T00:00:00.000Z";
const conversationId = "c";
const userId = "ann";
const spanId = "s";
const sliceEntries = 7;

/** An answer that somebody waits for. */
interface Question {
  answer(): void;
  fail(cause: unknown): void;
}

export interface ReaderOptions {
  /** Of one run, the first is 0; undefined: of all. */
  readonly run?: number | undefined;
  readonly position?: number | undefined;
  readonly onlyEnds: boolean;
  /** Whether `deliver` is used in place of `next`. */
  readonly pushed: boolean;
}

export const silenceMs = 100;

export class FollowerWorld {
  /** Whether others write the log: it then answers late, may lose what it had, and the store is asked. */
  readonly shared: boolean;
  /** Everything that was ever appended, or stored and lost; the number of an event is its place + 1. */
  readonly events: ChatEvent[] = [];
  readonly runs: Run[] = [];
  readonly listeners = new Set<() => void>();
  readonly questions: Question[] = [];
  /** Numbers that have left the log, or never were in it. */
  readonly gone = new Set<number>();
  /** From where on the log was read, in order. */
  readonly asked: number[] = [];
  /** Which runs are archived when they end, by their places: all, every second one, or none. */
  archived: "all" | "some" | "none" = "none";
  /** Whether an answer is that of when it was asked for, or of when it comes. */
  stale = false;
  /** Whether the log is asked over the network. */
  remote = false;
  /** How many entries the socket takes before it has to drain. */
  room = 0;
  /** Whether an event was handed to a socket that took no more. */
  overdrawn = false;
  member = true;
  #oldest: number | undefined;
  #draining: PromiseWithResolvers<void> | undefined;

  constructor(shared: boolean) {
    this.shared = shared;
  }

  get lastSeq(): number {
    return this.events.length;
  }

  /** Appends to the run in progress, or begins one. */
  append(kind: "token" | "custom", count = 1): void {
    const run = this.#current() ?? this.#begin();
    const { runId } = run;
    for (let added = 0; added < count; added++) {
      const seq = this.lastSeq + 1;
      if (kind === "token") this.#write({ type: "token", runId, spanId, text: `${seq},` });
      else this.#write({ type: "custom", runId, spanId, name: `${seq}` });
    }
    this.#notify();
  }

  /** The store hears of the run's end; the log does next, or never, and loses the rest as well. */
  finish(heard: "log" | "store alone"): void {
    const run = this.#current();
    if (run === undefined) return;
    const { runId } = run;
    Object.assign(run, { status: "completed", text: "", endSeq: this.lastSeq + 1, endedAt: at });
    this.#write({ type: "runEnd", runId, at, status: "completed", text: "" });
    if (heard === "log") this.#notify();
    else this.#lose();
  }

  /** Runs that have ended leave, oldest first. */
  evict(count: number): void {
    const ended = this.runs.filter(({ status }) => status !== "running");
    const last = ended[count]?.endSeq;
    if (last === undefined || this.#oldest === undefined || last < this.#oldest) return;
    for (let seq = 1; seq <= last; seq++) this.gone.add(seq);
    this.#oldest = last + 1;
    this.#notify();
  }

  /** Whether the event can be read for good. */
  isArchived({ runId }: { readonly runId: string }): boolean {
    const index = this.runs.findIndex((run) => run.runId === runId);
    if (this.runs[index]?.status === "running") return false;
    return this.archived === "all" || (this.archived === "some" && index % 2 === 0);
  }

  /** The socket takes so many entries more. */
  drain(entries: number): void {
    this.room += entries;
    const draining = this.#draining;
    this.#draining = undefined;
    draining?.resolve();
  }

  /** @returns undefined where there is nothing to answer */
  question(index: number): Question | undefined {
    const [question] = this.questions.splice(index % Math.max(1, this.questions.length), 1);
    return question;
  }

  /** A reader; what it gets from then on is in `got`. */
  async read({ run: index, position, onlyEnds, pushed }: ReaderOptions) {
    const run = index === undefined ? undefined : this.runs[index];
    const stopping = new AbortController();
    const start = run === undefined ? this.lastSeq : run.firstSeq - 1;
    const last = run?.endSeq ?? this.lastSeq;
    const known = { start, last, restart: start, end: run?.endSeq };
    const begins = startingPosition(position, known);
    const from = begins.complete ? undefined : begins.after;
    const runId = run?.runId;
    const interruptions = () => 0;
    const follower = await Follower.start({
      log: this.#log,
      conversationId,
      runId,
      ...begins,
      only: onlyEnds ? new Set(["runEnd"]) : undefined,
      backfill: new Backfill({
        ...{ store: this.#store, archives: this.#archives },
        ...{ userId, conversationId, runId, interruptions },
      }),
      silenceMs: this.shared ? silenceMs : undefined,
      pacer: { ready: () => this.#ready() },
      signal: stopping.signal,
    });
    const got: LogEntry[] = [];
    const take = (entry: LogEntry): void => {
      this.overdrawn ||= this.room <= 0;
      this.room -= 1;
      got.push(entry);
    };
    const reading = pushed ? follower.deliver(take) : pull(follower, take);
    const ending = reading.then(
      () => "done",
      (cause: unknown) => (cause instanceof LangwireError ? cause.code : cause),
    );
    return { follower, from, run, onlyEnds, got, ending, abort: () => stopping.abort() };
  }

  #ready(): Promise<void> | undefined {
    if (this.room > 0) return undefined;
    this.#draining ??= Promise.withResolvers();
    return this.#draining.promise;
  }

  #current(): Run | undefined {
    return this.runs.find(({ status }) => status === "running");
  }

  #begin(): Run {
    const [runId, firstSeq] = [`run ${this.runs.length}`, this.lastSeq + 1];
    const run = { ...{ runId, conversationId, botId: "b", userId, message: "m" }, firstSeq };
    const begun: Run = { ...run, status: "running", startedAt: at };
    this.runs.push(begun);
    this.#oldest ??= firstSeq;
    this.#write({
      ...{ type: "runStart", runId, at, conversationId, botId: "b", userId },
      message: "m",
    });
    return begun;
  }

  #write(event: ChatEvent): void {
    this.events.push(event);
  }

  #notify(): void {
    for (const listener of [...this.listeners]) listener();
  }

  /** The log knows nothing more of the conversation, and nobody is told. */
  #lose(): void {
    for (let seq = 1; seq <= this.lastSeq; seq++) this.gone.add(seq);
    this.#oldest = undefined;
  }

  #slice(after: number): Slice {
    const oldest = this.#oldest;
    if (oldest === undefined) return { entries: [], oldest };
    const from = Math.max(after + 1, oldest);
    const some = this.events.slice(from - 1, from - 1 + sliceEntries);
    const entries = some.map((event, index) => LogEntry.of(from + index, event));
    return { entries, oldest, isLast: from + some.length > this.lastSeq };
  }

  /** Answered once the schedule says so. */
  #ask<T>(find: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const now = find();
    const answer = this.stale ? () => resolve(now) : () => resolve(find());
    this.questions.push({ answer, fail: reject });
    return promise;
  }

  get #log(): EventLog {
    const read = (_id: string, after: number): MaybePromise<Slice> => {
      this.asked.push(after);
      return this.remote && this.shared ? this.#ask(() => this.#slice(after)) : this.#slice(after);
    };
    const subscribe = (_id: string, onChange: () => void) => {
      this.listeners.add(onChange);
      return () => void this.listeners.delete(onChange);
    };
    return { read, subscribe } as Pick<EventLog, "read" | "subscribe"> as EventLog;
  }

  get #archives(): BackfillOptions["archives"] {
    const find = (runId: string, after: number) => {
      if (!this.isArchived({ runId })) return [];
      const entries = this.events.map((event, place) => LogEntry.of(place + 1, event));
      const rest = entries.filter((entry) => entry.runId === runId && entry.seq > after);
      return rest.slice(0, sliceEntries);
    };
    return { after: (runId, after) => this.#ask(() => find(runId, after)) };
  }

  get #store(): Store {
    const ended = (after: number) =>
      this.runs.filter(({ endSeq }) => endSeq !== undefined && endSeq > after).slice(0, 2);
    const copy = (run: Run | undefined) => run && { ...run };
    return {
      runs: {
        get: (runId: string) =>
          this.#ask(() =>
            this.member ? copy(this.runs.find((run) => run.runId === runId)) : undefined,
          ),
        running: () => this.#ask(() => copy(this.#current())),
        endedBetween: (_id: string, after: number) =>
          this.#ask(() => ended(after).map((run) => ({ ...run, archived: this.isArchived(run) }))),
      },
      conversations: { isMember: () => this.#ask(() => this.member) },
    } as unknown as Store;
  }
}

async function pull(follower: Follower, take: (entry: LogEntry) => void): Promise<void> {
  for await (const entry of follower) take(entry);
}
