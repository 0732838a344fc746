/**
 * The buffer between a connection to a provider and the reader of its answer: the connection puts
 * reads in, the reader takes pieces out, without a promise for each. While more than a bound is unread
 * the connection is paused; the idle timeout runs only while the reader waits.
 */

import type { IdleTimeout } from "./idle-timeout.ts";
import type { ProviderConnection, Sink } from "./pump.ts";
import { type Pieces, Reads } from "./sse-split.ts";

/** Several reads of a socket, so that a burst passes without a pause. */
const pausedAboveBytes = 256 * 1024;

/** How long the end of an answer may take after its last event. */
const drainAtMostMs = 1000;

export interface BodyFeedParts {
  readonly pieces: Pieces;
  readonly connection: ProviderConnection;
  readonly idleTimeout?: IdleTimeout;
}

export class BodyFeed implements Sink {
  #pieces: Pieces;
  readonly #connection: ProviderConnection;
  readonly #idleTimeout: IdleTimeout | undefined;
  #state: "open" | "draining" | "ended" | "failed" = "open";
  #error: unknown;
  #paused = false;
  #isResuming = false;
  #onReady: (() => void) | undefined;
  #drainTimer: NodeJS.Timeout | undefined;

  constructor(parts: BodyFeedParts) {
    this.#pieces = parts.pieces;
    this.#connection = parts.connection;
    this.#idleTimeout = parts.idleTimeout;
  }

  /** What broke the connection, if anything did. */
  get error(): unknown {
    return this.#error;
  }

  /** From the connection: bytes. */
  put(read: Buffer): void {
    if (this.#state !== "open") return;
    this.#idleTimeout?.answerBegun();
    this.#pieces.put(read);
    if (this.#onReady !== undefined) this.#wake();
    else if (!this.#isResuming && !this.#paused && this.#pieces.byteLength > pausedAboveBytes) {
      this.#paused = true;
      this.#connection.pause();
    }
  }

  /** From the connection: the answer is complete. */
  end(): void {
    if (this.#state === "open" || this.#state === "draining") this.#settle("ended");
  }

  /** From the connection: it broke. The pieces that came whole are still handed out before. */
  fail(error: unknown): void {
    if (this.#state !== "open" && this.#state !== "draining") return;
    this.#error = error;
    this.#settle("failed");
  }

  /** Ends the answer for the reader at once, with this error. */
  abort(reason: unknown): void {
    this.#pieces = new Reads();
    this.fail(reason);
  }

  /**
   * To the reader: the next piece; `null` at the end; `undefined` while there is none, and then
   * `wait` says when to ask again. Throws what broke the connection.
   */
  take(enoughBytes?: number): Buffer | null | undefined {
    const piece = this.#pieces.take(enoughBytes);
    if (this.#paused && (piece === undefined || this.#pieces.byteLength < pausedAboveBytes / 2)) {
      this.#resume();
      // Resuming has put in what the connection held back, maybe up to the end of the answer.
      if (piece === undefined) return this.take(enoughBytes);
    }
    if (piece !== undefined) return piece;
    switch (this.#state) {
      case "open":
        return undefined;
      case "draining":
        return null;
      case "ended":
        return this.#pieces.rest() ?? null;
      case "failed":
        throw this.#error;
    }
  }

  /** Calls back once, when bytes, the end or an error have come. Only one may wait. */
  wait(onReady: () => void): void {
    this.#onReady = onReady;
    this.#idleTimeout?.resume();
  }

  stopWaiting(): void {
    this.#onReady = undefined;
    this.#idleTimeout?.pause();
  }

  /** From the reader: it wants no more. Closes the connection. */
  cancel(): void {
    this.#pieces = new Reads();
    if (this.#state !== "open" && this.#state !== "draining") return;
    this.#settle("ended");
    this.#connection.close(new Error("The answer was not wanted to its end."));
  }

  /**
   * From the reader: it has all that it needs. The protocol's own last bytes may still arrive, for
   * a moment, so that the connection can carry the next request.
   */
  drain(): void {
    this.#pieces = new Reads();
    if (this.#state !== "open") return;
    this.#state = "draining";
    this.#resume();
    this.#drainTimer = setTimeout(() => this.cancel(), drainAtMostMs).unref();
  }

  #settle(state: "ended" | "failed"): void {
    this.#state = state;
    clearTimeout(this.#drainTimer);
    this.#wake();
  }

  #wake(): void {
    const onReady = this.#onReady;
    this.stopWaiting();
    onReady?.();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // The reader takes right after: a pause now would be undone at once, and so on for each read.
    this.#isResuming = true;
    this.#connection.resume();
    this.#isResuming = false;
  }
}
