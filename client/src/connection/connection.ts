/** The state of a client's connection, and the subscriptions that end when it is given up. */

import type { LangwireClientError } from "../errors.ts";
import type { BackoffOptions } from "./backoff.ts";
import { onWake } from "./wake.ts";

/**
 * - `idle`: nothing to do, so there is no connection;
 * - `connecting`: there is none yet, or none any more; `error` says why, after a failure;
 * - `open`: events flow;
 * - `closed`: by `client.close()`, for good.
 */
export type ConnectionState = "idle" | "connecting" | "open" | "closed";

/** What a client shows of its connection. */
export interface ConnectionStatus {
  readonly state: ConnectionState;
  /** Why there is no connection, while there should be one. */
  readonly error: LangwireClientError | undefined;
  /** @returns ends the listening */
  subscribe(listener: (status: ConnectionStatus) => void): () => void;
}

/** A subscription or a call, which ends with the connection. */
export interface Dependent {
  /** What it asks for. */
  readonly input: unknown;
  fail(error: LangwireClientError): void;
  /** The network or the page is back: a wait for the next attempt ends now. */
  wake(): void;
}

/** Callbacks by which a transport learns whether it is needed. */
export interface ConnectionUse {
  /** Something more needs the connection. */
  needed(): void;
  /** Nothing needs it any more. */
  unneeded(): void;
  /** The network or the page is back. */
  woken(): void;
}

export class Connection implements ConnectionStatus {
  readonly backoff: BackoffOptions | undefined;
  use: ConnectionUse | undefined;
  #needs = 0;
  #stopListening: (() => void) | undefined;
  readonly #listeners = new Set<(status: ConnectionStatus) => void>();
  readonly #dependents = new Set<Dependent>();
  #state: ConnectionState = "idle";
  #error: LangwireClientError | undefined;
  /** Why the connection was given up; calls that were waiting for it fail with this. */
  givenUp: LangwireClientError | undefined;
  /** Times in a row that the server refused the caller's credentials. */
  refusals = 0;

  constructor(backoff?: BackoffOptions) {
    this.backoff = backoff;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get error(): LangwireClientError | undefined {
    return this.#error;
  }

  readonly subscribe = (listener: (status: ConnectionStatus) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  change(state: ConnectionState, error?: LangwireClientError): void {
    if (this.#state === "closed" || (state === this.#state && error === this.#error)) return;
    this.#state = state;
    this.#error = error;
    for (const listener of [...this.#listeners]) listener(this);
  }

  /** @returns takes it off again */
  add(dependent: Dependent): () => void {
    this.#dependents.add(dependent);
    const release = this.hold();
    return () => {
      if (this.#dependents.delete(dependent)) release();
    };
  }

  /** Whether anything needs it. */
  get needed(): boolean {
    return this.#needs > 0;
  }

  /** Something needs it. @returns called once, when it does no more */
  hold(): () => void {
    this.#needs++;
    this.#stopListening ??= onWake(() => {
      this.use?.woken();
      for (const dependent of this.dependents) dependent.wake();
    });
    this.use?.needed();
    return () => {
      if (--this.#needs > 0) return;
      this.#stopListening?.();
      this.#stopListening = undefined;
      this.use?.unneeded();
    };
  }

  get dependents(): readonly Dependent[] {
    return [...this.#dependents];
  }

  /** Fails everything that waits for the connection. */
  giveUp(error: LangwireClientError): void {
    this.givenUp = error;
    this.refusals = 0;
    for (const dependent of this.dependents) dependent.fail(error);
  }
}
