/**
 * Finds the run whose bot's code is executing: by the async context, which timers, streams and floating
 * promises inherit. Pooled connections keep the context longer than the run, so it holds little.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export interface BotAtWork {
  readonly botId: string;
  readonly runId: string;
}

/** How an error got out: a floating promise rejected, or a callback threw. */
export type StrayKind = "rejection" | "exception";

/** An error that a bot's code threw where nobody could catch it. */
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
