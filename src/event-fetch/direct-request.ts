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
  try {
    route.dispatcher.dispatch(options, new Answer(request, exchange));
  } catch (error) {
    exchange.fail(new TypeError("fetch failed", { cause: error }));
  }
  return promise;
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #request: DirectRequest;
  readonly #exchange: Exchange;
  #visited: readonly URL[] = [];
  #hasBegun = false;

  constructor(request: DirectRequest, exchange: Exchange) {
    this.#request = request;
    this.#exchange = exchange;
  }

  onRequestStart(
    controller: Dispatcher.DispatchController,
    context: { readonly history?: readonly URL[] } | null,
  ): void {
    this.#visited = context?.history ?? [];
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
    this.#exchange.fail(new TypeError(this.#hasBegun ? "terminated" : "fetch failed", { cause }));
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
