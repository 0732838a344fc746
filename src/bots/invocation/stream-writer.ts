/**
 * LangGraph's `config.writer` and `getWriter()`: what a node or a tool reports while it works. With
 * `stream` it would come as the mode `custom`; `invoke` drops it unless the config brings a writer.
 */
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import { toPayload } from "../run/payload.ts";
import type { SpanWriter } from "../run/span-writer.ts";

/** Like LangGraph's own, it never throws, and after the run's end it does nothing. */
export function streamWriter(events: SpanWriter): (chunk: unknown) => void {
  return (chunk) => {
    const span = (events.tree.get(callerId() ?? "") ?? events.tree.root)?.shown;
    if (span === undefined) return;
    events.emit({
      type: "custom",
      runId: events.runId,
      spanId: span.id,
      name: "writer",
      ...(chunk !== undefined && { data: toPayload(chunk) }),
    });
  };
}

/** The span in whose function the caller is: LangChain keeps its config in the async context. */
function callerId(): string | undefined {
  const config: unknown = AsyncLocalStorageProviderSingleton.getRunnableConfig();
  if (typeof config !== "object" || config === null || !("callbacks" in config)) return undefined;
  const { callbacks } = config;
  if (typeof callbacks !== "object" || callbacks === null) return undefined;
  if (!("getParentRunId" in callbacks) || typeof callbacks.getParentRunId !== "function") {
    return undefined;
  }
  const id: unknown = callbacks.getParentRunId();
  return typeof id === "string" ? id : undefined;
}
