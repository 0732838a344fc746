/** Observes all runs of a process: for logs, metrics and traces. */
import type { BotFailure } from "../bots/failures/bot-failure.ts";
import type { StrayError } from "../bots/isolation/bot-at-work.ts";
import type { SpanEvent } from "../bots/run/run-bot.ts";
import type { Run } from "../store/store.ts";
import type { RunEnding } from "./run-events.ts";

export interface RunObserver {
  runStarted?(run: Run): void;
  /** Each event of the run's spans but tokens and reasoning. */
  spanEvent?(run: Run, event: SpanEvent): void;
  runEnded?(run: Run, ending: RunEnding): void;
  /**
   * A span of the run failed, which the run may survive, or the run itself. Called before its readers
   * hear of it; of one error for each span that it passes through.
   */
  botFailed?(run: Run, failure: BotFailure): void;
  /** Runs the bot's code of a run, once, so that what the code begins inherits a context. */
  withinRun?<T>(run: Run, botCode: () => T): T;
  /** An event was delivered to a reader this long after the log had it. A sample, not every event. */
  delivered?(afterMs: number): void;
  /** An error that a bot's code threw where nobody could catch it was contained; the run may be over. */
  strayError?(error: StrayError): void;
  /** Something failed whose cause no caller receives in full. */
  failed?(what: string, cause: unknown): void;
}

/** `spanEvent` and `delivered` are absent where nobody observes them, so the hot path skips them. */
export type ShieldedObserver = RunObserver & Required<Omit<RunObserver, "spanEvent" | "delivered">>;

/** The observer, so that what it throws is reported to `failed` and does not reach the run. */
export function shielded(observer: RunObserver): ShieldedObserver {
  const failed = (what: string, cause: unknown): void => {
    try {
      observer.failed?.(what, cause);
    } catch {
      // The observer's own reporting throws: nothing is left to report it to.
    }
  };
  const notify = (call: () => void): void => {
    try {
      call();
    } catch (cause) {
      failed("an observer of runs failed", cause);
    }
  };
  return {
    runStarted: (run) => notify(() => observer.runStarted?.(run)),
    runEnded: (run, ending) => notify(() => observer.runEnded?.(run, ending)),
    botFailed: (run, failure) => notify(() => observer.botFailed?.(run, failure)),
    strayError: (error) => notify(() => observer.strayError?.(error)),
    withinRun: (run, botCode) => {
      const once = onceOnly(botCode);
      notify(() => void observer.withinRun?.(run, once));
      return once();
    },
    failed,
    ...(observer.spanEvent && {
      spanEvent: (run, event) => notify(() => observer.spanEvent?.(run, event)),
    }),
    ...(observer.delivered && {
      delivered: (afterMs) => notify(() => observer.delivered?.(afterMs)),
    }),
  };
}

/** One observer out of several: each is called, whatever the others throw. */
export function allOf(observers: readonly RunObserver[]): RunObserver {
  const each = observers.map(shielded);
  const has = (name: "spanEvent" | "delivered") => each.some((one) => one[name] !== undefined);
  return {
    runStarted: (run) => each.forEach((one) => void one.runStarted(run)),
    runEnded: (run, ending) => each.forEach((one) => void one.runEnded(run, ending)),
    botFailed: (run, failure) => each.forEach((one) => void one.botFailed(run, failure)),
    strayError: (error) => each.forEach((one) => void one.strayError(error)),
    withinRun: (run, botCode) => within(each, run, botCode),
    failed: (what, cause) => each.forEach((one) => void one.failed(what, cause)),
    ...(has("spanEvent") && {
      spanEvent: (run, event) => each.forEach((one) => void one.spanEvent?.(run, event)),
    }),
    ...(has("delivered") && {
      delivered: (afterMs) => each.forEach((one) => void one.delivered?.(afterMs)),
    }),
  };
}

function within<T>(observers: readonly ShieldedObserver[], run: Run, botCode: () => T): T {
  const [first, ...rest] = observers;
  return first === undefined ? botCode() : first.withinRun(run, () => within(rest, run, botCode));
}

/** Whatever an observer does, the bot's code runs once. */
function onceOnly<T>(code: () => T): () => T {
  let outcome: (() => T) | undefined;
  return () => {
    if (outcome === undefined) {
      try {
        const result = code();
        outcome = () => result;
      } catch (cause) {
        outcome = () => {
          throw cause;
        };
      }
    }
    return outcome();
  };
}
