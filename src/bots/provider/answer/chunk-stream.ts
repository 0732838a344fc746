/** The chunks of one answer of OpenAI's chat completions, cut from the response and normalized. */
import type { BodyFeed } from "../../../event-fetch/body-feed.ts";
import { feedOf } from "../../../event-fetch/response-feed.ts";
import { readSseEvent, type SseEvent } from "../../../event-fetch/sse-event.ts";
import { parsed } from "../unknown-json.ts";
import { BrokenAnswer } from "./broken-answer.ts";
import { type Chunk, joinText, TextChunk, textOf } from "./chunk-text.ts";
import { errorIn, toApiError } from "./errors-in-answers.ts";
import { type AskedFor, NormalizedAnswer, type StreamEnd } from "./normalized-answer.ts";
import { UnframedBody } from "./unframed-body.ts";

export type { Chunk } from "./chunk-text.ts";

type Result = IteratorResult<Chunk, undefined>;

/** Read at the end of the stream. */
const end = Symbol("end");
/** A string is the text of an event that is like the last parsed one in all but its text. */
type Read = Chunk | string | typeof end;
const ended: Result = { done: true, value: undefined };
/** Characters that text which arrived together may come to in one chunk. */
const maxJoinedLength = 4 * 1024;
/** Idle timeout after the finish reason: only the usage may still come. */
const lastWordAtMostMs = 2000;

export type StreamOptions = AskedFor & { readonly signal?: AbortSignal | undefined };

/**
 * To be read once. Chunks of nothing but text that have arrived together are joined: a reader who keeps
 * up gets each as it comes, and for a slow one what has piled up is one chunk.
 */
export class ChunkStream implements AsyncIterableIterator<Chunk, undefined> {
  readonly #response: Response;
  readonly #signal: AbortSignal | undefined;
  readonly #feed: BodyFeed;
  readonly #text = new TextChunk();
  readonly #answer: NormalizedAnswer;
  /** A body that is no event stream: a whole answer, a page, an error. */
  readonly #unframed = new UnframedBody();
  /** Chunks that are ready, where one event or the end made several. */
  #ready: Chunk[] = [];
  /** What was read behind joined text and could not be joined: a chunk, the end, or an error to throw. */
  #ahead: (() => Read) | undefined;
  #isDone = false;
  /** The idle timeout after the finish reason has passed: the answer counts as whole. */
  #isLate = false;
  #waiting: Promise<Result> | undefined;

  constructor(response: Response, options: StreamOptions = {}) {
    this.#response = response;
    this.#signal = options.signal;
    this.#answer = new NormalizedAnswer(options);
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
    this.#ready = [];
    this.#close();
    return Promise.resolve(ended);
  }

  #await(resolve: (result: Result) => void, reject: (error: unknown) => void): void {
    const goOn = (): void => {
      clearTimeout(timer);
      try {
        const result = this.#take();
        if (result === undefined) {
          this.#await(resolve, reject);
          return;
        }
        this.#waiting = undefined;
        resolve(result);
      } catch (error) {
        this.#waiting = undefined;
        reject(error);
      }
    };
    // After the finish reason, a connection that is not closed is waited for only so long.
    const timer = this.#answer.isFinished
      ? setTimeout(() => {
          this.#isLate = true;
          this.#feed.stopWaiting();
          goOn();
        }, lastWordAtMostMs)
      : undefined;
    this.#feed.wait(goOn);
  }

  #take(): Result | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const chunk = ahead === undefined ? this.#read() : ahead();
    if (chunk === undefined) return undefined;
    if (chunk === end) return ended;
    if (typeof chunk === "string") {
      const { like } = this.#text;
      return { done: false, value: joinText(like, this.#withMore(like, chunk)) };
    }
    const text = textOf(chunk);
    if (text === undefined) return { done: false, value: chunk };
    const joined = this.#withMore(chunk, text);
    return { done: false, value: joined === text ? chunk : joinText(chunk, joined) };
  }

  /** The text, and that of the chunks of the same answer which have arrived behind it. */
  #withMore(first: Chunk, text: string): string {
    let joined = text;
    while (joined.length < maxJoinedLength) {
      let read: Read | undefined;
      try {
        read = this.#read();
      } catch (error) {
        // The text before the error is delivered first.
        this.#ahead = () => {
          throw error;
        };
        break;
      }
      if (read === undefined) break;
      const more = this.#textLike(first, read);
      if (more === undefined) {
        const found = read;
        this.#ahead = () => found;
        break;
      }
      joined += more;
    }
    return joined;
  }

  /** Undefined for what cannot be joined with `first`. */
  #textLike(first: Chunk, read: Read): string | undefined {
    if (read === end) return undefined;
    if (typeof read === "string") return this.#text.like.id === first.id ? read : undefined;
    return read.id === first.id ? textOf(read) : undefined;
  }

  /** Undefined while there is nothing. */
  #read(): Read | undefined {
    for (;;) {
      const ready = this.#ready.length > 0 ? this.#ready.shift() : undefined;
      if (ready !== undefined) return ready;
      if (this.#isDone) return end;
      const bytes = this.#takeEvent();
      if (bytes === undefined) {
        if (!this.#answer.isComplete && !this.#isLate) return undefined;
        this.#end("announced");
        continue;
      }
      if (bytes === null) {
        this.#closed();
        continue;
      }
      const alike = this.#text.read(bytes);
      if (alike !== undefined) return alike;
      const chunk = this.#chunkOf(bytes);
      if (chunk === undefined) continue;
      if (!this.#answer.isOfMessages) this.#text.learn(bytes, chunk);
      return chunk;
    }
  }

  #takeEvent(): Buffer | null | undefined {
    try {
      return this.#feed.take();
    } catch (error) {
      // LangChain looks at its signal itself, and the SDK ends an aborted stream without an error.
      if (this.#signal?.aborted && isAbort(error, this.#signal)) {
        this.#isDone = true;
        return null;
      }
      // A connection that breaks after the finish reason has broken nothing of the answer.
      if (this.#answer.isFinished) return null;
      this.#isDone = true;
      throw error;
    }
  }

  #chunkOf(bytes: Buffer): Chunk | undefined {
    const event = readSseEvent(bytes);
    if (event !== undefined) return this.#readEvent(event);
    const value = this.#unframed.read(bytes);
    return value === undefined ? undefined : this.#readValue(value);
  }

  #readEvent({ name, data }: SseEvent): Chunk | undefined {
    const text = data.trim();
    if (text === "[DONE]" || (name === "done" && text === "")) {
      this.#end("announced");
      return undefined;
    }
    if (name === "error") this.#fail(toApiError(parsed(text) ?? text, this.#response.headers));
    // Heartbeats: an event without data, or one of another name that says nothing of an answer.
    if (text === "" || isHeartbeat.test(text)) return undefined;
    const value = parsed(text);
    if (value !== undefined) return this.#readValue(value);
    return this.#readLines(text);
  }

  #readValue(value: unknown): Chunk | undefined {
    if (value === "[DONE]") {
      this.#end("announced");
      return undefined;
    }
    const error = errorIn(value);
    if (error !== undefined) this.#fail(toApiError(error, this.#response.headers));
    return this.#answer.read(Array.isArray(value) ? value[0] : value);
  }

  /** Events between which a server forgot the blank line. */
  #readLines(text: string): Chunk | undefined {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    const values = lines.map((line) => (line.trim() === "[DONE]" ? "[DONE]" : parsed(line)));
    if (values.length < 2 || values.includes(undefined)) {
      this.#fail(new BrokenAnswer("The provider sent an event that is not JSON.", { said: text }));
    }
    for (const value of values) {
      const chunk = this.#readValue(value);
      if (chunk === undefined) continue;
      // What [DONE] made ready comes behind what was said before it.
      if (this.#isDone) this.#ready.unshift(chunk);
      else this.#ready.push(chunk);
    }
    return this.#ready.shift();
  }

  /** The connection is closed, or the idle timeout after the finish reason has passed. */
  #closed(): void {
    if (this.#isDone) return;
    for (const value of this.#unframed.rest(this.#answer.isFinished)) {
      const chunk = this.#readValue(value);
      if (chunk !== undefined) this.#ready.push(chunk);
    }
    if (!this.#isDone) this.#end("closed");
  }

  #end(how: StreamEnd): void {
    this.#isDone = true;
    try {
      this.#ready.push(...this.#answer.end(how));
    } catch (error) {
      this.#fail(error);
    }
    this.#feed.drain();
  }

  #fail(error: unknown): never {
    this.#close();
    throw error;
  }

  #close(): void {
    this.#isDone = true;
    this.#feed.cancel();
  }
}

/** Words that some servers send so that a connection does not look dead. */
const isHeartbeat = /^(ping|pong|heartbeat|keep-?alive)$/i;

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}
