/** The state of a client's connection, and everything that ends when the connection is given up. */
import type { LangwireClientError } from "./errors.ts";

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

/** What ends with the connection. */
export interface Dependent {
  /** Whether the server has taken it on. */
  readonly accepted: boolean;
  fail(error: LangwireClientError): void;
}

export class Connection implements ConnectionStatus {
  readonly #listeners = new Set<(status: ConnectionStatus) => void>();
  readonly #dependents = new Set<Dependent>();
  #state: ConnectionState = "idle";
  #error: LangwireClientError | undefined;
  /** Why the connection was given up; calls that were waiting for it fail with this. */
  givenUp: LangwireClientError | undefined;
  /** Times in a row that the server refused the caller's credentials. */
  refusals = 0;

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
    return () => this.#dependents.delete(dependent);
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
