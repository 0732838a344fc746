/**
 * A subscription that resumes. tRPC's link replaces a lost socket by itself; this goes on where the link
 * gives up, drops duplicates, and retries what the server refused for the moment.
 */
import type { Unsubscribable } from "@trpc/server/observable";
import { type Backoff, createBackoff, Delay } from "./connection/backoff.ts";
import type { Connection, Dependent } from "./connection/connection.ts";
import type { SubscriptionState, Transport } from "./connection/transport.ts";
import { closedError, isUnheard, type LangwireClientError, toClientError } from "./errors.ts";
import type { ChatEvent } from "./types.ts";

/** An event and its number; or, first, the number after which the subscription begins. */
export interface Tracked {
  readonly id: string;
  readonly data: ChatEvent | { readonly type: "started" };
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
  /** What it asks for, whatever it is to resume behind. */
  readonly input: unknown;
  readonly subscribe: (
    lastEventId: string | undefined,
    callbacks: SubscribeCallbacks,
  ) => Unsubscribable;
  /** The last event that the caller has. */
  readonly lastEventId?: string | undefined;
  /** Ends the reading, as a failure with the code CLOSED, whose cause is its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called once for each event, in order. */
  readonly onEvent: (event: ChatEvent, id: string) => void;
  /** The server has received the subscription: it has accepted it, or is about to refuse it. */
  readonly onStarted?: () => void;
  /** It was refused, or the client was closed. Nothing comes after it. */
  readonly onFailure: (error: LangwireClientError) => void;
}

export class Subscription implements Dependent {
  readonly #options: SubscriptionOptions;
  readonly #backoff: Backoff;
  readonly #forget: () => void;
  #current: Unsubscribable | undefined;
  /** Runs until the next attempt. */
  #delay: Delay | undefined;
  #lastEventId: string | undefined;
  #accepted = false;
  /** Times in a row that the server refused the caller's credentials. */
  #refusals = 0;
  #received = false;
  #ended = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#backoff = createBackoff(options.connection.backoff);
    this.#lastEventId = options.lastEventId;
    const { connection, signal } = options;
    const abort = () => this.fail(closedError(signal, connection.error));
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

  get input(): unknown {
    return this.#options.input;
  }

  /** The number of the last event that came; before the first, where the subscription began. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** Stops reading, until `resume`. */
  pause(): void {
    this.#drop();
    this.#options.transport.subscriptionState?.(this, undefined);
  }

  /** Makes the next attempt at once, if one is being waited for. */
  wake(): void {
    this.#delay?.shorten(0);
  }

  resume(): void {
    if (this.#ended) return;
    this.#drop();
    this.#open();
  }

  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#forget();
    this.pause();
  }

  /** Ends the reading, as a failure with the code CLOSED. */
  detach(): void {
    this.fail(closedError());
  }

  fail(error: LangwireClientError): void {
    if (this.#ended) return;
    this.stop();
    this.#options.onFailure(error);
  }

  #drop(): void {
    this.#delay?.cancel();
    this.#delay = undefined;
    const current = this.#current;
    this.#current = undefined;
    current?.unsubscribe();
  }

  #open(): void {
    if (this.#options.connection.state === "closed") {
      this.detach();
      return;
    }
    // Once this subscription is replaced, its late callbacks are ignored.
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
        const { subscriptionState } = this.#options.transport;
        // A connection that subscriptions share reports its own state.
        if (subscriptionState === undefined) return;
        subscriptionState(this, state);
        // Over server-sent events, tRPC reports some refusals as states of a connection that retries.
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
    if (data.type === "started") {
      // Whoever comes back before there was an event misses none.
      this.#lastEventId ??= id;
      this.#options.onStarted?.();
      return;
    }
    this.#refusals = 0;
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
    this.#drop();
    const { transport } = this.#options;
    let error = toClientError(cause);
    transport.subscriptionState?.(this, { state: "connecting", error });
    if (error.code === "UNREACHABLE") error = (await transport.explain?.()) ?? error;
    const mayPass =
      isUnheard(error) ||
      (error.code === "UNAUTHORIZED" && this.#mayRefresh()) ||
      // A subscription that was accepted once is retried: its address and its input were right.
      (this.#accepted && (error.retryable || error.status !== undefined));
    if (mayPass) this.#reopen(error);
    else this.fail(error);
  }

  /** Whether to retry with a fresh token. A connection that subscriptions share decides that itself. */
  #mayRefresh(): boolean {
    const { connection, transport } = this.#options;
    return connection.refusals > 0 || (transport.asksForTokens === true && this.#refusals++ === 0);
  }

  #reopen(error?: LangwireClientError): void {
    if (this.#ended) return;
    this.#drop();
    this.#options.transport.subscriptionState?.(this, {
      state: "connecting",
      error: error ?? null,
    });
    const delay = new Delay((error?.retryAfterMs ?? 0) + this.#backoff.next());
    this.#delay = delay;
    void delay.over.then(() => this.resume());
  }
}
