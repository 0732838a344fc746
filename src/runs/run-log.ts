/**
 * A log line when a run starts and one when it ends, and one for each tool that fails inside of it. Messages
 * and answers are not logged; `detail` is what the bot's code threw, in its words.
 */
import type { BotFailure } from "../bots/failures/bot-failure.ts";
import { describeThrown } from "../bots/failures/thrown.ts";
import type { LangwireError } from "../protocol/errors.ts";
import type { Run } from "../store/store.ts";
import type { RunObserver } from "./observer.ts";

type Write = (fields: object, message: string) => void;

/** As pino's; `console` is one, too. */
export interface RunLogger {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

export function logRuns(logger: RunLogger): RunObserver {
  /** One error passes through several spans. */
  const logged = new WeakSet<LangwireError>();
  const logBotFailure = ({ runId, botId }: Run, { error, span }: BotFailure): void => {
    // What fails a model or a chain mostly fails the run, whose own line says it.
    if (span === undefined || (span.source !== "tool" && span.source !== "retriever")) return;
    if (logged.has(error)) return;
    logged.add(error);
    const { source, name } = span;
    const fields = { runId, botId, [source]: name, code: error.code, ...thrown(error.cause) };
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
      if (status === "failed") logger.warn({ ...fields, ...thrown(cause) }, "run failed");
      else logger.info(fields, "run ended");
    },
    botFailed: logBotFailure,
    strayError: ({ botId, runId, kind, cause }) => {
      const fields = { botId, runId, kind, ...thrown(cause) };
      logger.error(fields, "an error got out of a bot's code");
    },
    failed: (what, cause) => logger.error({ ...runIn(cause), ...thrown(cause) }, what),
  };
}

/** The error itself, for loggers that have a form of their own for it, and its description. */
function thrown(cause: unknown): { readonly detail?: string; readonly err?: unknown } {
  return cause === undefined ? {} : { detail: describeThrown(cause), err: cause };
}

/** The id of the run that a failure is about, where it is said. */
function runIn(cause: unknown): { readonly runId?: string } {
  if (typeof cause !== "object" || cause === null || cause instanceof Error) return {};
  const { runId } = cause as { runId?: unknown };
  return typeof runId === "string" ? { runId } : {};
}
