/**
 * The built-in model, for when no other is configured: rules instead of weights. It answers from
 * Langwire's documents, calls tools, streams, counts usage and can be stopped, so that everything
 * around a model works without a key and without a network.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BaseChatModelParams,
  type BindToolsInput,
} from "@langchain/core/language_models/chat_models";
import { AIMessage, AIMessageChunk, type BaseMessage } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import { estimateTokens } from "../../bots/memory.ts";
import { type LocalReply, localReply } from "./local-replies.ts";

export interface LocalModelFields extends BaseChatModelParams {
  /** Wait before each token. Default 12. */
  paceMs?: number | undefined;
}

interface LocalCallOptions extends BaseChatModelCallOptions {
  /** Names of the tools that it may call. */
  toolNames?: readonly string[];
}

export class LocalModel extends BaseChatModel<LocalCallOptions, AIMessageChunk> {
  readonly model = "langwire-local";
  readonly #paceMs: number;

  constructor(fields: LocalModelFields = {}) {
    super(fields);
    this.#paceMs = fields.paceMs ?? 12;
  }

  static override lc_name(): string {
    return "LocalModel";
  }

  override _llmType(): string {
    return this.model;
  }

  override getLsParams(options: this["ParsedCallOptions"]) {
    return { ...super.getLsParams(options), ls_provider: "langwire", ls_model_name: this.model };
  }

  override bindTools(tools: BindToolsInput[], options: Partial<LocalCallOptions> = {}) {
    const toolNames = tools.map(nameOfTool).filter((name) => name !== undefined);
    return this.withConfig({ ...options, toolNames });
  }

  override async _generate(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): Promise<ChatResult> {
    let whole: ChatGenerationChunk | undefined;
    for await (const chunk of this._streamResponseChunks(messages, options, runManager)) {
      whole = whole?.concat(chunk) ?? chunk;
    }
    if (whole === undefined) throw new Error("The local model had no reply.");
    const { content, tool_calls, usage_metadata, response_metadata } =
      whole.message as AIMessageChunk;
    const message = new AIMessage({
      content,
      response_metadata,
      ...(tool_calls && { tool_calls }),
      ...(usage_metadata && { usage_metadata }),
    });
    return { generations: [{ text: whole.text, message }] };
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    { signal, toolNames }: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const reply = localReply(messages, toolNames ?? []);
    let tokens = 0;
    for (const text of tokensOf(reply.text)) {
      if (this.#paceMs > 0) await sleep(this.#paceMs, undefined, signal ? { signal } : {});
      signal?.throwIfAborted();
      tokens += 1;
      yield new ChatGenerationChunk({ text, message: new AIMessageChunk(text) });
      await runManager?.handleLLMNewToken(text);
    }
    yield lastChunk(reply, {
      input: messages.reduce((sum, { text }) => sum + estimateTokens(text), 0),
      output: tokens + reply.toolCalls.length,
    });
  }
}

function lastChunk(reply: LocalReply, counted: { input: number; output: number }) {
  const finishReason = reply.toolCalls.length > 0 ? "tool_calls" : "stop";
  return new ChatGenerationChunk({
    text: "",
    generationInfo: { finish_reason: finishReason },
    message: new AIMessageChunk({
      content: "",
      tool_call_chunks: reply.toolCalls.map(({ name, args }, index) => ({
        type: "tool_call_chunk",
        index,
        id: `local_${crypto.randomUUID()}`,
        name,
        args: JSON.stringify(args),
      })),
      response_metadata: { finish_reason: finishReason },
      usage_metadata: {
        input_tokens: counted.input,
        output_tokens: counted.output,
        total_tokens: counted.input + counted.output,
      },
    }),
  });
}

const segmenter = new Intl.Segmenter("ja", { granularity: "word" });

/** Pieces such as models send: words, each with the space and the signs before it. */
function* tokensOf(text: string): Generator<string> {
  let before = "";
  for (const { segment, isWordLike } of segmenter.segment(text)) {
    if (isWordLike || segment.includes("\n")) {
      yield before + segment;
      before = "";
    } else before += segment;
  }
  if (before !== "") yield before;
}

function nameOfTool(tool: BindToolsInput): string | undefined {
  if ("name" in tool && typeof tool.name === "string") return tool.name;
  const described: unknown = "function" in tool ? tool.function : undefined;
  if (typeof described !== "object" || described === null) return undefined;
  const name: unknown = Reflect.get(described, "name");
  return typeof name === "string" ? name : undefined;
}
