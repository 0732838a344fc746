/**
 * LangGraph's `config.writer` and `getWriter()`: what a node or a tool reports while it works. With
 * `stream` it would come as the mode `custom`; `invoke` drops it unless the config brings a writer.
 */
import type { SpanWriter } from "../run/span-writer.ts";
import { callerId } from "./caller-id.ts";

/** Like LangGraph's own, it never throws, and after the run's end it does nothing. */
export function streamWriter(events: SpanWriter): (chunk: unknown) => void {
  return (chunk) => events.custom(callerId() ?? "", "writer", chunk);
}
