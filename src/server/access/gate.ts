/**
 * Checks each request before anything else is done for it, the cheapest check first: host name, origin,
 * rate limit, token. A WebSocket is refused here by an HTTP answer, before the upgrade; but not for who is
 * calling, where a browser asks: it shows its page no such answer, so its socket opens and is closed.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { toTrpcError } from "../../api/errors.ts";
import { type ErrorCode, LangwireError } from "../../protocol/errors.ts";
import type { RateLimit } from "../../runs/admission/rate-limit.ts";
import { acceptsEvents } from "../http/subscription-request.ts";
import { askedBy, type LogFailure } from "../logging/failure-log.ts";
import { addressKey } from "./addresses.ts";
import { factsOf } from "./auth-request.ts";
import type { Identity } from "./callers.ts";
import type { Identify } from "./identify.ts";
import { isHost, isLoopbackHost, type OriginCheck } from "./origins.ts";
import type { Refusals } from "./refusals.ts";

export interface GateOptions {
  /** The path of the API: everything below it is checked, and WebSockets open at it alone. */
  readonly apiPath: string;
  /** @throws LangwireError when one more socket of this address is past a limit */
  readonly checkSocketLimits: (address: string) => void;
  /** Paths without a rate limit and without authentication. */
  readonly probes: ReadonlySet<string>;
  /**
   * Whether other processes can do what this one has to refuse: then it takes no calls. Event streams
   * are refused where they are served: an EventSource gives up for good at an answer like these.
   */
  readonly cutOff: () => boolean;
  readonly refusals: Refusals;
  readonly allowsOrigin: OriginCheck;
  /**
   * Whether the name in the address has to be one of this machine's own. A page elsewhere can give
   * its own name the address 127.0.0.1; without tokens, that name is all that gives it away.
   */
  readonly loopbackOnly: boolean;
  readonly identify: Identify;
  /** Rate limit of HTTP requests and new sockets of one address. */
  readonly requestsPerAddress: RateLimit;
  readonly logFailure: LogFailure;
}

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "OPTIONS"]);

const retryAfterMs = 1_000;
/**
 * Errors with which a request's connection is closed too: past one limit it would count against others,
 * and after a reconnect the next request may come to a process that can answer.
 */
const losesConnection: ReadonlySet<ErrorCode> = new Set([
  "RATE_LIMITED",
  "OVERLOADED",
  "STORE_UNAVAILABLE",
]);

/** The callers of requests that were authenticated by their headers. */
const identities = new WeakMap<FastifyRequest["raw"], Identity>();

/** Undefined where the headers have no credentials: then connectionParams have to. */
export function identityIn(request: FastifyRequest["raw"]): Identity | undefined {
  return identities.get(request);
}

export function guard(app: FastifyInstance, options: GateOptions): void {
  const { apiPath, refusals, allowsOrigin, loopbackOnly, identify } = options;
  const { checkSocketLimits, requestsPerAddress, probes, cutOff, logFailure } = options;

  app.addHook("onRequest", async (request, reply) => {
    const { host, origin, "sec-fetch-site": site } = request.headers;
    // The route and not the URL, which may spell the same path in other ways.
    const forApi = request.routeOptions.url?.startsWith(apiPath) === true;
    if (host !== undefined && !isHost(host)) {
      return refusals.send(reply, new LangwireError("BAD_INPUT", { message: "That is no host." }));
    }
    if (loopbackOnly && !isLoopbackHost(host)) {
      const message = "This server answers to the names of its own machine alone.";
      return refusals.send(reply, new LangwireError("UNAUTHORIZED", { message }), "FORBIDDEN");
    }
    if (forApi && !allowsOrigin({ origin, host: request.host, site })) {
      const message = "This server does not talk to pages from there.";
      return refusals.send(reply, new LangwireError("UNAUTHORIZED", { message }), "FORBIDDEN");
    }
    if (!methods.has(request.method)) {
      return refusals.send(reply, new LangwireError("BAD_INPUT"), "METHOD_NOT_SUPPORTED");
    }
    // Probes need no rate limit: their answer is cached.
    if (!request.ws && probes.has(request.routeOptions.url ?? "")) return;
    try {
      if (forApi && cutOff() && !acceptsEvents(request))
        throw new LangwireError("STORE_UNAVAILABLE", { retryAfterMs });
      await requestsPerAddress.take(addressKey(request.ip));
      if (request.ws) openable(request);
      if (!forApi) return;
      const { authorization } = request.headers;
      if (authorization !== undefined && !(request.ws && origin !== undefined)) {
        identities.set(request.raw, await identify(factsOf(request, null)));
      }
    } catch (cause) {
      if (!(cause instanceof LangwireError)) throw cause;
      if (cause.unheard || cause.code === "AUTH_UNAVAILABLE" || cause.code === "UNAUTHORIZED") {
        const error = toTrpcError(cause);
        logFailure({ error, path: undefined, type: "unknown", askedBy: askedBy(request) });
      }
      if (losesConnection.has(cause.code)) reply.header("connection", "close");
      return refusals.send(reply, cause);
    }
  });

  function openable(request: FastifyRequest): void {
    if (request.routeOptions.url !== apiPath) throw new LangwireError("NOT_FOUND");
    checkSocketLimits(request.ip);
  }
}

/** Whether the socket's first frame has connection parameters: tRPC's clients say so in the URL. */
export function bringsParams({ url = "" }: { url?: string | undefined }): boolean {
  return URL.parse(url, "ws://host")?.searchParams.get("connectionParams") === "1";
}
