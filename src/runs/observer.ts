/** Who wants to know of runs besides their readers: logs, metrics, traces. */
import type { StrayError } from "../bots/isolation/bot-at-work.ts";
import type { SpanEvent } from "../bots/run/run-bot.ts";
import type { Run } from "../store/store.ts";
import type { RunEnding } from "./lifecycle/live-run.ts";

export interface RunObserver {
  runStarted?(run: Run): void;
  /** What a span of the run does, tokens and reasoning apart. */
  spanEvent?(run: Run, event: SpanEvent): void;
  runEnded?(run: Run, ending: RunEnding): void;
  /** An event was handed to a reader, so long after the log had it: one in some is timed. */
  delivered?(afterMs: number): void;
  /** An error got out of a bot's code by itself, during its run or after it, and was contained. */
  strayError?(error: StrayError): void;
  /** Something that no caller is told in full. */
  failed?(what: string, cause: unknown): void;
}

/** `spanEvent` and `delivered` are there only where somebody listens: nothing is spent on them. */
export type ShieldedObserver = RunObserver & Required<Omit<RunObserver, "spanEvent" | "delivered">>;

/** The observer, with what it throws kept from the run that it looks at. */
export function shielded(observer: RunObserver): ShieldedObserver {
  const failed = (what: string, cause: unknown): void => {
    try {
      observer.failed?.(what, cause);
    } catch {
      // There is nobody left to tell.
    }
  };
  const tell = (what: () => void): void => {
    try {
      what();
    } catch (cause) {
      failed("an observer of runs failed", cause);
    }
  };
  return {
    runStarted: (run) => tell(() => observer.runStarted?.(run)),
    runEnded: (run, ending) => tell(() => observer.runEnded?.(run, ending)),
    strayError: (error) => tell(() => observer.strayError?.(error)),
    failed,
    ...(observer.spanEvent && {
      spanEvent: (run, event) => tell(() => observer.spanEvent?.(run, event)),
    }),
    ...(observer.delivered && {
      delivered: (afterMs) => tell(() => observer.delivered?.(afterMs)),
    }),
  };
}

/** Tells each of several observers; what one throws is kept from the others. */
export function allOf(observers: readonly RunObserver[]): RunObserver {
  const each = observers.map(shielded);
  const has = (name: "spanEvent" | "delivered") => each.some((one) => one[name] !== undefined);
  return {
    runStarted: (run) => each.forEach((one) => void one.runStarted(run)),
    runEnded: (run, ending) => each.forEach((one) => void one.runEnded(run, ending)),
    strayError: (error) => each.forEach((one) => void one.strayError(error)),
    failed: (what, cause) => each.forEach((one) => void one.failed(what, cause)),
    ...(has("spanEvent") && {
      spanEvent: (run, event) => each.forEach((one) => void one.spanEvent?.(run, event)),
    }),
    ...(has("delivered") && {
      delivered: (afterMs) => each.forEach((one) => void one.delivered?.(afterMs)),
    }),
  };
}
