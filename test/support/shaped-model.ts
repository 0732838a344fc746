/**
 * A model that gives LangChain's callbacks what the packages of real providers give them, piece by
 * piece: the callback's string, the chunk (or none), the generation's info.
 */
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
} from "@langchain/core/language_models/chat_models";
import {
  AIMessage,
  AIMessageChunk,
  type AIMessageChunkFields,
  type BaseMessage,
} from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";

export interface Piece {
  /** What the callback is given as the token. Default: the message's content, where it is a string. */
  readonly token?: string;
  readonly message?: Partial<AIMessageChunkFields>;
  readonly info?: Record<string, unknown>;
  /** Gemini's package calls back with the token alone. */
  readonly withoutChunk?: boolean;
  /** Which candidate it belongs to, where several were asked for. */
  readonly candidate?: number;
}

export interface ShapedModelOptions {
  /** As the package names it in `ls_provider`. */
  readonly provider: string;
  /** The pieces of each call, the last again when they run out. */
  readonly calls: readonly (readonly Piece[])[];
  /** How many answers each call asks for. Default 1. */
  readonly candidates?: number;
  /** What else the package says of the call's parameters. */
  readonly parameters?: Record<string, unknown>;
  /** Gives the whole at once, as models do that cannot stream. */
  readonly whole?: boolean;
}

export class ShapedModel extends BaseChatModel<BaseChatModelCallOptions, AIMessageChunk> {
  /** Of each call, whether it was made to stream. */
  readonly streamed: boolean[] = [];
  readonly #options: ShapedModelOptions;
  #calls = 0;

  constructor(options: ShapedModelOptions) {
    super({});
    this.#options = options;
    this.disableStreaming = options.whole ?? false;
  }

  static override lc_name(): string {
    return "ShapedModel";
  }

  override _llmType(): string {
    return "shaped";
  }

  override getLsParams(options: this["ParsedCallOptions"]) {
    return { ...super.getLsParams(options), ls_provider: this.#options.provider };
  }

  override invocationParams() {
    return { n: this.#options.candidates ?? 1, ...this.#options.parameters };
  }

  override bindTools() {
    return this.withConfig({});
  }

  override async _generate(): Promise<ChatResult> {
    this.streamed.push(false);
    const [first, ...rest] = this.#next().map(generationOf);
    if (first === undefined) return { generations: [] };
    const { generationInfo, message: chunk } = rest.reduce((sum, one) => sum.concat(one), first);
    const message = new AIMessage({ ...chunk });
    return {
      generations: [{ text: chunk.text, message, ...(generationInfo && { generationInfo }) }],
    };
  }

  override async *_streamResponseChunks(
    _messages: BaseMessage[],
    _options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    this.streamed.push(true);
    for (const piece of this.#next()) {
      const chunk = generationOf(piece);
      yield chunk;
      const indices = { prompt: 0, completion: piece.candidate ?? 0 };
      const fields = piece.withoutChunk ? undefined : { chunk };
      await runManager?.handleLLMNewToken(
        chunk.text,
        indices,
        undefined,
        undefined,
        undefined,
        fields,
      );
    }
  }

  #next(): readonly Piece[] {
    const { calls } = this.#options;
    return calls[Math.min(this.#calls++, calls.length - 1)] ?? [];
  }
}

function generationOf({ token, message, info }: Piece): ChatGenerationChunk {
  const content = message?.content ?? "";
  return new ChatGenerationChunk({
    text: token ?? (typeof content === "string" ? content : ""),
    message: new AIMessageChunk({ ...message, content } as AIMessageChunkFields),
    ...(info && { generationInfo: info }),
  });
}
