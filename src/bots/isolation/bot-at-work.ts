/**
 * Whose code is at work: the async context names the run, also in timers, streams and promises that
 * nobody holds. It outlives the run in pooled connections, so what it holds is small.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export interface BotAtWork {
  readonly botId: string;
  readonly runId: string;
}

/** How an error got out: a promise that nobody held, or a throw that nobody could catch. */
export type StrayKind = "rejection" | "exception";

/** An error that got out of a bot's code by itself. */
export interface StrayError extends BotAtWork {
  readonly kind: StrayKind;
  readonly cause: unknown;
}

/** A bot whose stray errors are contained. */
export interface ContainedBot extends BotAtWork {
  readonly stray: (error: StrayError) => void;
  /** Fails the run, while there is one. */
  crash: ((cause: unknown) => void) | undefined;
}

const atWork = new AsyncLocalStorage<ContainedBot>();

export function withBotAtWork<T>(bot: ContainedBot, code: () => T): T {
  return atWork.run(bot, code);
}

/** @internal */
export function containedBot(): ContainedBot | undefined {
  return atWork.getStore();
}

/**
 * The run whose bot's code is at work here, if its stray errors are contained: for the listeners of
 * `uncaughtException` and `unhandledRejection` that an application has of its own.
 */
export function botAtWork(): BotAtWork | undefined {
  const bot = atWork.getStore();
  return bot && { botId: bot.botId, runId: bot.runId };
}
