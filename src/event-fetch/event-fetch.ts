/**
 * A `fetch` for model SDKs that costs less while answers stream. The body of an event stream comes
 * in chunks of whole events, as views of what the socket read, and with no web stream in between.
 * It also has idle timeouts: it ends an answer whose provider sends nothing any more.
 */
import { Agent, type Dispatcher, interceptors } from "undici";
import { directRequest, sendDirectly } from "./direct-request.ts";
import { Exchange } from "./exchange.ts";
import type { IdleTimeoutLimits } from "./idle-timeout.ts";
import { Pump, sourceOf } from "./pump.ts";

export { ProviderTimeout } from "./idle-timeout.ts";

export interface EventFetchOptions extends Partial<IdleTimeoutLimits> {
  /** Makes every request, instead of the direct way through undici's dispatcher. */
  readonly fetch?: typeof fetch;
  /** Makes the connections, through a proxy for example, instead of an agent of its own. */
  readonly dispatcher?: Dispatcher;
  /** Called for each request, before it is sent. */
  readonly onRequest?: () => void;
}

/** A `fetch`; closing it lets its answers end, then closes its connections. */
export interface EventFetch extends AsyncDisposable {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

const defaultLimits: IdleTimeoutLimits = { firstByteTimeoutMs: 300_000, stallTimeoutMs: 120_000 };

const redirectsAtMost = 20;

/**
 * How long an idle connection is kept for the next request, where the provider does not say: a new one costs
 * two round trips before the first token. Load balancers drop what is idle for a minute, some without a word.
 */
const keepAliveTimeoutMs = 55_000;
/** Where it says, in its Keep-Alive header: as long, less this, and ten minutes at the most. */
const keepAliveThresholdMs = 1_000;
const keepAliveAtMostMs = 600_000;

export function createEventFetch(options: EventFetchOptions = {}): EventFetch {
  const limits: IdleTimeoutLimits = {
    firstByteTimeoutMs: options.firstByteTimeoutMs ?? defaultLimits.firstByteTimeoutMs,
    stallTimeoutMs: options.stallTimeoutMs ?? defaultLimits.stallTimeoutMs,
  };
  const ownAgent = options.dispatcher === undefined ? createAgent() : undefined;
  const dispatcher = (options.dispatcher ?? ownAgent)?.compose(
    interceptors.redirect({ maxRedirections: redirectsAtMost, throwOnMaxRedirect: true }),
  );

  const eventFetch = async (
    input: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response> => {
    options.onRequest?.();
    const direct = options.fetch === undefined ? directRequest(input, init) : undefined;
    if (direct !== undefined && dispatcher !== undefined) {
      return sendDirectly(direct, { dispatcher, limits, onRequest: options.onRequest });
    }
    return sendThrough(options.fetch ?? fetch, limits, input, init);
  };
  const close = async (): Promise<void> => {
    await ownAgent?.close();
  };
  return Object.assign(eventFetch, { close, [Symbol.asyncDispose]: close });
}

/**
 * Its idle connections do not keep the process running. As many may be open as there are requests:
 * runs are limited elsewhere. Its own timeouts are off, because the idle timeouts are here; HTTP/2
 * would put all answers on one connection, where one paused reader holds up the others.
 */
function createAgent(): Agent {
  return new Agent({
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    keepAliveTimeoutThreshold: keepAliveThresholdMs,
    keepAliveMaxTimeout: keepAliveAtMostMs,
  });
}

async function sendThrough(
  inner: typeof fetch,
  limits: IdleTimeoutLimits,
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
  if (signal?.aborted) throw signal.reason;
  const { promise, ...caller } = Promise.withResolvers<Response>();
  const exchange = new Exchange(caller, signal, limits);
  const abort = new AbortController();
  const close = (reason: Error): void => abort.abort(reason);
  exchange.connected({ pause: () => {}, resume: () => {}, close });
  inner(input, { ...init, signal: abort.signal }).then(
    ({ status, statusText, headers, url, redirected, body }) => {
      const head = { status, statusText, headers, url, redirected, isEncoded: false };
      if (body === null) {
        exchange.answered({ ...head, hasBody: false });
        exchange.end();
        return;
      }
      const pump = new Pump(sourceOf(body));
      exchange.connected({
        pause: () => pump.pause(),
        resume: () => pump.resume(),
        close: (reason) => {
          close(reason);
          pump.close();
        },
      });
      exchange.answered({ ...head, hasBody: true });
      void pump.run(exchange);
    },
    (error) => exchange.fail(error),
  );
  return promise;
}
