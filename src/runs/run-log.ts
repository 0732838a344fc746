/**
 * A log line when a run starts and one when it ends, and one for each tool that fails inside of it. Messages
 * and answers are not logged; `detail` is what the bot's code threw, in its words.
 */
import { Console } from "node:console";
import type { BotFailure } from "../bots/failures/bot-failure.ts";
import { describeThrown, describeUnquoted, isOfProvider } from "../bots/failures/thrown.ts";
import { unreachable } from "../bots/provider/unreachable.ts";
import type { ErrorCode, LangwireError } from "../protocol/errors.ts";
import type { Run } from "../store/store.ts";
import { linesOf } from "./default-log.ts";
import type { RunObserver } from "./observer.ts";

type Write = (fields: object, message: string) => void;

/** As pino's; `console` is one, too, and is given lines of text. */
export interface RunLogger {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

export interface RunLogOptions {
  /**
   * Whether what providers and parsers say is logged, which may quote prompts and answers; a function is
   * asked each time. Default: false.
   */
  readonly quotes?: boolean | (() => boolean);
}

export function logRuns(given: RunLogger, { quotes = false }: RunLogOptions = {}): RunObserver {
  const logger = given instanceof Console ? linesOf(given) : given;
  /** The error itself, for loggers that have a form of their own for it, and what it says. */
  const thrown = (cause: unknown, code?: ErrorCode) => {
    if (cause === undefined) return {};
    const isQuoted = typeof quotes === "function" ? quotes() : quotes;
    const detail = isQuoted ? describeThrown(cause) : describeUnquoted(cause, code);
    const where = code !== undefined && isOfProvider(code) ? unreachable(cause) : undefined;
    const away = where === undefined ? "" : `The provider cannot be reached at ${where}\n`;
    return { detail: away + detail, err: cause };
  };
  /** One error passes through several spans. */
  const logged = new WeakSet<LangwireError>();
  const logBotFailure = ({ runId, botId }: Run, { error, span }: BotFailure): void => {
    // What fails a model or a chain mostly fails the run, whose own line says it.
    if (span === undefined || (span.source !== "tool" && span.source !== "retriever")) return;
    if (logged.has(error)) return;
    logged.add(error);
    const { source, name } = span;
    const { code, cause } = error;
    const fields = { runId, botId, [source]: name, code, ...thrown(cause, code) };
    logger.warn(fields, `${source} failed`);
  };
  return {
    runStarted: ({ runId, conversationId, botId, userId }) => {
      logger.info({ runId, conversationId, botId, userId }, "run started");
    },
    runEnded: (run, { status, usage, error, providerCalls, cause }) => {
      const durationMs = Date.now() - Date.parse(run.startedAt);
      const { runId, botId } = run;
      const fields = { runId, botId, status, code: error?.code, durationMs, usage, providerCalls };
      const failed = { ...fields, ...thrown(cause, error?.code) };
      if (status === "failed") logger.warn(failed, "run failed");
      else logger.info(fields, "run ended");
    },
    botFailed: logBotFailure,
    strayError: ({ botId, runId, kind, cause }) => {
      const fields = { botId, runId, kind, ...thrown(cause) };
      logger.error(fields, "an error got out of a bot's code");
    },
    failed: (what, cause) => {
      const said = cause instanceof Error ? thrown(cause) : { err: cause };
      logger.error({ ...runIn(cause), ...said }, what);
    },
  };
}

/** The id of the run that a failure is about, where it is said. */
function runIn(cause: unknown): { readonly runId?: string } {
  if (typeof cause !== "object" || cause === null || cause instanceof Error) return {};
  const { runId } = cause as { runId?: unknown };
  return typeof runId === "string" ? { runId } : {};
}
