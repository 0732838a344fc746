/** What a bot's runnable is invoked with, besides its input. */
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { RunnableConfig } from "@langchain/core/runnables";
import type { BotContext } from "../bot.ts";
import { configurableOf } from "./configurable.ts";

/** LangGraph reads the last two, and LangChain hands them on, though its types know neither. */
type RunConfig = RunnableConfig & {
  readonly writer: (chunk: unknown) => void;
  /** LangChain's runtime context: `config.context`, `runtime.context`. */
  readonly context?: unknown;
};

export function runConfig(
  bot: { readonly id: string },
  context: BotContext,
  { callbacks, ...options }: Pick<RunConfig, "signal" | "writer"> & RunCallbacks,
): RunConfig {
  const { runId, conversationId } = context;
  const shared = {
    ...options,
    runName: bot.id,
    metadata: { langwireRunId: runId, conversationId },
    configurable: configurableOf(context),
  };
  if (context.context === undefined) return { ...shared, callbacks: [...callbacks] };
  // Not among `configurable`: LangChain copies that into metadata, for every tracer to read.
  const hidden = [new ContextHider(), ...callbacks];
  return { ...shared, callbacks: hidden, context: context.context };
}

interface RunCallbacks {
  readonly callbacks: readonly BaseCallbackHandler[];
}

/**
 * LangChain takes the context for an option of each model's call, and tells all handlers of those: takes
 * it out before the next of them, a tracer perhaps, is told. The model itself keeps it.
 */
class ContextHider extends BaseCallbackHandler {
  readonly name = "langwire-context";

  constructor() {
    super({ _awaitHandler: true });
  }

  /** LangChain copies handlers now and then; this one has nothing to copy. */
  override copy(): this {
    return this;
  }

  override handleChatModelStart(...[, , , , extraParams]: ModelStart): void {
    const options = extraParams?.options;
    if (extraParams === undefined || typeof options !== "object" || options === null) return;
    const { context: _hidden, ...shown } = options as { readonly context?: unknown };
    extraParams.options = shown;
  }

  override handleLLMStart(...args: ModelStart): void {
    this.handleChatModelStart(...args);
  }
}

type ModelStart = [
  model: unknown,
  messages: unknown,
  id: string,
  parentId?: string,
  extraParams?: Record<string, unknown>,
];
