/**
 * Chat completions for `ChatOpenAI`, read straight from the response. The SDK takes a stream of
 * events through six async iterators, each with promises of its own for every token; together they
 * cost as much as all that LangChain does with it. Here it is one iterator. Requests, retries and
 * errors stay the SDK's.
 *
 *   new ChatOpenAI({ ...fields, completions: new EventCompletions(fields) })
 */
import { ChatOpenAICompletions, OpenAIClient, wrapOpenAIClientError } from "@langchain/openai";
import type { BodyFeed } from "./event-fetch/body-feed.ts";
import { feedOf } from "./event-fetch/response-feed.ts";
import { readSseEvent } from "./event-fetch/sse-event.ts";

type StreamingRequest = OpenAIClient.Chat.ChatCompletionCreateParamsStreaming;
type WholeRequest = OpenAIClient.Chat.ChatCompletionCreateParamsNonStreaming;
type Whole = OpenAIClient.Chat.Completions.ChatCompletion;
type Chunk = OpenAIClient.Chat.Completions.ChatCompletionChunk;
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

type Result = IteratorResult<Chunk, undefined>;

const ended: Result = { done: true, value: undefined };

/** The chunks of one answer, to be read once. */
class ChunkStream implements AsyncIterableIterator<Chunk, undefined> {
  readonly #response: Response;
  readonly #signal: AbortSignal | undefined;
  readonly #feed: BodyFeed;
  #isDone = false;
  #waiting: Promise<Result> | undefined;

  constructor(response: Response, signal: AbortSignal | undefined) {
    this.#response = response;
    this.#signal = signal;
    this.#feed = feedOf(response);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#waiting !== undefined) return this.#waiting.then(() => this.next());
    try {
      const result = this.#take();
      if (result !== undefined) return Promise.resolve(result);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#waiting = new Promise((resolve, reject) => this.#await(resolve, reject));
    return this.#waiting;
  }

  return(): Promise<Result> {
    this.#isDone = true;
    this.#feed.cancel();
    return Promise.resolve(ended);
  }

  #await(resolve: (result: Result) => void, reject: (error: unknown) => void): void {
    this.#feed.wait(() => {
      try {
        const result = this.#take();
        if (result === undefined) return this.#await(resolve, reject);
        this.#waiting = undefined;
        resolve(result);
      } catch (error) {
        this.#waiting = undefined;
        reject(error);
      }
    });
  }

  #take(): Result | undefined {
    while (!this.#isDone) {
      const bytes = this.#takeEvent();
      if (bytes === undefined) return undefined;
      const event = bytes === null ? undefined : readSseEvent(bytes);
      if (bytes === null || event?.data === "[DONE]") {
        this.#isDone = true;
        this.#feed.drain();
      } else if (event !== undefined) {
        return { done: false, value: this.#chunkOf(event.name, event.data) };
      }
    }
    return ended;
  }

  #takeEvent(): Buffer | null | undefined {
    try {
      return this.#feed.take();
    } catch (error) {
      this.#isDone = true;
      // LangChain looks at its signal itself, and the SDK ends an aborted stream without an error.
      if (this.#signal?.aborted && isAbort(error, this.#signal)) return null;
      throw error;
    }
  }

  #chunkOf(name: string | undefined, data: string): Chunk {
    const value = this.#parse(data);
    const error = name === "error" ? (value?.error ?? value) : value?.error;
    if (name === "error" || error) {
      this.return();
      throw new OpenAIClient.APIError(undefined, error, undefined, this.#response.headers);
    }
    // Some providers leave it out where OpenAI sends null.
    if (Array.isArray(value?.choices)) {
      for (const choice of value.choices) choice.finish_reason ??= null;
    }
    return value;
  }

  #parse(data: string): Chunk & { error?: object } {
    try {
      return JSON.parse(data);
    } catch (cause) {
      this.return();
      throw new SyntaxError("The provider sent an event that is not JSON.", { cause });
    }
  }
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}
