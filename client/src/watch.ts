/** The client's handle of a conversation that it watches: every event of every run, whoever sent it. */
import { joined } from "../generated/fold/text-pieces.js";
import type { Connection } from "./connection/connection.ts";
import type { Transport } from "./connection/transport.ts";
import { deferred } from "./deferred.ts";
import type { LangwireClientError } from "./errors.ts";
import { Notifier } from "./notifier.ts";
import { Subscription } from "./subscription.ts";
import type { CallOptions, ChatEvent, WatchInput } from "./types.ts";

export interface WatchOptions extends CallOptions {
  readonly transport: Transport;
  readonly connection: Connection;
  readonly input: WatchInput;
}

/** Events that may wait for the reader; past that, the rest waits on the server. */
const maxQueuedEvents = 1_000;

/**
 * Goes on until its `return()` or the client's `close()` ends it. Can be iterated once. It throws when the
 * conversation may not be read, or may no more, and when its signal is aborted: CLOSED, whose cause is the
 * signal's reason.
 */
export class Watch<Event extends object = ChatEvent> implements AsyncIterableIterator<Event> {
  /**
   * Settles once the server has accepted the watch: every event from then on will come. History that is
   * asked for after this leaves no gap in between. Rejects when the conversation may not be read.
   */
  readonly started: Promise<void>;
  readonly #accepted = deferred<void>();
  readonly #subscription: Subscription;
  #queue: { event: ChatEvent; id: string }[] = [];
  #position = 0;
  #paused = false;
  #closed = false;
  #failure: LangwireClientError | undefined;
  #lastEventId: string | undefined;
  readonly #changed = new Notifier();

  constructor(options: WatchOptions) {
    const { conversationId, lastEventId } = options.input;
    const { watch } = options.transport.trpc.chat;
    this.started = this.#accepted.promise;
    // Handled here: an application that only reads the events gets the failure there.
    this.started.catch(() => {});
    this.#lastEventId = lastEventId;
    this.#subscription = new Subscription({
      ...options,
      lastEventId,
      subscribe: (after, callbacks) =>
        watch.subscribe({ conversationId, lastEventId: after }, callbacks),
      onStarted: () => {
        this.#lastEventId ??= this.#subscription.lastEventId;
        this.#accepted.resolve();
      },
      onEvent: (event, id) => this.#push(event, id),
      onFailure: (error) => {
        if (error.code !== "CLOSED" || options.signal?.aborted) this.#failure = error;
        this.#closed = true;
        this.#accepted.reject(error);
        this.#changed.notify();
      },
    });
  }

  /**
   * The number of the last event that was read; before the first, where the watch began. As
   * `lastEventId`, it resumes behind it.
   */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    for (;;) {
      const next = this.#queue[this.#position];
      if (next !== undefined) {
        this.#position++;
        if (this.#position === this.#queue.length) this.#drained();
        this.#lastEventId = next.id;
        // The types of bots are the compiler's alone.
        return { done: false, value: next.event as object as Event };
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#closed) return { done: true, value: undefined };
      await this.#changed.next();
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#queue = [];
    this.#subscription.detach();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #push(event: ChatEvent, id: string): void {
    const last = this.#queue.at(-1);
    const both = last && joined(last.event, event);
    if (both === undefined) this.#queue.push({ event, id });
    else this.#queue[this.#queue.length - 1] = { event: both, id };
    if (this.#queue.length > maxQueuedEvents) {
      this.#paused = true;
      this.#subscription.pause();
    }
    this.#changed.notify();
  }

  #drained(): void {
    this.#queue = [];
    this.#position = 0;
    if (!this.#paused) return;
    this.#paused = false;
    this.#subscription.resume();
  }
}
