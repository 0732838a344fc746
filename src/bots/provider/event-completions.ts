/**
 * Chat completions for `ChatOpenAI`, read straight from the response and normalized. The SDK takes
 * a stream of events through six async iterators, each with promises of its own for every token;
 * together they cost as much as all that LangChain does with it. Here it is one iterator, and text
 * that arrived together is one chunk. What servers send that speak OpenAI's protocol almost, whole or
 * streamed, becomes what OpenAI sends; what is no answer is thrown. Requests stay the SDK's.
 *
 *   new ChatOpenAI({ ...fields, completions: new EventCompletions(fields) })
 */
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import type { BaseMessage, BaseMessageChunk } from "@langchain/core/messages";
import type { ChatGenerationChunk, ChatResult } from "@langchain/core/outputs";
import {
  ChatOpenAICompletions,
  type ChatOpenAIFields,
  type OpenAIClient,
  wrapOpenAIClientError,
} from "@langchain/openai";
import { ChunkStream, type StreamOptions } from "./answer/chunk-stream.ts";
import type { Chunk } from "./answer/chunk-text.ts";
import { type Completion, readUnstreamed } from "./answer/unstreamed-answer.ts";
import { withSpan } from "./provider-calls.ts";
import { normalizedRefusals } from "./refusal/refusal-body.ts";
import { isObject } from "./unknown-json.ts";

type StreamingRequest = OpenAIClient.Chat.ChatCompletionCreateParamsStreaming;
type WholeRequest = OpenAIClient.Chat.ChatCompletionCreateParamsNonStreaming;
type RequestOptions = OpenAIClient.RequestOptions;
type Role = OpenAIClient.Chat.ChatCompletionRole;

/** What has an index is merged with its like of other chunks, text and all. */
function withoutIndex(item: unknown): unknown {
  if (!isObject(item)) return item;
  const { index: _, ...rest } = item;
  return rest;
}

/** Not as content: content would be sent back to the provider. */
function addBesides(message: BaseMessageChunk, delta: Record<string, unknown>): void {
  for (const key of ["images", "annotations"]) {
    const given = delta[key];
    if (Array.isArray(given)) message.additional_kwargs[key] = given.map(withoutIndex);
  }
}

/** The key of a call's span in its options: LangChain does not pass the run on to where they are used. */
const spanKey = Symbol("span");
type Options = RequestOptions & { readonly [spanKey]?: string | undefined };
type Parameters = ChatOpenAICompletions["ParsedCallOptions"];

export class EventCompletions extends ChatOpenAICompletions {
  constructor(fields: ChatOpenAIFields = {}) {
    super(fields);
    const inner = this.clientConfig.fetch ?? globalThis.fetch;
    this.clientConfig = { ...this.clientConfig, fetch: normalizedRefusals(inner) };
  }

  override _streamResponseChunks(
    messages: BaseMessage[],
    options: Parameters,
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    return super._streamResponseChunks(messages, forSpan(options, runManager), runManager);
  }

  override _streamChatModelEvents(
    messages: BaseMessage[],
    options: Parameters,
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatModelStreamEvent> {
    return super._streamChatModelEvents(messages, forSpan(options, runManager), runManager);
  }

  override _generate(
    messages: BaseMessage[],
    options: Parameters,
    runManager?: CallbackManagerForLLMRun,
  ): Promise<ChatResult> {
    return super._generate(messages, forSpan(options, runManager), runManager);
  }

  override completionWithRetry(
    request: StreamingRequest,
    requestOptions?: RequestOptions,
  ): Promise<AsyncIterable<Chunk>>;
  override completionWithRetry(
    request: WholeRequest,
    requestOptions?: RequestOptions,
  ): Promise<Completion>;
  override completionWithRetry(
    request: StreamingRequest | WholeRequest,
    requestOptions: Options = {},
  ): Promise<AsyncIterable<Chunk> | Completion> {
    const { maxRetries, [spanKey]: spanId, ...sdkOptions } = requestOptions;
    const clientOptions = this._getClientOptions(sdkOptions);
    const options: StreamOptions = {
      signal: sdkOptions.signal ?? undefined,
      keepsFunctionCalls: request.functions !== undefined,
      candidates: request.n ?? 1,
    };
    const call = async (): Promise<AsyncIterable<Chunk> | Completion> => {
      const response = await withSpan(spanId, () => this.#respond(request, clientOptions));
      return request.stream
        ? new ChunkStream(response, options)
        : readUnstreamed(response, options);
    };
    return this.caller.callWithOptions({ maxRetries }, call);
  }

  /** Adds a delta's images and sources, which LangChain's converter drops. */
  protected override _convertCompletionsDeltaToBaseMessageChunk(
    delta: Record<string, unknown>,
    chunk: Chunk,
    role?: Role,
  ): BaseMessageChunk {
    const message = super._convertCompletionsDeltaToBaseMessageChunk(delta, chunk, role);
    if (delta.images !== undefined || delta.annotations !== undefined) addBesides(message, delta);
    return message;
  }

  async #respond(
    request: StreamingRequest | WholeRequest,
    options: RequestOptions,
  ): Promise<Response> {
    try {
      return await this.client.chat.completions.create(request, options).asResponse();
    } catch (error) {
      throw wrapOpenAIClientError(error);
    }
  }
}

/** Puts the span into a call's options: streams pass all of them on, whole answers only the request's. */
function forSpan(
  options: Parameters,
  runManager: CallbackManagerForLLMRun | undefined,
): Parameters {
  if (runManager === undefined) return options;
  const span = { [spanKey]: runManager.runId };
  return { ...options, ...span, options: { ...options.options, ...span } };
}
