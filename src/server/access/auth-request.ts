/** What an application's `authenticate` is given of a request, each part made only if it is asked for. */
import type { FastifyRequest } from "fastify";
import type { Credentials } from "./callers.ts";

/** A call over HTTP, or the request that opened a WebSocket with what its first frame brought. */
export interface AuthRequest extends Credentials {
  /** Of the `cookie` header, by name, percent-decoded. */
  readonly cookies: Readonly<Record<string, string>>;
  /** The connection's own, or as a trusted proxy names it. Undefined where a route handler of yours is asked. */
  readonly address: string | undefined;
  /** As it was asked for, whole: `https://chat.example.com/trpc?connectionParams=1`. */
  readonly url: string;
  /** Aborted when the answer is too late: after `AUTH_TIMEOUT_MS`. */
  readonly signal: AbortSignal;
  /** URL, headers and signal as a standard `Request`, for libraries that take one. It has no body. */
  readonly webRequest: Request;
}

/** What there is of a request, whichever kind of server has it. */
export interface RequestFacts extends Credentials, Pick<AuthRequest, "address"> {
  readonly url: () => string;
}

/** @param connectionParams what it brought besides its headers */
export function factsOf(
  { headers, ip, protocol, host, raw }: FastifyRequest,
  connectionParams: Credentials["connectionParams"],
): RequestFacts {
  const origin = `${protocol}://${host}`;
  // Of a request line, the path alone: what is before it names no other host than the header does.
  const path = (raw.url ?? "/").replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, "").replace(/^\/*/, "/");
  const url = () => URL.parse(`${origin}${path}`)?.href ?? `${origin}/`;
  return { connectionParams, headers, address: ip, url };
}

export class AskedRequest implements AuthRequest {
  declare readonly connectionParams: Credentials["connectionParams"];
  readonly headers: Credentials["headers"];
  readonly address: string | undefined;
  readonly #url: () => string;
  #late: AbortController | undefined;

  /** @param onParams called when the application looks for a token among the parameters */
  constructor({ connectionParams, headers, address, url }: RequestFacts, onParams: () => void) {
    const get = () => {
      onParams();
      return connectionParams;
    };
    // Its own, so that a copy of the request has it too.
    Object.defineProperty(this, "connectionParams", { enumerable: true, get });
    this.headers = headers;
    this.address = address;
    this.#url = url;
  }

  get cookies(): Readonly<Record<string, string>> {
    const { cookie = "" } = this.headers;
    return cookiesIn(String(cookie));
  }

  get url(): string {
    return this.#url();
  }

  get signal(): AbortSignal {
    this.#late ??= new AbortController();
    return this.#late.signal;
  }

  get webRequest(): Request {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.headers)) {
      for (const one of [value ?? []].flat()) headers.append(name, one);
    }
    return new Request(this.url, { headers, signal: this.signal });
  }

  /** The answer is waited for no longer. */
  abort(reason: unknown): void {
    this.#late?.abort(reason);
  }
}

/** The first of each name, which is the one of the most specific path (RFC 6265). */
function cookiesIn(header: string): Record<string, string> {
  const cookies: Record<string, string> = Object.create(null);
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    if (at < 0) continue;
    const name = pair.slice(0, at).trim();
    const value = pair.slice(at + 1).trim();
    cookies[name] ??= decoded(value.replace(/^"(.*)"$/, "$1"));
  }
  return cookies;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
