/** Where a runnable begins, which decides what it is given: past bindings, retries and fallbacks, at a sequence's first step. */
import { type PromptVariables, variablesOf } from "./prompt-variables.ts";

type Beginning =
  | "graph"
  | "model"
  | "executor"
  | "retriever"
  | "chain"
  | PromptVariables
  /** It keeps the conversation by itself, by `sessionId`. */
  | { readonly inputMessagesKey: string | undefined };

/** @throws TypeError that says why no default will do */
export function beginningOf(runnable: unknown): Beginning {
  for (const layer of layersOf(runnable)) {
    const channels = ownChannels(layer);
    if (channels !== undefined && "messages" in channels) return "graph";
    if ("_modelType" in layer) return "model";
    if ("agent" in layer && "tools" in layer) return "executor";
    if ("_getRelevantDocuments" in layer) return "retriever";
    if ("getMessageHistory" in layer && "inputMessagesKey" in layer) {
      const { inputMessagesKey: key } = layer;
      return { inputMessagesKey: typeof key === "string" ? key : undefined };
    }
    const variables = variablesOf(layer);
    if (variables !== undefined) return variables;
  }
  return "chain";
}

/** The runnable, and what of it is called first, from the outside in. */
function* layersOf(runnable: unknown): Generator<object, undefined> {
  let layer = runnable;
  while (typeof layer === "object" && layer !== null) {
    yield layer;
    const outer = layer;
    layer = (["first", "bound", "runnable"] as const)
      .map((inner): unknown => (inner in outer ? Reflect.get(outer, inner) : undefined))
      .find((inner) => typeof inner === "object" && inner !== null);
  }
}

/** The channels of the graph with which a runnable begins. */
export function channelsOf(runnable: unknown): object | undefined {
  for (const layer of layersOf(runnable)) {
    const channels = ownChannels(layer);
    if (channels !== undefined) return channels;
  }
  return undefined;
}

/** Of a compiled graph, or of an agent around one (`createAgent`). */
function ownChannels(runnable: object): object | undefined {
  if ("lg_is_pregel" in runnable && "channels" in runnable) {
    const { channels } = runnable;
    return typeof channels === "object" && channels !== null ? channels : undefined;
  }
  return "graph" in runnable && typeof runnable.graph === "object" && runnable.graph !== null
    ? ownChannels(runnable.graph)
    : undefined;
}
