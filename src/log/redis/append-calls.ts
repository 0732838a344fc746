/**
 * The calls by which all runs of this process append to Redis: what they have at the end of one turn of
 * the event loop is one call, and where many speak, what only goes on with a text waits for others' until
 * 4 ms after the call before. Each run gets the answer to its own append (run-scripts.ts).
 *
 *   0 ms  a, b, c ──▶ call         No call waits for the answer to another: a Redis that is slow, or a
 *   1 ms  d                        process that was not let run, would then be late twice. What one run
 *   2 ms  e                        says while its own append is under way goes with its next, so a
 *   4 ms  ──▶ call: d, e           slower Redis means larger groups.
 *
 * On a cluster each append is a call by itself, as its keys are in a slot of their own: those of one
 * turn are written to their shards together. A call that Redis refuses as a whole, for its size or for
 * one append in it, is made again as one for each append: only what is refused by itself fails.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { RedisCommands } from "../../redis/connection.ts";
import type { LogEntry } from "../entry.ts";
import { type Appended, appendScript, type ConversationKeys } from "./run-scripts.ts";

/** Events of one run, from a number on. */
export interface Append {
  readonly keys: ConversationKeys;
  readonly runId: string;
  /** Renews the keys' time to live, in milliseconds; 0 leaves that alone. */
  readonly liveMs: number;
  readonly firstSeq: number;
  /** Of this and earlier appends, to be added to what the conversation holds; 0: at another time. */
  readonly countedBytes: number;
  readonly entries: readonly LogEntry[];
  /** Of the entries' JSON. */
  readonly bytes: number;
  /** Sent by itself: one that failed before would have the others' call refused again and again. */
  readonly alone: boolean;
}

/** A way to Redis that knows Redis's answers: to import its package here would load it for those without. */
export interface AppendLink extends RedisCommands {
  /** Whether Redis, or what stands before it, answered that it does not do what it was asked. */
  isRefusal(cause: unknown): cause is Error;
}

/** What Redis answered to one append. */
export interface AppendAnswer {
  readonly how: Exclude<Appended[0], "failed">;
  /** The number of the last event that Redis has of the conversation. */
  readonly lastSeq: number;
}

interface Waiting {
  /** Called when the call is made: what comes until then goes with it. Undefined: nothing is to be sent. */
  readonly take: () => Append | undefined;
  readonly resolve: (answer: AppendAnswer | undefined) => void;
  readonly reject: (cause: unknown) => void;
}

interface Taken {
  readonly append: Append;
  readonly waiting: Waiting;
}

/**
 * From one call to the next, at the least, unless somebody hurries. A call costs Redis and both nodes
 * several times what an event in it does, most of all in being woken. Longer would be cheaper still, and
 * the latest tokens later than they are without.
 */
const paceMs = 4;
/** Between two appends of this process, on average: only below it there is somebody to wait for. */
const busyMs = 2;
const idleMs = 100;
const averaged = 16;
/** Events in one call: Redis does nothing else meanwhile. One append may have as many by itself. */
const maxCallEntries = 512;
/** Bytes of events in one call: what stands before a hosted Redis takes commands up to a size. */
export const maxCallBytes = 1024 * 1024;

export class AppendCalls {
  readonly #link: AppendLink;
  readonly #fencingToken: string;
  #waiting: Waiting[] = [];
  #scheduled = false;
  /** Of a call that is scheduled for later than this turn's end. */
  #timer: NodeJS.Timeout | undefined;
  #hurries = false;
  #calledAtMs = Number.NEGATIVE_INFINITY;
  #sentAtMs = 0;
  #betweenMs = idleMs;
  /** False once what is between us and Redis has refused keys of several slots in one call. */
  #together = true;
  /** Outside of the async context of whoever is first: the call is everybody's. */
  readonly #schedule = AsyncLocalStorage.bind(() => {
    this.#scheduled = true;
    const waits = !this.#hurries && this.#betweenMs < busyMs;
    const waitMs = waits ? this.#calledAtMs + paceMs - performance.now() : 0;
    if (waitMs > 0) this.#timer = setTimeout(() => this.#call(), waitMs);
    else setImmediate(() => this.#call());
  });

  /** @param fencingToken of all runs that this process writes */
  constructor(link: AppendLink, fencingToken: string) {
    this.#link = link;
    this.#fencingToken = fencingToken;
  }

  /**
   * Appends what `take` gives when the next call is made.
   * @returns undefined where it gave nothing
   * @throws the connection's error, after which the events may be in or not; or what Redis answered
   */
  send(take: () => Append | undefined): Promise<AppendAnswer | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<AppendAnswer | undefined>();
    this.#waiting.push({ take, resolve, reject });
    const nowMs = performance.now();
    const sinceMs = Math.min(nowMs - this.#sentAtMs, idleMs);
    this.#betweenMs += (sinceMs - this.#betweenMs) / averaged;
    this.#sentAtMs = nowMs;
    this.#callSoon();
    return promise;
  }

  /** What waits goes at the end of this turn. */
  hurry(): void {
    this.#hurries = true;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule();
  }

  get #takesMany(): boolean {
    return this.#together && this.#link.takesAnyKeys;
  }

  #callSoon(): void {
    if (!this.#scheduled) this.#schedule();
  }

  #call(): void {
    this.#scheduled = false;
    this.#timer = undefined;
    this.#hurries = false;
    this.#calledAtMs = performance.now();
    let group: Taken[] = [];
    let entries = 0;
    let bytes = 0;
    for (const waiting of this.#waiting.splice(0)) {
      const append = waiting.take();
      if (append === undefined) {
        waiting.resolve(undefined);
        continue;
      }
      if (append.alone || !this.#takesMany) {
        void this.#send([{ append, waiting }]);
        continue;
      }
      entries += append.entries.length;
      bytes += append.bytes;
      if (group.length > 0 && (entries > maxCallEntries || bytes > maxCallBytes)) {
        void this.#send(group);
        group = [];
        entries = append.entries.length;
        bytes = append.bytes;
      }
      group.push({ append, waiting });
    }
    if (group.length > 0) void this.#send(group);
  }

  async #send(group: readonly Taken[]): Promise<void> {
    try {
      const renews = group.some(({ append }) => append.liveMs > 0);
      const args = [this.#fencingToken, renews ? 3 : 2, ...argumentsOf(group)];
      const answers = await appendScript.run(this.#link, keysOf(group, renews), args);
      for (const [index, { waiting }] of group.entries()) {
        settle(waiting, answers[2 * index], answers[2 * index + 1]);
      }
    } catch (cause) {
      if (group.length > 1 && this.#link.isRefusal(cause)) {
        // One append or none may be at fault. What Redis did of them all the same, it does not do again.
        if (isAcrossSlots(cause)) this.#together = false;
        for (const one of group) void this.#send([one]);
      } else {
        for (const { waiting } of group) waiting.reject(cause);
      }
    }
  }
}

function keysOf(group: readonly Taken[], renews: boolean): string[] {
  const keys: string[] = [];
  for (const { append } of group) {
    const { events, lease, ended } = append.keys;
    keys.push(events, lease);
    if (renews) keys.push(ended);
  }
  return keys;
}

function argumentsOf(group: readonly Taken[]): (string | number)[] {
  const args: (string | number)[] = [];
  for (const { append } of group) {
    const { keys, runId, liveMs, firstSeq, countedBytes, entries } = append;
    const before = firstSeq - 1;
    const { length } = entries;
    const isPlain = liveMs === 0 && countedBytes === 0;
    args.push(runId, keys.channel, before, before + length);
    args.push(isPlain ? length : `${length} ${liveMs} ${countedBytes}`);
    for (const { json } of entries) args.push(json);
  }
  return args;
}

function settle(
  waiting: Waiting,
  how: Appended[0] | Appended[1] | undefined,
  last: Appended[1] | undefined,
): void {
  switch (how) {
    case "ok":
    case "gap":
    case "fenced":
    case "closed":
    case "lost":
      waiting.resolve({ how, lastSeq: Number(last) });
      break;
    default:
      waiting.reject(new Error(`Redis did not append: ${last}`));
  }
}

/** A proxy in front of several servers. */
function isAcrossSlots(cause: Error): boolean {
  return /slot/i.test(cause.message);
}
