/** The HTTP and WebSocket server around the router. */
import { createServer as createHttpServer } from "node:http";
import websocket from "@fastify/websocket";
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { describeThrown } from "../bots/failures/thrown.ts";
import type { Langwire } from "../open/open-langwire.ts";
import { memoryRateLimit, type RateLimit } from "../runs/admission/rate-limit.ts";
import { networksCheck } from "./access/addresses.ts";
import { browserHeaders } from "./access/browser-headers.ts";
import { trustCallers } from "./access/callers.ts";
import { guard } from "./access/gate.ts";
import { type Authenticate, type IdentifyOptions, identifier } from "./access/identify.ts";
import { originCheck } from "./access/origins.ts";
import { Refusals } from "./access/refusals.ts";
import type { ConnectionLimits } from "./connections/connection-limits.ts";
import { Connections } from "./connections/connections.ts";
import { serveSockets, turnsOfUpgrades } from "./connections/websocket-route.ts";
import { healthRoutes, probePaths } from "./health.ts";
import { serveHttp } from "./http/http-api.ts";
import { connectionsThatFit } from "./http/open-files.ts";
import { RequestTurns } from "./http/request-turns.ts";
import { TcpConnections } from "./http/tcp-connections.ts";
import { Listening, type ListenOptions } from "./listening.ts";
import { logFailures } from "./logging/failure-log.ts";
import { BeginTurns } from "./pacing/begin-turns.ts";
import { servePage } from "./page.ts";
import { servedRouter } from "./served-router.ts";
import { type SignInPages, sessionRoute } from "./session-route.ts";

export interface ServerOptions extends SignInPages {
  readonly langwire: Langwire;
  readonly logger?: FastifyBaseLogger;
  /** Default: callers are the users they name, and the server answers to loopback names alone. */
  readonly authenticate?: Authenticate;
  /** Without authentication, answers to any host name: whoever reaches the server has access. */
  readonly allowAnonymous?: boolean;
  /** Pages that may call, as exact origins. Default: its own host's, and on loopback any of loopback. */
  readonly allowedOrigins?: readonly string[];
  readonly connectionLimits?: Partial<ConnectionLimits>;
  /** Rate limit of HTTP requests and new sockets of one address. Default: counted in this process. */
  readonly requestsPerAddress?: RateLimit;
  /** Proxies whose X-Forwarded-For and -Host are believed: addresses and subnets. */
  readonly trustedProxies?: readonly string[];
  /**
   * For development alone: errors have a `detail` that says what was thrown, and where. It is kept in
   * this process, and not stored. Default: false, and callers get nothing of what was thrown.
   */
  readonly dev?: boolean;
  /** The folder of the chat page, to be shown at `/`. Default: no page. */
  readonly pageDir?: string;
}

export interface ChatServer {
  readonly app: FastifyInstance;
  readonly connections: Connections;
  /** As `app.listen`, but many connections are accepted in a turn of the event loop where the system can. */
  listen(options: ListenOptions): Promise<string>;
  /** Waits up to `graceMs` for runs to end, has clients reconnect, and closes. */
  close(graceMs: number): Promise<void>;
}

const apiPath = "/trpc";
/** How long a request's headers, and all of it, may take to arrive. */
const headersTimeoutMs = 15_000;
const requestTimeoutMs = 30_000;
const timeoutsCheckedMs = 2_000;
/** How long a connection may be idle between two requests: longer than proxies keep theirs. */
const keepAliveTimeoutMs = 72_000;
export async function createServer(options: ServerOptions): Promise<ChatServer> {
  const { langwire, logger } = options;
  const connections = new Connections(options.connectionLimits);
  const { maxFrameBytes: maxPayload, maxHttpRequestsPerSecond } = connections.limits;
  const perSecond = {
    what: "requests and new connections from one address in a second",
    times: maxHttpRequestsPerSecond,
    perMs: 1_000,
  };
  if (logger !== undefined) langwire.defaultLog?.use(logger, { quotes: options.dev === true });
  const router = servedRouter(langwire, options);
  const refusals = new Refusals(router);
  const isProxy = networksCheck(options.trustedProxies ?? []);
  const turns = new BeginTurns();
  const app = Fastify({
    bodyLimit: maxPayload,
    forceCloseConnections: true,
    frameworkErrors: (cause, _request, reply) => refusals.sendFor(reply, cause),
    clientErrorHandler: (error, socket) => refusals.sendRaw(error, socket),
    serverFactory: (handler) =>
      createHttpServer(
        {
          requestTimeout: requestTimeoutMs,
          headersTimeout: headersTimeoutMs,
          connectionsCheckingInterval: timeoutsCheckedMs,
          keepAliveTimeout: keepAliveTimeoutMs,
        },
        new RequestTurns(turns, handler).take,
      ),
    // An address that was typed with a slash too many is the address that was meant.
    routerOptions: {
      maxParamLength: 5_000,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
    },
    trustProxy: options.trustedProxies === undefined ? false : isProxy,
    ...(logger === undefined ? {} : { loggerInstance: logger }),
  });
  /** Without a logger, what fails beside runs is told where their failures are. */
  const failureLog = logger ?? langwire.defaultLog ?? app.log;
  const { authenticate = trustCallers } = options;
  const timeoutMs = connections.limits.authTimeoutMs;
  const onFailure: IdentifyOptions["onFailure"] = (what, err, seen) =>
    failureLog.error({ detail: describeThrown(err), err, ...seen }, what);
  const identify = identifier({ authenticate, timeoutMs, onFailure });
  const allowsOrigin = originCheck(options.allowedOrigins);
  const requestsPerAddress = options.requestsPerAddress ?? memoryRateLimit(perSecond);

  const { maxConnections, maxHttpConnectionsPerAddress, slowReaderMs } = connections.limits;
  const tcp = new TcpConnections(app.server, {
    maxConnections: Math.min(maxConnections, connectionsThatFit()),
    maxHttpConnectionsPerAddress,
    slowReaderMs,
    partialInput: connections.partialInput,
    isProxy,
    refuse: (socket, why) => refusals.sendLimitReached(socket, why, maxHttpConnectionsPerAddress),
  });

  const cutOff = () => langwire.cluster?.cutOff === true;
  const logFailure = logFailures(failureLog);
  const calls = {
    apiPath,
    logFailure,
    router,
    connections,
    refusals,
    identify,
    requestsPerAddress,
  };
  const shared = { ...calls, tcp, cutOff, turns };

  refusals.handle(app);
  app.addHook("onRequest", (request, reply, done) => {
    // Of a connection that was closed for what it sent: nobody waits for the answer.
    if (request.raw.socket.destroyed) reply.hijack();
    else done();
  });
  await app.register(websocket, { options: { maxPayload, perMessageDeflate: false } });
  turnsOfUpgrades(app, turns);
  // Before the guard: a page that may call may read why it is refused, and may ask first at any time.
  await browserHeaders(app, { allowsOrigin });
  guard(app, {
    ...shared,
    allowsOrigin,
    probes: probePaths,
    loopbackOnly: options.authenticate === undefined && options.allowAnonymous !== true,
    checkSocketLimits: (address) => connections.checkSocketLimits(address),
  });
  serveSockets(app, shared);
  const listening = new Listening(app);
  await serveHttp(app, shared);
  healthRoutes(app, langwire);
  langwire.cluster?.onCutOff(() => connections.sendAway());
  if (options.pageDir !== undefined) {
    await servePage(app, options.pageDir);
    sessionRoute(app, { pages: options, identify: options.authenticate && identify });
  }

  return {
    app,
    connections,
    listen: (address) => listening.listen(address),
    close: async (graceMs) => {
      await langwire.runs.drain(graceMs);
      connections.closeAll();
      tcp[Symbol.dispose]();
      await app.close();
    },
  };
}
