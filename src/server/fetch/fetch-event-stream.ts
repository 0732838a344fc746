/**
 * A subscription as the body of a web `Response`: the same text as `http/event-stream.ts` writes to a
 * socket, paced by what the body's reader takes.
 */
import type { TrackedEvents } from "../../api/subscription.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { ConnectionLimits } from "../connections/connection-limits.ts";
import {
  aroundLongEvent,
  beginText,
  errorText,
  eventText,
  pingsPerStream,
  pingText,
  returnText,
} from "../http/event-stream-text.ts";
import type { SubscriptionStream } from "../http/subscription-delivery.ts";
import { longTextLength } from "../pacing/pieces.ts";

type Limits = Pick<ConnectionLimits, "pingMs" | "maxBacklogBytes" | "slowReaderMs">;

export class FetchEventStream implements SubscriptionStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #limits: Limits;
  readonly #left = new AbortController();
  readonly #encoder = new TextEncoder();
  readonly #timer: NodeJS.Timeout;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Set while the body's reader takes nothing; settles when it does, or when it is gone. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #waitingSinceMs = 0;
  #pings = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.body = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#goOn(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: limits.maxBacklogBytes, size: ({ byteLength }) => byteLength },
    );
    this.#timer = setInterval(() => this.#ping(), limits.pingMs).unref();
  }

  /** Aborted when nobody reads any more. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  ready(): Promise<void> | undefined {
    const room = this.#controller?.desiredSize ?? 0;
    if (this.signal.aborted || room > 0) return undefined;
    if (this.#waiting === undefined) {
      this.#waiting = Promise.withResolvers();
      this.#waitingSinceMs = performance.now();
    }
    return this.#waiting.promise;
  }

  async deliver(events: Pick<TrackedEvents, "position" | "deliver">): Promise<void> {
    this.#write(beginText(events.position, this.#limits.pingMs));
    await events.deliver((entry) => this.#send(entry));
    this.#write(returnText);
    this.end();
  }

  fail(json: string): void {
    this.#write(errorText(json));
    this.end();
  }

  /** Ends the body: an EventSource reconnects, and resumes. */
  end(): void {
    const controller = this.#controller;
    this.#leave();
    controller?.close();
  }

  #send(entry: LogEntry): void {
    if (entry.bytes <= longTextLength) {
      this.#write(eventText(entry));
      return;
    }
    const [before, after] = aroundLongEvent(entry, this.#limits.pingMs);
    this.#write(before + entry.json + after);
  }

  #write(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text));
  }

  #goOn(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #leave(): void {
    clearInterval(this.#timer);
    this.#controller = undefined;
    this.#left.abort();
    this.#goOn();
  }

  #ping(): void {
    this.#pings += 1;
    if (this.ready() !== undefined) {
      // Its connection may be gone without a word.
      if (performance.now() - this.#waitingSinceMs > this.#limits.slowReaderMs) this.end();
    } else if (this.#pings >= pingsPerStream) this.end();
    else this.#write(pingText);
  }
}
