/** A log line when a run starts and one when it ends. Messages and answers are not logged. */
import type { RunObserver } from "../../runs/observer.ts";

type Write = (fields: object, message: string) => void;

/** As pino's; `console` is one, too. */
export interface RunLogger {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

export function logRuns(logger: RunLogger): RunObserver {
  return {
    runStarted: ({ runId, conversationId, botId, userId }) => {
      logger.info({ runId, conversationId, botId, userId }, "run started");
    },
    runEnded: (run, { status, usage, error, providerCalls, cause }) => {
      const durationMs = Date.now() - Date.parse(run.startedAt);
      const { runId, botId } = run;
      const fields = { runId, botId, status, code: error?.code, durationMs, usage, providerCalls };
      if (status === "failed") logger.warn({ ...fields, err: cause }, "run failed");
      else logger.info(fields, "run ended");
    },
    strayError: ({ botId, runId, kind, cause }) => {
      logger.error({ botId, runId, kind, err: cause }, "an error got out of a bot's code");
    },
    failed: (what, cause) => logger.error({ ...runIn(cause), err: cause }, what),
  };
}

/** The id of the run that a failure is about, where it is said. */
function runIn(cause: unknown): { readonly runId?: string } {
  if (typeof cause !== "object" || cause === null || cause instanceof Error) return {};
  const { runId } = cause as { runId?: unknown };
  return typeof runId === "string" ? { runId } : {};
}
