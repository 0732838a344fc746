/**
 * A subscription that lasts. tRPC's link replaces a lost socket by itself; this goes on where the
 * link gives up, drops what comes twice, and waits out what passes.
 */
import type { Unsubscribable } from "@trpc/server/observable";
import { type Backoff, createBackoff, Delay } from "./connection/backoff.ts";
import type { Connection, Dependent } from "./connection/connection.ts";
import type { SubscriptionState, Transport } from "./connection/transport.ts";
import { closedError, isUnheard, type LangwireClientError, toClientError } from "./errors.ts";
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
    this.#drop();
    this.#options.transport.subscriptionState?.(this, undefined);
  }

  /** What waits for its next attempt makes it. */
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

  /** The caller wants no more of it: a failure with the code CLOSED. */
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
        const { subscriptionState } = this.#options.transport;
        // What becomes of a connection that all of them share, it decides itself.
        if (subscriptionState === undefined) return;
        subscriptionState(this, state);
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
    if (this.#ended) return;
    const mayPass =
      isUnheard(error) ||
      (error.code === "UNAUTHORIZED" && this.#mayRefresh()) ||
      // What the server had taken on once, it takes on again, and its address was right.
      (this.#accepted && (error.retryable || error.status !== undefined));
    if (mayPass) this.#reopen(error);
    else this.fail(error);
  }

  /** Whether a fresh token is worth an attempt. A connection that they share decides it itself. */
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
