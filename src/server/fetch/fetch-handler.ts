/**
 * The API for servers that speak in web `Request`s and `Response`s: a route handler of Next.js, Hono, Bun.
 * Queries and mutations go to tRPC's adapter, subscriptions are server-sent events. What guards the
 * server's own HTTP API guards it here, but for what only a server sees: addresses and connections.
 */
import { getTRPCErrorFromUnknown, TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { getHTTPStatusCodeFromError, type TRPCRequestInfo } from "@trpc/server/http";
import { toLangwireError, toTrpcError } from "../../api/errors.ts";
import type { ChatRouter } from "../../api/router.ts";
import { describeThrown } from "../../bots/failures/thrown.ts";
import type { Langwire } from "../../open/open-langwire.ts";
import { LangwireError } from "../../protocol/errors.ts";
import { usedUp } from "../../runs/admission/used-up.ts";
import { DefaultLog } from "../../runs/default-log.ts";
import type { RequestFacts } from "../access/auth-request.ts";
import { type Credentials, type Identity, trustCallers } from "../access/callers.ts";
import { type Authenticate, type Identify, identifier } from "../access/identify.ts";
import { isLoopbackHost, originCheck } from "../access/origins.ts";
import { retryHeaders } from "../access/refusals.ts";
import { defaultConnectionLimits } from "../connections/connection-limits.ts";
import { Expiries } from "../connections/expiries.ts";
import { BatchTurns } from "../http/batch-turns.ts";
import { eventStreamHeaders } from "../http/event-stream-text.ts";
import { deliverSubscription } from "../http/subscription-delivery.ts";
import { checkAsksForEvents, notAlone } from "../http/subscription-request.ts";
import { type LogFailure, logFailures } from "../logging/failure-log.ts";
import { WorkQueue } from "../pacing/work-queue.ts";
import { servedRouter } from "../served-router.ts";
import { errorBody, isSubscription } from "../trpc-internals.ts";
import { checkedBody } from "./checked-body.ts";
import { FetchEventStream } from "./fetch-event-stream.ts";

export interface FetchHandlerOptions {
  readonly langwire: Langwire;
  /** Default: callers are the users they name, and the handler answers to loopback names alone. */
  readonly authenticate?: Authenticate;
  /** Without authentication, answers to any host name: whoever reaches the server has access. */
  readonly allowAnonymous?: boolean;
  /** Pages that may call, as exact origins. Default: its own host's, and on loopback any of loopback. */
  readonly allowedOrigins?: readonly string[];
  /** As `ServerOptions.dev`: errors say what was thrown. For development alone. Default: false. */
  readonly dev?: boolean;
}

const limits = defaultConnectionLimits;
/** Nobody here sees whether an answer is taken. */
const unseen = { stalledMs: () => 0, cut: () => {} };

/**
 * @returns answers a request whose path ends in a procedure: `/api/langwire/chat.send`
 * @example export const GET = createFetchHandler({ langwire }); // app/api/langwire/[procedure]/route.ts
 */
export function createFetchHandler(
  options: FetchHandlerOptions,
): (request: Request) => Promise<Response> {
  const { langwire, allowAnonymous } = options;
  const failureLog = langwire.defaultLog;
  const identify = identifier({
    authenticate: options.authenticate ?? trustCallers,
    timeoutMs: limits.authTimeoutMs,
    onFailure: (what, err, seen) =>
      (failureLog ?? new DefaultLog()).error({ detail: describeThrown(err), err, ...seen }, what),
  });
  const loopbackOnly = options.authenticate === undefined && allowAnonymous !== true;
  const allowsOrigin = originCheck(options.allowedOrigins);
  const router = servedRouter(langwire, options);
  const logFailure = failureLog && logFailures(failureLog);
  const streams = new FetchStreams({ langwire, router, identify, logFailure });
  const work = new WorkQueue(limits);

  return async (request) => {
    try {
      checkPage(request);
      if (langwire.cluster?.cutOff === true) throw new LangwireError("STORE_UNAVAILABLE");
      const { pathname } = new URL(request.url);
      const [, endpoint = "", encoded = ""] = /^(.*)\/([^/]*)\/?$/.exec(pathname) ?? [];
      // As tRPC decodes it: what it takes for a subscription has to be seen as one here.
      const path = decoded(encoded);
      if (request.method === "GET" && isSubscription(router, path)) {
        return await streams.open(request, path);
      }
      let turns: BatchTurns | undefined;
      try {
        return await fetchRequestHandler({
          endpoint,
          router,
          req: await checkedBody(request, limits),
          maxBatchSize: limits.maxMessagesPerFrame,
          responseMeta: ({ errors: [first] }) =>
            first === undefined ? {} : { headers: retryHeaders(toLangwireError(first)) },
          ...(logFailure && { onError: logFailure }),
          createContext: async ({ info }) => {
            const caller = await callerOf(request, info);
            turns = new BatchTurns({ work, userId: caller.userId, holder: unseen });
            return { caller, enterCall: turns.enterCall };
          },
        });
      } finally {
        turns?.end();
      }
    } catch (cause) {
      return refusal(router, cause);
    }
  };

  function checkPage({ headers, url }: Request): void {
    const host = headers.get("host") ?? new URL(url).host;
    const origin = headers.get("origin") ?? undefined;
    const site = headers.get("sec-fetch-site") ?? undefined;
    if (loopbackOnly && !isLoopbackHost(host)) {
      forbid("This server answers to the names of its own machine alone.");
    }
    if (!allowsOrigin({ origin, host, site })) {
      forbid("This server does not talk to pages from there.");
    }
  }

  async function callerOf(request: Request, info: TRPCRequestInfo): Promise<Identity> {
    try {
      if (info.type === "subscription") throw notAlone();
      return await identify(factsOf(request, info.connectionParams));
    } catch (cause) {
      throw toTrpcError(cause);
    }
  }
}

/** @throws LangwireError BAD_INPUT */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new LangwireError("BAD_INPUT", { message: "The path is not encoded as a URL's is." });
  }
}

interface StreamsOptions {
  readonly langwire: Langwire;
  readonly router: ChatRouter;
  readonly identify: Identify;
  readonly logFailure: LogFailure | undefined;
}

class FetchStreams {
  readonly #options: StreamsOptions;
  readonly #expiries = new Expiries();
  /** Open streams, by user. */
  readonly #open = new Map<string, number>();

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** @throws what refuses it before it has begun */
  async open(request: Request, path: string): Promise<Response> {
    checkAsksForEvents(Object.fromEntries(request.headers));
    const stream = new FetchEventStream(limits);
    const leave = () => stream.end();
    request.signal.addEventListener("abort", leave, { once: true });
    if (request.signal.aborted) leave();
    const { router, identify, logFailure } = this.#options;
    const { url } = request;
    const headers = Object.fromEntries(request.headers);
    void deliverSubscription(router, {
      ...{ path, request: { url, headers }, stream, signal: stream.signal, logFailure },
      identify: (params) => identify(factsOf(request, params)),
      admit: async (caller) => this.#admit(caller, stream),
    }).finally(() => {
      request.signal.removeEventListener("abort", leave);
    });
    return new Response(stream.body, { headers: eventStreamHeaders });
  }

  /** @throws LangwireError RATE_LIMITED */
  #admit({ userId, expiresAtMs }: Identity, stream: FetchEventStream): undefined {
    const { signal } = stream;
    signal.addEventListener("abort", this.#take(userId), { once: true });
    const expiring = { expire: () => stream.end() };
    if (expiresAtMs !== undefined) this.#expiries.add(expiring, expiresAtMs);
    signal.addEventListener("abort", () => this.#expiries.delete(expiring), { once: true });
  }

  /** @throws LangwireError RATE_LIMITED */
  #take(userId: string): () => void {
    const open = this.#open.get(userId) ?? 0;
    const max = limits.maxSocketsPerUser;
    if (open >= max) throw usedUp({ what: "connections of one user", max });
    this.#open.set(userId, open + 1);
    return () => {
      const left = (this.#open.get(userId) ?? 1) - 1;
      if (left > 0) this.#open.set(userId, left);
      else this.#open.delete(userId);
    };
  }
}

function factsOf(
  { headers, url }: Request,
  connectionParams: Credentials["connectionParams"],
): RequestFacts {
  const all = Object.fromEntries(headers);
  return { connectionParams, headers: all, address: undefined, url: () => url };
}

function forbid(message: string): never {
  const cause = new LangwireError("UNAUTHORIZED", { message });
  throw new TRPCError({ code: "FORBIDDEN", message, cause });
}

function refusal(router: ChatRouter, cause: unknown): Response {
  const error =
    cause instanceof LangwireError ? toTrpcError(cause) : getTRPCErrorFromUnknown(cause);
  return new Response(errorBody(router, error), {
    status: getHTTPStatusCodeFromError(error),
    headers: {
      "content-type": "application/json; charset=utf-8",
      ...retryHeaders(toLangwireError(error)),
    },
  });
}
