import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";

/** The span in whose function the caller is: LangChain keeps its config in the async context. */
export function callerId(): string | undefined {
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
