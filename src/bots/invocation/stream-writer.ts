/**
 * LangGraph's `config.writer` and `getWriter()`: what a node or a tool reports while it works. With
 * `stream` it would come as the mode `custom`; `invoke` drops it unless the config brings a writer.
 */

import type { SpanWriter } from "../run/span-writer.ts";
import type { StateEvents } from "../run/state/state-events.ts";
import { callerId } from "./caller-id.ts";

/**
 * Like LangGraph's own, it never throws, and after the run's end it does nothing. What is of channels that
 * the bot declares is its state; anything else goes out as it is.
 */
export function streamWriter(events: SpanWriter, state: StateEvents): (chunk: unknown) => void {
  return (chunk) => {
    const spanId = callerId() ?? "";
    const rest = state.written(spanId, chunk);
    if (rest !== undefined || chunk === undefined) events.custom(spanId, "writer", rest);
  };
}
