/**
 * The body of a response: a genuine `ReadableStream`, whose reader asks the feed directly, so that
 * a chunk which is there costs one resolved promise. `tee`, `pipeTo` and `pipeThrough` take the
 * ordinary way through the stream's own queue. There is no BYOB reader.
 */
import type { ReadableStreamAsyncIterator, ReadableStreamReadResult } from "node:stream/web";
import type { BodyFeed } from "./body-feed.ts";

type Chunk = Uint8Array<ArrayBuffer>;
type Result = ReadableStreamReadResult<Chunk>;

/** Whole events that came together make one chunk of about this size. */
const enoughBytes = 4096;

/** Where Node keeps whether a stream was read from, for `bodyUsed`. */
const disturbed = Symbol.for("nodejs.stream.disturbed");

/** A response that was dropped unread must not hold its connection. */
const dropped = new FinalizationRegistry<BodyFeed>((feed) => feed.cancel());

export class EventBody extends ReadableStream<Chunk> {
  /** Whether its feed gives one event at a time. */
  readonly hasEvents: boolean;
  readonly #feed: BodyFeed;
  readonly #controller: ReadableStreamDefaultController<Chunk>;
  #readFrom = false;

  constructor(feed: BodyFeed, hasEvents: boolean) {
    let controller: ReadableStreamDefaultController<Chunk> | undefined;
    super(
      {
        start: (own) => {
          controller = own;
        },
        pull: (own) => pullInto(own, feed),
        cancel: () => feed.cancel(),
      },
      { highWaterMark: 0 },
    );
    if (controller === undefined) throw new TypeError("A stream is started when it is made.");
    this.#controller = controller;
    this.#feed = feed;
    this.hasEvents = hasEvents;
    dropped.register(this, feed, this);
  }

  /** Locks the stream for good and hands over what it reads from. */
  takeFeed(): BodyFeed {
    super.getReader();
    dropped.unregister(this);
    this.#readFrom = true;
    return this.#feed;
  }

  override getReader(options: { mode: "byob" }): ReadableStreamBYOBReader;
  override getReader(): ReadableStreamDefaultReader<Chunk>;
  override getReader(options?: {
    mode: "byob";
  }): ReadableStreamBYOBReader | ReadableStreamDefaultReader<Chunk> {
    if (options?.mode !== undefined) return super.getReader(options);
    return new FeedReader(this, this.#feed, {
      read: () => {
        this.#readFrom = true;
      },
      ended: () => this.#settle((controller) => controller.close()),
      failed: (error) => this.#settle((controller) => controller.error(error)),
    });
  }

  override values(options?: { preventCancel?: boolean }): ReadableStreamAsyncIterator<Chunk> {
    const reader = this.getReader();
    const iterator: ReadableStreamAsyncIterator<Chunk> = {
      next: async () => {
        const result = await reader.read();
        if (!result.done) return result;
        reader.releaseLock();
        return { done: true, value: undefined };
      },
      return: async (reason) => {
        if (options?.preventCancel !== true) await reader.cancel(reason);
        reader.releaseLock();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
      [Symbol.asyncDispose]: async () => {
        await iterator.return?.();
      },
    };
    return iterator;
  }

  override [Symbol.asyncIterator](): ReadableStreamAsyncIterator<Chunk> {
    return this.values();
  }

  get [disturbed](): boolean {
    return this.#readFrom || Reflect.get(ReadableStream.prototype, disturbed, this) === true;
  }

  /** The stream learns from its reader how the answer ended; only the first time counts. */
  #settle(how: (controller: ReadableStreamDefaultController<Chunk>) => void): void {
    try {
      how(this.#controller);
    } catch {
      // Closed already: by `cancel`, or by an earlier read.
    }
  }
}

interface Owner {
  read(): void;
  ended(): void;
  failed(error: unknown): void;
}

interface PendingRead {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

class FeedReader extends ReadableStreamDefaultReader<Chunk> {
  readonly #feed: BodyFeed;
  readonly #owner: Owner;
  readonly #pending: PendingRead[] = [];
  #released = false;

  constructor(stream: EventBody, feed: BodyFeed, owner: Owner) {
    super(stream);
    this.#feed = feed;
    this.#owner = owner;
  }

  override read(): Promise<Result> {
    if (this.#released) return super.read();
    this.#owner.read();
    if (this.#pending.length === 0) {
      try {
        const result = this.#take();
        if (result !== undefined) return Promise.resolve(result);
      } catch (error) {
        return Promise.reject(error);
      }
      this.#feed.wait(this.#serve);
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
    });
  }

  override releaseLock(): void {
    super.releaseLock();
    this.#released = true;
    if (this.#pending.length > 0) this.#feed.stopWaiting();
    for (const { reject } of this.#pending.splice(0)) {
      reject(new TypeError("The reader was released."));
    }
  }

  #take(): Result | undefined {
    try {
      const piece = this.#feed.take(enoughBytes);
      if (piece === undefined) return undefined;
      if (piece !== null) return { done: false, value: plainBytes(piece) };
    } catch (error) {
      this.#owner.failed(error);
      throw error;
    }
    this.#owner.ended();
    return { done: true, value: undefined };
  }

  readonly #serve = (): void => {
    let next = this.#pending[0];
    while (next !== undefined) {
      try {
        const result = this.#take();
        if (result === undefined) {
          this.#feed.wait(this.#serve);
          return;
        }
        next.resolve(result);
      } catch (error) {
        next.reject(error);
      }
      this.#pending.shift();
      next = this.#pending[0];
    }
  };
}

async function pullInto(
  controller: ReadableStreamDefaultController<Chunk>,
  feed: BodyFeed,
): Promise<void> {
  for (;;) {
    const piece = feed.take(enoughBytes);
    if (piece === null) return controller.close();
    if (piece !== undefined) return controller.enqueue(plainBytes(piece));
    await new Promise<void>((resolve) => feed.wait(resolve));
  }
}

/** A `Buffer` differs in `slice` and `toString` from the bytes that `fetch` gives. */
function plainBytes(piece: Buffer): Chunk {
  return new Uint8Array(piece.buffer as ArrayBuffer, piece.byteOffset, piece.length);
}
