import { TRPCClientError } from "@trpc/client";
import type { AppRouter, ErrorCode } from "./types.ts";

/** The server's codes, and two of the client's own. */
export type ClientErrorCode =
  | ErrorCode
  /** The server did not answer; whether it did what it was asked is not known. */
  | "UNREACHABLE"
  /** The client was closed, or stopped following. A run goes on without it. `cause` is its signal's reason. */
  | "CLOSED";

/** Whatever goes wrong in this client is one of these. */
export class LangwireClientError extends Error {
  readonly code: ClientErrorCode;
  /** Whether the same may succeed later. A run is then sent again with a new id. */
  readonly retryable: boolean;
  /** Milliseconds to wait before that, where the server knows. */
  readonly retryAfterMs: number | undefined;
  /** Whether the server refused it before it knew who asks: nothing of it was done. */
  readonly unheard: boolean;
  /** The HTTP status, where the server refused the connection itself. */
  readonly status: number | undefined;
  /** What there was of a run's answer. */
  readonly partialText: string;
  /** From servers in development mode alone: what was thrown, where, and what caused it, as lines. */
  readonly detail: string | undefined;
  /** Of a CLOSED one: why there was no connection when it was ended, where there was none. */
  readonly connectionError: LangwireClientError | undefined;

  constructor(failure: {
    code: ClientErrorCode;
    message: string;
    retryable?: boolean | undefined;
    retryAfterMs?: number | undefined;
    unheard?: boolean | undefined;
    status?: number | undefined;
    partialText?: string | undefined;
    detail?: string | undefined;
    connectionError?: LangwireClientError | undefined;
    cause?: unknown;
  }) {
    super(failure.message, { cause: failure.cause });
    this.name = "LangwireClientError";
    this.code = failure.code;
    this.retryable = failure.retryable ?? false;
    this.retryAfterMs = failure.retryAfterMs;
    this.unheard = failure.unheard ?? false;
    this.status = failure.status;
    this.partialText = failure.partialText ?? "";
    this.detail = failure.detail;
    this.connectionError = failure.connectionError;
  }
}

/**
 * @param signal what ended it: its reason is the cause
 * @param connectionError why there was no connection until then
 */
export function closedError(
  signal?: AbortSignal,
  connectionError?: LangwireClientError,
): LangwireClientError {
  const before = connectionError === undefined ? "" : ` ${connectionError.message}`;
  const message = `Ended by this client.${before}`;
  return new LangwireClientError({
    code: "CLOSED",
    message,
    connectionError,
    cause: signal?.reason,
  });
}

/** Whether the server has not processed the request: it is away, or could not authenticate the caller. */
export function isUnheard({ code, retryable, unheard }: LangwireClientError): boolean {
  return code === "UNREACHABLE" || code === "AUTH_UNAVAILABLE" || (retryable && unheard);
}

/** tRPC's error in our words. What has no code of the server's own never came from the server. */
export function toClientError(cause: unknown): LangwireClientError {
  // What failed on the way is wrapped, once or more: a token that was not to be had, say.
  for (let inner = cause; inner instanceof Error; inner = inner.cause) {
    if (inner instanceof LangwireClientError) return inner;
  }
  const error: TRPCClientError<AppRouter> = TRPCClientError.from(cause as Error);
  const refusal = error.data?.langwire;
  if (refusal !== undefined) {
    return new LangwireClientError({ ...refusal, message: error.message, cause });
  }
  return new LangwireClientError({
    code: "UNREACHABLE",
    message: "The server cannot be reached.",
    retryable: true,
    cause,
  });
}
