/** The model spans of one run: their tokens, their reasoning, their usage, their results. */
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import type { ChatGenerationChunk, GenerationChunk, LLMResult } from "@langchain/core/outputs";
import { LangwireError } from "../../../protocol/errors.ts";
import type { EventOf, Usage } from "../../../protocol/events.ts";
import { addUsage } from "../../../protocol/usage.ts";
import { usageOfMetadata } from "../../provider/provider-usage.ts";
import { toPayload } from "../payload.ts";
import type { Span } from "../span-tree.ts";
import type { SpanWriter } from "../span-writer.ts";
import { saysBroken } from "./finish-reasons.ts";
import { readBlock, readContent } from "./message-content.ts";
import { type ModelResult, readResult } from "./model-result.ts";

type Chunk = GenerationChunk | ChatGenerationChunk;

export class ModelEvents {
  readonly #writer: SpanWriter;
  /** By span: what was counted on the way, replaced by the count at the end. */
  readonly #usage = new Map<string, Usage>();

  constructor(writer: SpanWriter) {
    this.#writer = writer;
  }

  /** Summed over the model spans, hidden ones too, as far as it is known by now. */
  get usage(): Usage | undefined {
    let sum: Usage | undefined;
    for (const usage of this.#usage.values()) sum = addUsage(sum, usage);
    return sum;
  }

  /**
   * The chunk's message says what is text: the callback's own string may be a tool's arguments
   * (Anthropic's package) or reasoning (Ollama's). It counts where no chunk comes with it.
   */
  chunk(span: Span, token: string, chunk: Chunk | undefined): void {
    const message = (chunk as Partial<ChatGenerationChunk> | undefined)?.message;
    if (message === undefined) {
      if (token !== "") this.#bareToken(span, token);
      return;
    }
    // Nearly every token: text and nothing else.
    if (token !== "" && message.content === token && isEmpty(message.additional_kwargs)) {
      this.#text(span, token);
      return;
    }
    if ("usage_metadata" in message) this.#count(span, message.usage_metadata);
    const { text, reasoning } = readContent(message);
    if (reasoning !== "") this.#reasoning(span, reasoning);
    if (text !== "") this.#text(span, text);
  }

  streamEvent(span: Span, event: ChatModelStreamEvent): void {
    switch (event.event) {
      case "content-block-start": {
        const { text, reasoning } = readBlock(event.content);
        if (reasoning !== "") this.#reasoning(span, reasoning);
        if (text !== "") this.#text(span, text);
        break;
      }
      case "content-block-delta":
        if (event.delta.type === "text-delta" && event.delta.text !== "") {
          this.#text(span, event.delta.text);
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

  /** @param cached the answer came out of LangChain's cache, which keeps no finish reason */
  ended(span: Span, output: LLMResult, cached: boolean): ModelResult {
    const result = readResult(output);
    if (result.usage !== undefined) this.#usage.set(span.id, result.usage);
    span.said = result.text;
    this.#sayTheRest(span, result);
    if (!cached && isBroken(span, result)) {
      const reason = result.finishReason ?? "no finish reason";
      const cause = new Error(`The provider's answer is empty or broke off: ${reason}.`);
      span.broken = new LangwireError("PROVIDER_ERROR", { cause });
      this.#writer.breakOff(span, span.broken);
      return result;
    }
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

  /** What comes with no chunk may be less than what the message says in the end, or something else. */
  #bareToken(span: Span, token: string): void {
    span.bareText += token;
    this.#text(span, token);
  }

  /** What was not said on the way, by models that do not stream or whose callbacks have no chunks. */
  #sayTheRest(span: Span, { text, reasoning, message }: ModelResult): void {
    if (!span.sentReasoning && reasoning !== "") this.#reasoning(span, reasoning);
    const { bareText } = span;
    if (text === "" || text.trim() === bareText.trim()) return;
    if (!span.sentText) this.#text(span, text);
    else if (bareText !== "" && message !== undefined) {
      if (!text.startsWith(bareText)) this.#writer.reset(span);
      this.#text(span, text.startsWith(bareText) ? text.slice(bareText.length) : text);
    }
  }

  #text(span: Span, text: string): void {
    span.sentText = true;
    if (span.hidden || span.muted) return;
    this.#writer.emit({ type: "token", runId: this.#writer.runId, spanId: span.id, text });
  }

  #reasoning(span: Span, text: string): void {
    span.sentReasoning = true;
    if (span.hidden || span.muted) return;
    this.#writer.emit({ type: "reasoning", runId: this.#writer.runId, spanId: span.id, text });
  }

  /** LangChain adds up what the chunks count. */
  #count(span: Span, metadata: unknown): void {
    const usage = addUsage(this.#usage.get(span.id), usageOfMetadata(metadata));
    if (usage !== undefined) this.#usage.set(span.id, usage);
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

/** The model's answer was none, or half of one: LangChain takes that for a success. */
function isBroken(span: Span, { finishReason, text, toolCalls }: ModelResult): boolean {
  if (finishReason !== undefined) return saysBroken(finishReason);
  const isNothing = text === "" && toolCalls.length === 0 && !span.sentText && !span.sentReasoning;
  return span.tellsItsEnd || isNothing;
}

function isEmpty(fields: object): boolean {
  for (const _ in fields) return false;
  return true;
}
