/**
 * Asks over HTTP why the server refuses a WebSocket or an EventSource: a browser does not let its page
 * see the reason.
 */
import { type ClientErrorCode, LangwireClientError, toClientError } from "../errors.ts";
import { parsedUrl } from "./address.ts";
import type { ConnectionStatus } from "./connection.ts";

export interface ExplainOptions {
  readonly timeoutMs: number;
  /** Ends the question once it is closed. */
  readonly connection: Pick<ConnectionStatus, "subscribe">;
  /** The caller's credentials. Without them, an answer of UNAUTHORIZED is not taken for the reason. */
  readonly headers?: Record<string, string>;
}

/**
 * @param url asks for something that any caller may have
 * @returns UNREACHABLE where the server cannot be asked; undefined where it has nothing against the caller
 */
export async function explainRefusal(
  url: string,
  { timeoutMs, connection, headers }: ExplainOptions,
): Promise<LangwireClientError | undefined> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  const stopListening = connection.subscribe(({ state }) => {
    if (state === "closed") timeout.abort();
  });
  try {
    const { signal } = timeout;
    const response = await fetch(url, headers === undefined ? { signal } : { signal, headers });
    if (response.ok || (response.status === 401 && headers === undefined)) return undefined;
    return refusalOf(response, url, await response.text());
  } catch (cause) {
    return unreachable(url, timeout.signal.aborted ? "no answer in time" : reasonOf(cause));
  } finally {
    clearTimeout(timer);
    stopListening();
  }
}

/** @param error as tRPC has it, which knows no address */
export function addressed(error: unknown, url: string): LangwireClientError {
  const known = toClientError(error);
  const { code, cause } = known;
  // What was found out has no cause.
  return code === "UNREACHABLE" && cause !== undefined ? unreachable(url, undefined, cause) : known;
}

/** Of a page, a browser tells no reasons. */
function unreachable(url: string, reason?: string, cause?: unknown): LangwireClientError {
  const where = `The server cannot be reached at ${parsedUrl(url).origin}`;
  return new LangwireClientError({
    code: "UNREACHABLE",
    message: reason === undefined ? `${where}.` : `${where}: ${reason}.`,
    retryable: true,
    cause,
  });
}

function reasonOf(cause: unknown): string | undefined {
  const { code } = ((cause as Error).cause ?? {}) as { code?: string };
  return code === "ECONNREFUSED" ? "connection refused" : code;
}

function refusalOf(response: Response, url: string, body: string): LangwireClientError {
  const { status, headers } = response;
  const told = tellingOf(body);
  const mayPass = status >= 500 || status === 408 || status === 429;
  const retryAfterS = Number(headers.get("retry-after") ?? Number.NaN);
  return new LangwireClientError({
    code: told?.code ?? codeOf(status),
    message: `${told?.message ?? `There is no Langwire server at ${url}.`} (HTTP ${status})`,
    retryable: told?.retryable ?? mayPass,
    unheard: told?.unheard,
    retryAfterMs: told?.retryAfterMs ?? (retryAfterS >= 0 ? retryAfterS * 1_000 : undefined),
    status,
    cause: told,
  });
}

/** The error in a Langwire server's answer; undefined for an answer of anything else, such as a proxy. */
function tellingOf(body: string): LangwireClientError | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: { json?: unknown } };
    const told = toClientError({ error: error?.json });
    return told.code === "UNREACHABLE" ? undefined : told;
  } catch {
    return undefined;
  }
}

function codeOf(status: number): ClientErrorCode {
  if (status === 404) return "NOT_FOUND";
  if (status === 401 || status === 403) return "UNAUTHORIZED";
  return status === 429 ? "RATE_LIMITED" : "UNREACHABLE";
}
