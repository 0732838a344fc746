/**
 * Which model calls may stream. LangChain asks a handler whether it prefers streaming, once a call,
 * right after the callback for the call's start, and does not say for which call it asks. So the answer
 * is taken to be for the oldest call below the caller that has not been asked for.
 */
import type { ModelCall } from "../../bot.ts";
import type { Metadata } from "../span-facts.ts";
import type { Span } from "../span-tree.ts";

/**
 * Claude's package gives a forced tool's arguments in a shape that LangChain's parsers take only where
 * they do not stream: `withStructuredOutput` fails there, and natively when a graph is streamed. With
 * `method: "jsonSchema"`, which has an `output_config`, it does not.
 */
function breaksWhenStreamed({ structured, metadata }: ModelCall, extraParams: Metadata): boolean {
  if (!structured || metadata.ls_provider !== "anthropic") return false;
  const parameters = extraParams?.invocation_params;
  const isObject = typeof parameters === "object" && parameters !== null;
  return !isObject || Reflect.get(parameters, "output_config") === undefined;
}

export class StreamingChoice {
  /** Calls that LangChain has not asked for. Those that are made by `stream` it never asks for. */
  #unasked: Span[] = [];
  readonly #whole = new Set<Span>();

  started(model: Span, call: ModelCall, extraParams: Metadata): void {
    this.#unasked = this.#unasked.filter(
      ({ open, streamedBy }) => open && streamedBy === undefined,
    );
    this.#unasked.push(model);
    if (breaksWhenStreamed(call, extraParams)) this.#whole.add(model);
  }

  /** @param callerOf finds the span in whose function LangChain asks, where that is known */
  next(callerOf: () => Span | undefined): boolean {
    if (this.#whole.size === 0) return true;
    const caller = callerOf();
    const below = (model: Span): boolean => caller === undefined || model.isBelow(caller);
    const model = this.#unasked.find(below) ?? this.#unasked[0];
    if (model === undefined) return true;
    this.#unasked = this.#unasked.filter((other) => other !== model);
    return !this.#whole.delete(model);
  }
}
