/**
 * What a request has to pass before anything is done for it, in the order of what it costs: the
 * host's name, the page it comes from, how many there were, the token. A WebSocket is refused here
 * by an answer over HTTP, before it is one.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { LangwireError } from "../../protocol/errors.ts";
import type { RateLimit } from "../../runs/admission/rate-limit.ts";
import { addressKey } from "./addresses.ts";
import type { Authenticate, Identity } from "./callers.ts";
import { isHost, isLoopbackHost, type OriginCheck } from "./origins.ts";
import type { Refusals } from "./refusals.ts";

export interface GateOptions {
  /** The one address of the API: what lies below it is guarded, and sockets open there alone. */
  readonly apiPath: string;
  /** @throws LangwireError when there is no room for one more socket from this address */
  readonly checkRoom: (address: string) => void;
  /** Addresses that answer anybody, however often. */
  readonly probes: ReadonlySet<string>;
  readonly refusals: Refusals;
  readonly allowsOrigin: OriginCheck;
  /**
   * Whether the name in the address has to be one of this machine's own. A page elsewhere can give
   * its own name the address 127.0.0.1; without tokens, that name is all that gives it away.
   */
  readonly loopbackOnly: boolean;
  readonly authenticate: Authenticate;
  /** HTTP requests and new sockets of one address. */
  readonly requestsPerAddress: RateLimit;
}

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "OPTIONS"]);

/** Who a request is from, where its headers alone proved it. */
const identities = new WeakMap<FastifyRequest["raw"], Identity>();

/** Undefined where the headers named nobody: then connectionParams have to. */
export function identityIn(request: FastifyRequest["raw"]): Identity | undefined {
  return identities.get(request);
}

export function guard(app: FastifyInstance, options: GateOptions): void {
  const { apiPath, refusals, allowsOrigin, loopbackOnly, authenticate } = options;
  const { checkRoom, requestsPerAddress, probes } = options;

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
    if (forApi && !allowsOrigin({ origin, host, site })) {
      const message = "This server does not talk to pages from there.";
      return refusals.send(reply, new LangwireError("UNAUTHORIZED", { message }), "FORBIDDEN");
    }
    if (!methods.has(request.method)) {
      return refusals.send(reply, new LangwireError("BAD_INPUT"), "METHOD_NOT_SUPPORTED");
    }
    // Whoever probes is answered from what was found out a moment ago.
    if (!request.ws && probes.has(request.routeOptions.url ?? "")) return;
    try {
      await requestsPerAddress.take(addressKey(request.ip));
      if (request.ws) openable(request);
      if (!forApi) return;
      const { authorization } = request.headers;
      if (authorization !== undefined || (request.ws && !bringsParams(request.raw))) {
        const { headers } = request;
        identities.set(request.raw, await authenticate({ connectionParams: null, headers }));
      }
    } catch (cause) {
      if (!(cause instanceof LangwireError)) throw cause;
      if (cause.code === "AUTH_UNAVAILABLE") {
        request.log.error({ code: cause.code, err: cause.cause }, "request failed");
      }
      // What is refused for being too much does not get to keep its connection as well.
      if (cause.code === "RATE_LIMITED" || cause.code === "OVERLOADED") {
        reply.header("connection", "close");
      }
      return refusals.send(reply, cause);
    }
  });

  function openable(request: FastifyRequest): void {
    if (request.routeOptions.url !== apiPath) throw new LangwireError("NOT_FOUND");
    checkRoom(request.ip);
  }
}

/** Whether the first frame of the socket will say who is calling. tRPC asks the same of the URL. */
export function bringsParams({ url = "" }: { url?: string | undefined }): boolean {
  return URL.parse(url, "ws://host")?.searchParams.get("connectionParams") === "1";
}
