/**
 * Decides when the next attempt to open a socket is made, and knows why the last one failed. None is
 * made while nothing needs the connection, or where it cannot succeed.
 */

import { LangwireClientError } from "../errors.ts";
import { createBackoff, Delay } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { addressed, explainRefusal } from "./explain.ts";

export interface AttemptsOptions {
  readonly connection: Connection;
  /** The API's address over HTTP. */
  readonly httpUrl: string;
  readonly connectTimeoutMs: number;
  /** Whether a token can be asked for again. */
  readonly asksForTokens: boolean;
  /** Whether the caller brings a token at all. */
  readonly bringsToken: boolean;
  /** Ends the attempts, until something needs the connection again. */
  readonly stop: () => void;
}

/** Times in a row that a token may be refused, or not be had, where it can be asked for again. */
const maxRefusals = 1;
const maxMissingTokens = 3;

export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #backoff;
  #delay: Delay | undefined;
  #waitMs = 0;
  /** Settles when the server was asked why a socket did not open. */
  #asking: Promise<void> | undefined;
  #reason: LangwireClientError | undefined;
  /** Whether the address has worked once: then failures are retried, as while a server is replaced. */
  #hasOpened = false;
  #missingTokens = 0;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#backoff = createBackoff(options.connection.backoff);
  }

  /** The connection was lost: the next attempt waits, if something needs the connection already. */
  lost(): void {
    this.#waitMs = this.#options.connection.needed ? this.#backoff.next() : 0;
  }

  /** @returns settles when it is time for the next attempt */
  async untilDue(): Promise<void> {
    const { connection, stop } = this.#options;
    await this.#wait(this.#waitMs);
    await this.#asking;
    if (connection.needed) await this.#wait(this.#reason?.retryAfterMs ?? 0);
    this.#waitMs = 0;
    if (!connection.needed) stop();
  }

  /**
   * Shortens the wait for something that newly needs the connection, and one that is about to begin.
   * @param withinMs what may be left
   */
  shortenWait(withinMs = createBackoff(this.#options.connection.backoff).next()): void {
    this.#waitMs = Math.min(this.#waitMs, withinMs);
    this.#delay?.shorten(withinMs);
  }

  opened(): void {
    this.#hasOpened = true;
    this.#reason = undefined;
    this.#options.connection.change("open");
  }

  /** The server has accepted the caller. */
  accepted(): void {
    this.#options.connection.refusals = 0;
    this.#missingTokens = 0;
    this.#backoff.reset();
  }

  /** @param cause why the platform did not even try */
  failed(cause?: unknown): void {
    if (cause !== undefined) {
      const message = `No socket can be made: ${cause instanceof Error ? cause.message : cause}`;
      this.#giveUp(new LangwireClientError({ code: "BAD_INPUT", message, cause }));
      return;
    }
    const { connection, httpUrl, connectTimeoutMs, bringsToken } = this.#options;
    // The question brings no token: to a caller who has one, that it is missing says nothing.
    const headers = bringsToken ? undefined : {};
    const asked = { timeoutMs: connectTimeoutMs, connection, ...(headers && { headers }) };
    this.#asking ??= explainRefusal(`${httpUrl}/bots.list`, asked).then((reason) => {
      this.#asking = undefined;
      this.#reason = reason;
      if (reason === undefined) return;
      if (reason.retryable || this.#hasOpened) this.report(reason);
      else this.#giveUp(reason);
    });
  }

  /** The server refused the caller. The next attempt sends a fresh token, if there is one. */
  refused(error: LangwireClientError): void {
    const { connection, asksForTokens } = this.#options;
    if (error.code !== "UNAUTHORIZED") {
      // The next attempt waits as long as the server says.
      if (error.retryAfterMs !== undefined) this.#reason = error;
      return;
    }
    if (++connection.refusals > (asksForTokens ? maxRefusals : 0)) this.#giveUp(error);
  }

  /** The application could not get a token. */
  withoutToken(error: LangwireClientError): void {
    this.#reason = error;
    if (++this.#missingTokens > maxMissingTokens) this.#giveUp(error);
  }

  /** @param error as tRPC has it, which knows no reasons */
  report(error: unknown): void {
    const { connection, httpUrl } = this.#options;
    const reason = error === null ? undefined : (this.#reason ?? addressed(error, httpUrl));
    connection.change("connecting", reason);
  }

  #giveUp(error: LangwireClientError): void {
    this.#missingTokens = 0;
    this.#options.connection.giveUp(error);
    this.#options.stop();
  }

  async #wait(waitMs: number): Promise<void> {
    if (waitMs === 0) return;
    const delay = new Delay(waitMs);
    this.#delay = delay;
    await delay.over;
    // Another socket may wait by now, in place of one that nobody waits for any more.
    if (this.#delay === delay) this.#delay = undefined;
  }
}
