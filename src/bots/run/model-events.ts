/** The model spans of one run: their tokens, their reasoning, their usage, their results. */
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import type { ChatGenerationChunk, GenerationChunk, LLMResult } from "@langchain/core/outputs";
import { LangwireError } from "../../protocol/errors.ts";
import type { EventOf, Usage } from "../../protocol/events.ts";
import { addUsage } from "../../protocol/usage.ts";
import { usageOfMetadata } from "../provider/provider-usage.ts";
import { type ModelResult, readQuietChunk, readResult } from "./model-result.ts";
import { toPayload } from "./payload.ts";
import type { Span } from "./span-tree.ts";
import type { SpanWriter } from "./span-writer.ts";

export class ModelEvents {
  readonly #writer: SpanWriter;
  /** By span: what was counted on the way, replaced by the count at the end. */
  readonly #usage = new Map<string, Usage>();
  #emptyAnswer: LangwireError | undefined;

  constructor(writer: SpanWriter) {
    this.#writer = writer;
  }

  /** Summed over the model spans, hidden ones too, as far as it is known by now. */
  get usage(): Usage | undefined {
    let sum: Usage | undefined;
    for (const usage of this.#usage.values()) sum = addUsage(sum, usage);
    return sum;
  }

  /** Set when the last model's answer was empty or broke off: LangChain takes that for a success. */
  get emptyAnswer(): LangwireError | undefined {
    return this.#emptyAnswer;
  }

  token(span: Span, text: string): void {
    span.sentText = true;
    if (span.hidden || span.muted) return;
    this.#writer.emit({ type: "token", runId: this.#writer.runId, spanId: span.id, text });
  }

  /** A chunk without text. */
  quietChunk(span: Span, chunk: GenerationChunk | ChatGenerationChunk | undefined): void {
    const { reasoning, usage } = readQuietChunk(chunk);
    if (usage !== undefined) this.#usage.set(span.id, usage);
    if (reasoning !== "") this.#reasoning(span, reasoning);
  }

  streamEvent(span: Span, event: ChatModelStreamEvent): void {
    switch (event.event) {
      case "content-block-delta":
        if (event.delta.type === "text-delta" && event.delta.text !== "") {
          this.token(span, event.delta.text);
        }
        if (event.delta.type === "reasoning-delta" && event.delta.reasoning !== "") {
          this.#reasoning(span, event.delta.reasoning);
        }
        break;
      case "message-start":
      case "message-finish":
      case "usage": {
        const usage = usageOfMetadata(event.usage);
        if (usage !== undefined) this.#usage.set(span.id, usage);
      }
    }
  }

  /** Returns what the model decided; undefined when its answer was none, which is a failure. */
  ended(span: Span, output: LLMResult): ModelResult | undefined {
    const result = readResult(output);
    if (result.usage !== undefined) this.#usage.set(span.id, result.usage);
    const brokeOff = span.tellsItsEnd && result.finishReason === undefined;
    if (brokeOff || (isNothing(result) && !span.sentText && !span.sentReasoning)) {
      const cause = new Error("The provider's answer is empty or broke off: no finish reason.");
      this.#emptyAnswer = new LangwireError("PROVIDER_ERROR", { cause });
      this.#writer.breakOff(span, this.#emptyAnswer);
      return undefined;
    }
    this.#emptyAnswer = undefined;
    // A model that does not stream has its say here.
    if (!span.sentText && result.text !== "") this.token(span, result.text);
    const closing = this.#writer.shut(span);
    const usage = this.#usage.get(span.id);
    if (closing !== undefined) {
      this.#writer.emit({
        type: "llmEnd",
        ...closing,
        ...(usage && { usage }),
        ...(result.finishReason && { finishReason: result.finishReason }),
        ...(result.toolCalls.length > 0 && { toolCalls: this.#toolCalls(result) }),
      });
    }
    return result;
  }

  #reasoning(span: Span, text: string): void {
    span.sentReasoning = true;
    if (span.hidden || span.muted) return;
    this.#writer.emit({ type: "reasoning", runId: this.#writer.runId, spanId: span.id, text });
  }

  #toolCalls(result: ModelResult): EventOf<"llmEnd">["toolCalls"] {
    const withArgs = this.#writer.exposesTools;
    return result.toolCalls.map(({ id, name, args }) => ({
      ...(id && { id }),
      name,
      ...(withArgs && { args: toPayload(args) }),
    }));
  }
}

function isNothing(result: ModelResult): boolean {
  return result.text === "" && result.finishReason === undefined && result.toolCalls.length === 0;
}
