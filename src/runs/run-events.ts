/**
 * The first and the last event of a run: the same wherever they are made, by who works on it, by who
 * ends it for a process that is gone, and by who stands in for a log that has them no more.
 */
import type { EventOf } from "../protocol/events.ts";
import type { Run } from "../store/store.ts";

export function runStartOf(run: Run): EventOf<"runStart"> {
  const { runId, conversationId, botId, userId, message, input, startedAt: at } = run;
  return { type: "runStart", runId, at, conversationId, botId, userId, message, input };
}

/** How a run ended, as its `runEnd` says it. */
export type EndFacts = Pick<EventOf<"runEnd">, "status" | "text" | "output" | "usage" | "error">;

export function runEndOf(
  { runId }: Pick<Run, "runId">,
  { at, ...ended }: EndFacts & { readonly at: string },
): EventOf<"runEnd"> {
  const { status, text, output, usage, error } = ended;
  return { type: "runEnd", runId, at, status, text, output, usage, error };
}
