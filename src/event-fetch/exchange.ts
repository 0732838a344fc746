/** One request to a provider and its answer: from the call until nothing more can come of it. */
import { BodyFeed } from "./body-feed.ts";
import { decode, decodersOf } from "./content-coding.ts";
import { EventBody } from "./event-body.ts";
import { IdleTimeout, type IdleTimeoutLimits } from "./idle-timeout.ts";
import type { ProviderConnection, Sink } from "./pump.ts";
import { Events, Reads } from "./sse-split.ts";

/** What comes before the body. */
export interface ResponseHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly url: string;
  readonly redirected: boolean;
  readonly hasBody: boolean;
  /** Whether Content-Encoding still holds for the bytes that follow. */
  readonly isEncoded: boolean;
}

/** The promise of `fetch`. It rejects with the signal's reason, a `ProviderTimeout`, or the failure. */
export type Caller = Pick<PromiseWithResolvers<Response>, "resolve" | "reject">;

export class Exchange implements Sink {
  /** Undefined once it has the response: holding on would keep a dropped response from being collected. */
  #caller: Caller | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #idleTimeout: IdleTimeout;
  #connection: ProviderConnection | undefined;
  #feed: BodyFeed | undefined;
  #isOpen = true;
  #stoppedFor: Error | undefined;

  constructor(caller: Caller, signal: AbortSignal | undefined, limits: IdleTimeoutLimits) {
    this.#caller = caller;
    this.#signal = signal;
    this.#idleTimeout = new IdleTimeout(limits, (timeout) => this.#stop(timeout));
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** The request has this connection from now on, to be closed with. A redirect brings another one. */
  connected(connection: ProviderConnection): void {
    this.#connection = connection;
    if (this.#stoppedFor !== undefined) connection.close(this.#stoppedFor);
  }

  answered(head: ResponseHead): void {
    const connection = this.#connection;
    if (!this.#isOpen || connection === undefined) return;
    this.#idleTimeout.pause();
    const { headers, isEncoded, hasBody } = head;
    const isEvents = /^\s*text\/event-stream\s*(;|$)/i.test(headers.get("content-type") ?? "");
    const pieces = isEvents ? new Events() : new Reads();
    const decoders = isEncoded && hasBody ? decodersOf(headers.get("content-encoding")) : [];
    const isPlain = decoders.length === 0;
    const received = new BodyFeed({
      pieces: isPlain ? pieces : new Reads(),
      connection: {
        pause: () => connection.pause(),
        resume: () => connection.resume(),
        close: (reason) => {
          this.#finish();
          connection.close(reason);
        },
      },
      idleTimeout: this.#idleTimeout,
    });
    const feed = isPlain ? received : decode(received, decoders, pieces);
    const response = responseOf(head, hasBody ? new EventBody(feed, isEvents) : null);
    this.#feed = received;
    this.#caller?.resolve(response);
    this.#caller = undefined;
  }

  put(read: Buffer): void {
    this.#feed?.put(read);
  }

  end(): void {
    this.#finish();
    this.#feed?.end();
  }

  fail(error: unknown): void {
    if (!this.#finish()) return;
    if (this.#feed === undefined) this.#caller?.reject(error);
    else this.#feed.fail(error);
  }

  readonly #onAbort = (): void => {
    this.#stop(this.#signal?.reason);
  };

  /** Closes the connection at once, because of the caller or a timeout. */
  #stop(reason: unknown): void {
    if (!this.#finish()) return;
    this.#stoppedFor = reason instanceof Error ? reason : new Error("The request was aborted.");
    if (this.#feed === undefined) this.#caller?.reject(reason);
    else this.#feed.abort(reason);
    this.#connection?.close(this.#stoppedFor);
  }

  /** @returns whether the exchange was still open */
  #finish(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#idleTimeout.stop();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}

function responseOf(head: ResponseHead, body: EventBody | null): Response {
  const { status, statusText, headers, url, redirected } = head;
  const response = new Response(body, { status, statusText, headers });
  // In a constructed response these say nothing; both are getters of its prototype.
  Object.defineProperty(response, "url", { value: url });
  Object.defineProperty(response, "redirected", { value: redirected });
  return response;
}
