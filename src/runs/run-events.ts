/**
 * The first and the last event of a run, and what is known of it at its end: the same wherever they are
 * made, by who works on it, by who ends it for a process that is gone, and by who stands in for a log that
 * has them no more.
 */
import type { EventOf } from "../protocol/events.ts";
import type { Part } from "../protocol/parts.ts";
import type { Run } from "../store/store.ts";

export function runStartOf(run: Run): EventOf<"runStart"> {
  const { runId, conversationId, botId, userId, message, input, startedAt: at } = run;
  return { type: "runStart", runId, at, conversationId, botId, userId, message, input };
}

/** How a run ended, as its `runEnd` says it. */
export type EndFacts = Pick<EventOf<"runEnd">, "status" | "text" | "output" | "usage" | "error">;

/** How a run ended, and what is known besides, where it was worked on. */
export interface RunEnding extends EndFacts {
  /** What its message is made of, by the answer that it ends with. For the store alone. */
  readonly partsOf?: ((answer: string) => readonly Part[]) | undefined;
  /** Requests to its providers. Undefined where none was seen: models may have ways of their own. */
  readonly providerCalls?: number | undefined;
  /** For the store alone: JSON of what models and tools said to each other. */
  readonly modelMessages?: string | undefined;
  /** From the start to the first token, where there was one. */
  readonly firstTokenMs?: number | undefined;
  /** Bytes of the run's events in the store, compressed. Without them, the log alone has the events. */
  readonly archivedBytes?: number | undefined;
  /** How long the log took to store the run's last event. */
  readonly appendMs?: number | undefined;
  /** For the server's log alone. */
  readonly cause?: unknown;
}

export function runEndOf(
  { runId }: Pick<Run, "runId">,
  { at, ...ended }: EndFacts & { readonly at: string },
): EventOf<"runEnd"> {
  const { status, text, output, usage, error } = ended;
  return { type: "runEnd", runId, at, status, text, output, usage, error };
}
