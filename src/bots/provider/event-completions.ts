/**
 * Chat completions for `ChatOpenAI`, read straight from the response. The SDK takes a stream of
 * events through six async iterators, each with promises of its own for every token; together they
 * cost as much as all that LangChain does with it. Here it is one iterator, and text that arrived
 * together is one chunk. Requests, retries and errors stay the SDK's.
 *
 *   new ChatOpenAI({ ...fields, completions: new EventCompletions(fields) })
 */
import { ChatOpenAICompletions, type OpenAIClient, wrapOpenAIClientError } from "@langchain/openai";
import { type Chunk, ChunkStream } from "./chunk-stream.ts";

type StreamingRequest = OpenAIClient.Chat.ChatCompletionCreateParamsStreaming;
type WholeRequest = OpenAIClient.Chat.ChatCompletionCreateParamsNonStreaming;
type Whole = OpenAIClient.Chat.Completions.ChatCompletion;
type RequestOptions = OpenAIClient.RequestOptions;

export class EventCompletions extends ChatOpenAICompletions {
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
    return request.stream
      ? this.#stream(request, requestOptions)
      : super.completionWithRetry(request, requestOptions);
  }

  async #stream(request: StreamingRequest, options: RequestOptions): Promise<AsyncIterable<Chunk>> {
    const { maxRetries, ...sdkOptions } = options;
    const clientOptions = this._getClientOptions(sdkOptions);
    const call = async (): Promise<Response> => {
      try {
        return await this.client.chat.completions.create(request, clientOptions).asResponse();
      } catch (error) {
        throw wrapOpenAIClientError(error);
      }
    };
    const response = await this.caller.callWithOptions({ maxRetries }, call);
    return new ChunkStream(response, options.signal ?? undefined);
  }
}
