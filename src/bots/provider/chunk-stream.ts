/** The chunks of one answer of OpenAI's chat completions, cut from the response and parsed. */
import { OpenAIClient } from "@langchain/openai";
import type { BodyFeed } from "../../event-fetch/body-feed.ts";
import { feedOf } from "../../event-fetch/response-feed.ts";
import { readSseEvent, type SseEvent } from "../../event-fetch/sse-event.ts";
import { type Chunk, joinText, TextChunk, textOf } from "./chunk-text.ts";

export type { Chunk } from "./chunk-text.ts";

type Result = IteratorResult<Chunk, undefined>;

/** What is read at the end; a chunk may be anything that JSON has, null too. */
const end = Symbol("end");
type Read = Chunk | typeof end;
const ended: Result = { done: true, value: undefined };
/** Characters that text which arrived together may come to in one chunk. */
const maxJoinedLength = 4 * 1024;

/**
 * To be read once. What says nothing but text, and lies here together, is one chunk: a reader who
 * keeps up gets each as it comes, and one who does not pays once for what has piled up.
 */
export class ChunkStream implements AsyncIterableIterator<Chunk, undefined> {
  readonly #response: Response;
  readonly #signal: AbortSignal | undefined;
  readonly #feed: BodyFeed;
  readonly #text = new TextChunk();
  /** What was found behind text and is no part of it: a chunk, the end, or what went wrong. */
  #ahead: (() => Read) | undefined;
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
    this.#ahead = undefined;
    this.#close();
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
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const chunk = ahead === undefined ? this.#read() : ahead();
    if (chunk === undefined) return undefined;
    if (chunk === end) return ended;
    const text = textOf(chunk);
    return { done: false, value: text === undefined ? chunk : this.#withMore(chunk, text) };
  }

  #withMore(first: Chunk, text: string): Chunk {
    let joined = text;
    while (joined.length < maxJoinedLength) {
      let chunk: Read | undefined;
      try {
        chunk = this.#read();
      } catch (error) {
        // What was said before it is told before it.
        this.#ahead = () => {
          throw error;
        };
        break;
      }
      if (chunk === undefined) break;
      const more = chunk === end || chunk?.id !== first.id ? undefined : textOf(chunk);
      if (more === undefined) {
        const found = chunk;
        this.#ahead = () => found;
        break;
      }
      joined += more;
    }
    return joined === text ? first : joinText(first, joined);
  }

  /** Undefined while there is nothing. */
  #read(): Read | undefined {
    while (!this.#isDone) {
      const bytes = this.#takeEvent();
      if (bytes === undefined) return undefined;
      const alike = bytes === null ? undefined : this.#text.read(bytes);
      if (alike !== undefined) return alike;
      const event = bytes === null ? undefined : readSseEvent(bytes);
      if (bytes === null || event?.data === "[DONE]") {
        this.#isDone = true;
        this.#feed.drain();
      } else if (event !== undefined) {
        const chunk = this.#chunkOf(event);
        this.#text.learn(bytes, chunk);
        return chunk;
      }
    }
    return end;
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

  #chunkOf({ name, data }: SseEvent): Chunk {
    const value = this.#parse(data);
    const error = name === "error" ? (value?.error ?? value) : value?.error;
    if (name === "error" || error) {
      this.#close();
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
      this.#close();
      throw new SyntaxError("The provider sent an event that is not JSON.", { cause });
    }
  }

  #close(): void {
    this.#isDone = true;
    this.#feed.cancel();
  }
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}
