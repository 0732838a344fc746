/** The model spans of one run: their tokens, their reasoning, their usage, their results. */
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import type { AIMessageChunk } from "@langchain/core/messages";
import type { ChatGenerationChunk, GenerationChunk, LLMResult } from "@langchain/core/outputs";
import { LangwireError } from "../../../protocol/errors.ts";
import type { EventOf, Usage } from "../../../protocol/events.ts";
import { addUsage } from "../../../protocol/usage.ts";
import type { Bot, BotDefinition, ModelCall } from "../../bot.ts";
import { callerId } from "../../invocation/caller-id.ts";
import { usageOfMetadata } from "../../provider/provider-usage.ts";
import { PayloadBudget, payloadLimits } from "../payload.ts";
import { candidatesOf, type Metadata, modelOf } from "../span-facts.ts";
import type { Span } from "../span-tree.ts";
import type { SpanWriter } from "../span-writer.ts";
import { brokenBy } from "./broken-part.ts";
import { sendsFinishReason } from "./finish-reasons.ts";
import { readBlock, readContent } from "./message-content.ts";
import { type ModelResult, readResult } from "./model-result.ts";
import { otherContentOf } from "./other-content.ts";
import { beginOutput, PartialOutputs } from "./partial-outputs.ts";
import { StreamingChoice } from "./streaming-choice.ts";
import { ToolInputs } from "./tool-inputs.ts";
import { modelCallOf, voiceOf, writesAnswer } from "./who-speaks.ts";
import { endOfHalf, wholeCharacters } from "./whole-characters.ts";

type Chunk = GenerationChunk | ChatGenerationChunk;

export class ModelEvents {
  readonly #writer: SpanWriter;
  /** By span: what was counted on the way, replaced by the count at the end. */
  readonly #usage = new Map<string, Usage>();

  readonly #speaks: BotDefinition["speaks"];
  readonly #streaming = new StreamingChoice();
  readonly #toolInputs: ToolInputs;
  readonly #outputs: PartialOutputs | undefined;
  #fault: LangwireError | undefined;

  /** @param bot with its output's JSON Schema, where it is typed */
  constructor(writer: SpanWriter, bot: Pick<Bot, "speaks" | "outputSchema" | "schemas">) {
    this.#writer = writer;
    this.#speaks = bot.speaks;
    this.#outputs = bot.outputSchema && new PartialOutputs(writer, bot.schemas.output);
    this.#toolInputs = new ToolInputs(writer, this.#outputs);
  }

  /** Whether the call may stream that LangChain has begun and now asks for. */
  get mayStream(): boolean {
    return this.#streaming.next(() => this.#writer.tree.get(callerId() ?? ""));
  }

  /** The bot's `speaks` threw. */
  get fault(): LangwireError | undefined {
    return this.#fault;
  }

  /** Summed over the model spans, hidden ones too, as far as it is known by now. */
  get usage(): Usage | undefined {
    let sum: Usage | undefined;
    for (const usage of this.#usage.values()) sum = addUsage(sum, usage);
    return sum;
  }

  /** @param facts what LangChain says of the call */
  started(
    span: Span,
    facts: { tags: readonly string[] | undefined; metadata: Metadata; extraParams: Metadata },
  ): void {
    span.sendsFinishReason = sendsFinishReason(facts.metadata?.ls_provider);
    span.candidates = candidatesOf(facts.extraParams);
    const call = modelCallOf(span, facts);
    span.structured = call.structured;
    span.voice = voiceOf(span, { ...call, speaks: this.#ask(call) });
    span.writesOutput = this.#outputs !== undefined && writesAnswer(span, call);
    this.#streaming.started(span, call, facts.extraParams);
    if (span.hidden) return;
    const model = modelOf(facts.metadata, facts.extraParams);
    const opening = this.#writer.opening(span);
    this.#writer.emit({ type: "llmStart", ...opening, ...(model && { model }) });
  }

  /**
   * The chunk's message says what is text: the callback's own string may be a tool's arguments
   * (Anthropic's package) or reasoning (Ollama's). It counts where no chunk comes with it.
   */
  chunk(span: Span, token: string, chunk: Chunk | undefined): void {
    const message = (chunk as Partial<ChatGenerationChunk> | undefined)?.message;
    if (message === undefined || span.candidates > 1) {
      if (token !== "") this.#unchecked(span, token);
      return;
    }
    // Google's package counts with each text, which is all that is known of a call that is cut.
    const counts = "usage_metadata" in message && message.usage_metadata !== undefined;
    const pieces = (message as Partial<AIMessageChunk>).tool_call_chunks;
    const writesCalls = pieces !== undefined && pieces.length > 0;
    // Nearly every token: text and nothing else.
    if (
      token !== "" &&
      !counts &&
      !writesCalls &&
      message.content === token &&
      isEmpty(message.additional_kwargs)
    ) {
      this.#text(span, token);
      return;
    }
    if (counts) this.#count(span, message.usage_metadata);
    const { text, reasoning } = readContent(message);
    if (reasoning !== "") this.#reasoning(span, reasoning);
    if (text !== "") this.#text(span, text);
    if (writesCalls) this.#toolInputs.wrote(span, pieces);
  }

  streamEvent(span: Span, event: ChatModelStreamEvent): void {
    // Events do not say to which of several candidates they belong.
    if (span.candidates > 1) return;
    switch (event.event) {
      case "content-block-start": {
        const { text, reasoning } = readBlock(event.content);
        if (reasoning !== "") this.#reasoning(span, reasoning);
        if (text !== "") this.#text(span, text);
        this.#toolInputs.streamed(span, event);
        break;
      }
      case "content-block-delta":
        if (event.delta.type === "text-delta" && event.delta.text !== "") {
          this.#text(span, event.delta.text);
        }
        if (event.delta.type === "reasoning-delta" && event.delta.reasoning !== "") {
          this.#reasoning(span, event.delta.reasoning);
        }
        this.#toolInputs.streamed(span, event);
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
    this.#toolInputs.ended(span);
    if (span.output !== undefined) this.#outputs?.ended(span, span.output);
    if (result.usage !== undefined) this.#usage.set(span.id, result.usage);
    const { text, messageId } = result;
    span.returned = text;
    span.messageId = messageId;
    const mixed = span.candidates > 1 && span.streamedBy !== undefined;
    span.said = mixed ? span.uncheckedText : text;
    if (!mixed) this.#sayTheRest(span, result);
    if (span.reasoningHalf.half !== "") this.#reasoning(span, endOfHalf(span.reasoningHalf));
    if (span.textHalf.half !== "") this.#text(span, endOfHalf(span.textHalf));
    span.broken = cached ? undefined : brokenBy(span, result);
    if (span.broken !== undefined) {
      this.#writer.breakOff(span, span.broken);
      return result;
    }
    const usage = this.#usage.get(span.id);
    const { exposesTools } = this.#writer;
    const content = span.speaks
      ? otherContentOf(result.message, { info: result.info, exposesTools })
      : [];
    const closing = this.#writer.shut(span);
    if (closing !== undefined) {
      this.#writer.emit({
        type: "llmEnd",
        ...closing,
        ...(usage && { usage }),
        ...(result.finishReason && { finishReason: result.finishReason }),
        ...(result.toolCalls.length > 0 && { toolCalls: this.#toolCalls(result) }),
        ...(content.length > 0 && { content }),
      });
    }
    return result;
  }

  /** Keeps text that came without a chunk: at the end it is compared with the message, and may differ. */
  #unchecked(span: Span, token: string): void {
    span.uncheckedText += token;
    this.#text(span, token);
  }

  /** Whether the call speaks: the bot may say otherwise than the default. */
  #ask(call: ModelCall): boolean {
    try {
      return this.#speaks?.(call) ?? call.speaks;
    } catch (cause) {
      this.#fault ??= new LangwireError("BOT_FAILED", { cause });
      return call.speaks;
    }
  }

  /** Emits text that was not streamed: of models that do not stream, or whose callbacks had no chunks. */
  #sayTheRest(span: Span, { text, reasoning, message }: ModelResult): void {
    if (!span.sentReasoning && reasoning !== "") this.#reasoning(span, reasoning);
    const { uncheckedText: before } = span;
    // LangChain has it as a rope, which a look at its characters makes a string of, as long as the answer.
    if (text === "" || (span.sentText && before === "") || text.trim() === before.trim()) return;
    if (!span.sentText) this.#text(span, text);
    else if (message !== undefined) {
      const goesOn = text.startsWith(before);
      // A tool's progress cannot be reset.
      if (!goesOn && span.voice === "answer") {
        span.textHalf.half = "";
        this.#writer.reset(span);
      }
      if (goesOn || span.voice === "answer") {
        this.#text(span, goesOn ? text.slice(before.length) : text);
      }
    }
  }

  #text(span: Span, said: string): void {
    span.sentText = true;
    const text = wholeCharacters(span.textHalf, said);
    if (text === "") return;
    const { runId } = this.#writer;
    if (span.voice === "answer") {
      if (!span.hidden) this.#writer.emit({ type: "token", runId, spanId: span.id, text });
    } else if (span.voice === "progress") {
      const tool = span.outerTool?.shown;
      if (tool?.kind !== "tool" || !this.#writer.exposes(tool)) return;
      this.#writer.emit({ type: "toolProgress", runId, spanId: tool.id, text });
    } else if (span.writesOutput) {
      span.output ??= beginOutput();
      this.#outputs?.wrote(span, span.output, text);
    }
  }

  #reasoning(span: Span, thought: string): void {
    span.sentReasoning = true;
    if (span.hidden || !span.speaks) return;
    const text = wholeCharacters(span.reasoningHalf, thought);
    if (text === "") return;
    this.#writer.emit({ type: "reasoning", runId: this.#writer.runId, spanId: span.id, text });
  }

  /** LangChain adds up what the chunks count. */
  #count(span: Span, metadata: unknown): void {
    const usage = addUsage(this.#usage.get(span.id), usageOfMetadata(metadata));
    if (usage !== undefined) this.#usage.set(span.id, usage);
  }

  #toolCalls(result: ModelResult): EventOf<"llmEnd">["toolCalls"] {
    const budget = this.#writer.exposesTools ? new PayloadBudget() : undefined;
    const calls = result.toolCalls.slice(0, payloadLimits.items).map(({ id, name, args }) => ({
      ...(id && { id }),
      name,
      ...(budget && { args: budget.payload(args) }),
    }));
    const over = result.toolCalls.length - calls.length;
    return over > 0 ? [...calls, { name: `…[cut: ${over} items]` }] : calls;
  }
}

function isEmpty(fields: object): boolean {
  for (const _ in fields) return false;
  return true;
}
