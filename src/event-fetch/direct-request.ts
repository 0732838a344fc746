/**
 * The short way to a provider: undici's dispatcher, without the streams that `fetch` puts between
 * a socket and a response. It serves the requests that model SDKs make; `undefined` sends any
 * other request, and any wrong one, to the stock fetch, which knows what to do or say.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { Exchange } from "./exchange.ts";
import type { IdleTimeoutLimits } from "./idle-timeout.ts";

export interface DirectRequest {
  readonly url: URL;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Headers;
  readonly body: string | Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
}

const methods: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
]);

const nullBodyStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

export function directRequest(input: unknown, init: RequestInit = {}): DirectRequest | undefined {
  if (typeof input !== "string" && !(input instanceof URL)) return undefined;
  const { method = "GET", headers, body, signal, redirect, ...others } = init;
  if (Object.values(others).some((value) => value !== undefined)) return undefined;
  if (redirect !== undefined && redirect !== "follow") return undefined;
  if (!methods.has(method)) return undefined;
  if (body !== undefined && body !== null) {
    if (method === "GET" || method === "HEAD") return undefined;
    if (typeof body !== "string" && !(body instanceof Uint8Array)) return undefined;
  }
  const url = URL.parse(String(input));
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    return undefined;
  }
  return {
    url,
    method,
    headers: headersOf(headers, typeof body === "string"),
    body: body ?? undefined,
    signal: signal ?? undefined,
  };
}

/** What the stock fetch adds too, except that it asks for compressed answers. */
function headersOf(given: RequestInit["headers"], isText: boolean): Headers {
  const headers = new Headers(given);
  const defaults = {
    accept: "*/*",
    "accept-encoding": "identity",
    "user-agent": "node",
    ...(isText && { "content-type": "text/plain;charset=UTF-8" }),
  };
  for (const [name, value] of Object.entries(defaults)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  return headers;
}

export interface DirectRoute {
  /** Follows redirects itself. */
  readonly dispatcher: Dispatcher;
  readonly limits: IdleTimeoutLimits;
  /** Called when the request is sent again. */
  readonly onRequest?: (() => void) | undefined;
}

export function sendDirectly(request: DirectRequest, route: DirectRoute): Promise<Response> {
  const { url, method, headers, body, signal } = request;
  if (signal?.aborted) return Promise.reject(signal.reason);
  const { promise, ...caller } = Promise.withResolvers<Response>();
  const exchange = new Exchange(caller, signal, route.limits);
  const options: Dispatcher.DispatchOptions = {
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: [...headers].flat(),
    body: body ?? null,
  };
  const sendAgain = () => {
    route.onRequest?.();
    send();
  };
  const send = () => {
    const answer = new Answer(request, { exchange, sendAgain: () => setImmediate(sendAgain) });
    try {
      route.dispatcher.dispatch(options, answer);
      answer.dispatched();
    } catch (error) {
      exchange.fail(new TypeError("fetch failed", { cause: error }));
    }
  };
  send();
  return promise;
}

/** How a connection ends that the other side has closed. */
const closedCodes: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);
/** Of one that was closed while it was idle, word comes with the next round trip. */
const closedWithinMs = 2_000;

/** Of Node.js, or of undici, which adds what it knows of the socket. */
type ConnectionFailure = Error & {
  readonly code?: unknown;
  readonly socket?: { readonly bytesRead?: number };
};

interface AnswerParts {
  readonly exchange: Exchange;
  /** In the next turn, when it is known of other idle connections too that they were closed. */
  readonly sendAgain: () => void;
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #request: DirectRequest;
  readonly #exchange: Exchange;
  readonly #sendAgain: () => void;
  #visited: readonly URL[] = [];
  #hasBegun = false;
  #isDispatched = false;
  /** When it was sent; undefined once anything has come for it. */
  #sentAtMs: number | undefined;
  /** Whether it went out on a connection that was waiting for it. */
  #hadConnection = false;

  constructor(request: DirectRequest, { exchange, sendAgain }: AnswerParts) {
    this.#request = request;
    this.#exchange = exchange;
    this.#sendAgain = sendAgain;
  }

  /** To be called when `dispatch` returns: what has been sent by then had a connection waiting for it. */
  dispatched(): void {
    this.#isDispatched = true;
  }

  onRequestStart(
    controller: Dispatcher.DispatchController,
    context: { readonly history?: readonly URL[] } | null,
  ): void {
    this.#visited = context?.history ?? [];
    this.#sentAtMs = performance.now();
    this.#hadConnection = !this.#isDispatched;
    this.#exchange.connected({
      pause: () => controller.pause(),
      resume: () => controller.resume(),
      close: (reason) => controller.abort(reason),
    });
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    parsed: IncomingHttpHeaders,
    statusText = "",
  ): void {
    this.#sentAtMs = undefined;
    // 103 and the like come before the answer.
    if (status < 200) return;
    this.#hasBegun = true;
    this.#exchange.answered({
      status,
      statusText,
      headers: headersFrom(controller.rawHeaders, parsed),
      url: urlWithoutHash(this.#visited.at(-1) ?? this.#request.url),
      redirected: this.#visited.length > 1,
      hasBody: this.#request.method !== "HEAD" && !nullBodyStatuses.has(status),
      isEncoded: true,
    });
  }

  onResponseData(_controller: unknown, read: Buffer): void {
    this.#exchange.put(read);
  }

  onResponseEnd(): void {
    this.#exchange.end();
  }

  onResponseError(_controller: unknown, cause: Error): void {
    if (this.#wasClosedBefore(cause)) {
      this.#sendAgain();
      return;
    }
    this.#exchange.fail(new TypeError(this.#hasBegun ? "terminated" : "fetch failed", { cause }));
  }

  /**
   * Whether the provider had closed the idle connection when the request went out, and so has not begun
   * with it. Of a new connection, or after a while, the same would be a request that may have been done.
   */
  #wasClosedBefore(cause: ConnectionFailure): boolean {
    if (this.#sentAtMs === undefined || this.#request.signal?.aborted === true) return false;
    // Since nothing has come for this request, what was read on the connection was for others.
    const isReused = this.#hadConnection || (cause.socket?.bytesRead ?? 0) > 0;
    const isEarly = performance.now() - this.#sentAtMs < closedWithinMs;
    return isReused && isEarly && closedCodes.has(cause.code);
  }
}

/** Where the bytes that were sent are there, by turns name and value: values are Latin-1. */
function headersFrom(
  raw: Dispatcher.DispatchController["rawHeaders"],
  parsed: IncomingHttpHeaders,
): Headers {
  const headers = new Headers();
  if (Array.isArray(raw)) {
    for (let at = 0; at + 1 < raw.length; at += 2) {
      headers.append(latin1(raw[at]), latin1(raw[at + 1]));
    }
    return headers;
  }
  for (const [name, values] of Object.entries(parsed)) {
    // HTTP/2 has its status among them.
    if (name.startsWith(":")) continue;
    for (const value of [values ?? []].flat()) headers.append(name, value);
  }
  return headers;
}

function latin1(text: Buffer | string | undefined): string {
  return typeof text === "string" ? text : (text?.toString("latin1") ?? "");
}

function urlWithoutHash(url: URL): string {
  return url.hash === "" ? url.href : url.href.slice(0, -url.hash.length);
}
