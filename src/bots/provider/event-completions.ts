/**
 * Chat completions for `ChatOpenAI`, read straight from the response and made regular. The SDK takes
 * a stream of events through six async iterators, each with promises of its own for every token;
 * together they cost as much as all that LangChain does with it. Here it is one iterator, and text
 * that arrived together is one chunk. What servers send that speak OpenAI's protocol almost, whole or
 * streamed, becomes what OpenAI sends; what is no answer is thrown. Requests stay the SDK's.
 *
 *   new ChatOpenAI({ ...fields, completions: new EventCompletions(fields) })
 */
import {
  ChatOpenAICompletions,
  type ChatOpenAIFields,
  type OpenAIClient,
  wrapOpenAIClientError,
} from "@langchain/openai";
import { ChunkStream, type StreamOptions } from "./answer/chunk-stream.ts";
import type { Chunk } from "./answer/chunk-text.ts";
import { readWhole, type Whole } from "./answer/whole-answer.ts";
import { regularRefusals } from "./refusal/refusal-body.ts";

type StreamingRequest = OpenAIClient.Chat.ChatCompletionCreateParamsStreaming;
type WholeRequest = OpenAIClient.Chat.ChatCompletionCreateParamsNonStreaming;
type RequestOptions = OpenAIClient.RequestOptions;

export class EventCompletions extends ChatOpenAICompletions {
  constructor(fields: ChatOpenAIFields = {}) {
    super(fields);
    const inner = this.clientConfig.fetch ?? globalThis.fetch;
    this.clientConfig = { ...this.clientConfig, fetch: regularRefusals(inner) };
  }

  override completionWithRetry(
    request: StreamingRequest,
    requestOptions?: RequestOptions,
  ): Promise<AsyncIterable<Chunk>>;
  override completionWithRetry(
    request: WholeRequest,
    requestOptions?: RequestOptions,
  ): Promise<Whole>;
  override completionWithRetry(
    request: StreamingRequest | WholeRequest,
    requestOptions: RequestOptions = {},
  ): Promise<AsyncIterable<Chunk> | Whole> {
    const { maxRetries, ...sdkOptions } = requestOptions;
    const clientOptions = this._getClientOptions(sdkOptions);
    const options: StreamOptions = {
      signal: sdkOptions.signal ?? undefined,
      keepsFunctionCalls: request.functions !== undefined,
    };
    const call = async (): Promise<AsyncIterable<Chunk> | Whole> => {
      const response = await this.#respond(request, clientOptions);
      return request.stream ? new ChunkStream(response, options) : readWhole(response, options);
    };
    return this.caller.callWithOptions({ maxRetries }, call);
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
