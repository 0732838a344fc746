/**
 * A subscription that lasts. tRPC's link replaces a lost socket by itself; this goes on where the
 * link gives up, drops what comes twice, and waits out what passes.
 */
import type { Unsubscribable } from "@trpc/server/observable";
import { createBackoff } from "./backoff.ts";
import type { Connection, Dependent } from "./connection.ts";
import { closedError, isUnheard, type LangwireClientError, toClientError } from "./errors.ts";
import type { SubscriptionState, Transport } from "./transport.ts";
import type { ChatEvent } from "./types.ts";

interface Tracked {
  readonly id: string;
  readonly data: ChatEvent;
}

interface SubscribeCallbacks {
  readonly onStarted: () => void;
  readonly onData: (tracked: Tracked) => void;
  readonly onError: (error: unknown) => void;
  readonly onComplete: () => void;
  readonly onConnectionStateChange: (state: SubscriptionState) => void;
}

export interface SubscriptionOptions {
  readonly transport: Transport;
  readonly connection: Connection;
  readonly subscribe: (
    lastEventId: string | undefined,
    callbacks: SubscribeCallbacks,
  ) => Unsubscribable;
  /** The last event that the caller has. */
  readonly lastEventId?: string | undefined;
  /** Ends the reading, as a failure with the code CLOSED. */
  readonly signal?: AbortSignal | undefined;
  /** Called once for each event, in order. */
  readonly onEvent: (event: ChatEvent, id: string) => void;
  /** The server knows of it: it has taken it on, or is about to refuse it. */
  readonly onStarted?: () => void;
  /** It was refused, or the client was closed. Nothing comes after it. */
  readonly onFailure: (error: LangwireClientError) => void;
}

export class Subscription implements Dependent {
  readonly #options: SubscriptionOptions;
  readonly #backoff = createBackoff();
  readonly #forget: () => void;
  #current: Unsubscribable | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastEventId: string | undefined;
  #accepted = false;
  #received = false;
  #ended = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#lastEventId = options.lastEventId;
    const { connection, signal } = options;
    const abort = () => this.detach();
    const forget = connection.add(this);
    this.#forget = () => {
      forget();
      signal?.removeEventListener("abort", abort);
    };
    signal?.addEventListener("abort", abort);
    connection.givenUp = undefined;
    if (signal?.aborted) abort();
    else this.#open();
  }

  get accepted(): boolean {
    return this.#accepted;
  }

  /** The number of the last event that came. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** Stops reading, until `resume`. */
  pause(): void {
    clearTimeout(this.#timer);
    const current = this.#current;
    this.#current = undefined;
    current?.unsubscribe();
    this.#options.transport.subscriptionState?.(this, undefined);
  }

  resume(): void {
    if (this.#ended) return;
    this.pause();
    this.#open();
  }

  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#forget();
    this.pause();
  }

  /** The caller wants no more of it: a failure with the code CLOSED. */
  detach(): void {
    this.fail(closedError());
  }

  fail(error: LangwireClientError): void {
    if (this.#ended) return;
    this.stop();
    this.#options.onFailure(error);
  }

  #open(): void {
    if (this.#options.connection.state === "closed") {
      this.detach();
      return;
    }
    // What a subscription that was replaced still has to say is nobody's concern.
    let isCurrent = true;
    const ifCurrent =
      <T extends unknown[]>(callback: (...args: T) => void) =>
      (...args: T) => {
        if (isCurrent) callback(...args);
      };
    const subscription = this.#options.subscribe(this.#lastEventId, {
      onStarted: ifCurrent(() => {
        if (this.#options.transport.acceptsOnStart) this.#accepted = true;
        this.#options.onStarted?.();
      }),
      onData: ifCurrent((tracked: Tracked) => this.#receive(tracked)),
      onError: ifCurrent((cause: unknown) => void this.#retryOrFail(cause)),
      onComplete: ifCurrent(() => this.#completed()),
      onConnectionStateChange: ifCurrent((state: SubscriptionState) => {
        this.#options.transport.subscriptionState?.(this, state);
        // Over server-sent events some refusals are reported as something that may pass.
        const error = state.error === null ? undefined : toClientError(state.error);
        if (error !== undefined && error.code !== "UNREACHABLE") void this.#retryOrFail(error);
      }),
    });
    this.#current = {
      unsubscribe: () => {
        isCurrent = false;
        subscription.unsubscribe();
      },
    };
    if (this.#ended) this.pause();
  }

  #receive({ id, data }: Tracked): void {
    this.#accepted = true;
    this.#backoff.reset();
    if (!this.#isNews(data, Number(id))) return;
    this.#received = true;
    this.#lastEventId = id;
    this.#options.onEvent(data, id);
  }

  /** tRPC remembers an id only after the callback, so the last event may come twice. */
  #isNews({ type }: ChatEvent, seq: number): boolean {
    const last = Number(this.#lastEventId ?? -1);
    // A server that lost its last moments in a crash numbers new runs from where it was before.
    return seq > last || (type === "runStart" && seq < last);
  }

  /**
   * The server has no more to say, and what ends a subscription has not come. Where nothing came at
   * all, the caller had the last event before it asked: asking for the one before brings it again.
   */
  #completed(): void {
    if (!this.#received && this.#lastEventId !== undefined) {
      this.#lastEventId = String(Math.max(0, Number(this.#lastEventId) - 1));
    }
    this.#reopen();
  }

  async #retryOrFail(cause: unknown): Promise<void> {
    this.pause();
    const { connection, transport } = this.#options;
    let error = toClientError(cause);
    if (error.code === "UNREACHABLE") error = (await transport.explain?.()) ?? error;
    if (this.#ended) return;
    const mayPass =
      isUnheard(error) ||
      // The connection itself decides whether a fresh token is worth an attempt.
      (error.code === "UNAUTHORIZED" && connection.refusals > 0) ||
      // What the server had taken on once, it takes on again.
      (error.retryable && this.#accepted);
    if (mayPass) this.#reopen(error.retryAfterMs);
    else this.fail(error);
  }

  #reopen(retryAfterMs = 0): void {
    if (this.#ended) return;
    this.pause();
    this.#timer = setTimeout(() => this.resume(), retryAfterMs + this.#backoff.next());
  }
}
