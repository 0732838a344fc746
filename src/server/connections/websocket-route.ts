/** The API over WebSocket. */
import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import type { ChatRouter } from "../../api/router.ts";
import { LangwireError } from "../../protocol/errors.ts";
import { factsOf } from "../access/auth-request.ts";
import { bringsParams, identityIn } from "../access/gate.ts";
import type { Identify } from "../access/identify.ts";
import type { Refusals } from "../access/refusals.ts";
import { isConnectionError, type LogFailure } from "../logging/failure-log.ts";
import { requestTrace } from "../metrics/request-trace.ts";
import type { BeginTurns } from "../pacing/begin-turns.ts";
import { closeCodes } from "./close-codes.ts";
import type { Connections } from "./connections.ts";
import { type Opening, type SocketApi, SocketCalls } from "./socket-calls.ts";
import { closeGraceMs } from "./socket-connection.ts";

export interface SocketsOptions {
  readonly apiPath: string;
  readonly router: ChatRouter;
  readonly connections: Connections;
  readonly refusals: Refusals;
  readonly identify: Identify;
  readonly logFailure: LogFailure;
  /** Begins what opening a socket costs. */
  readonly turns: BeginTurns;
}

/** Sockets are opened in turns. Needs `@fastify/websocket`, registered before. */
export function turnsOfUpgrades(app: FastifyInstance, turns: BeginTurns): void {
  app.addHook("onRequest", ({ ws, raw }, _reply, done) => {
    if (ws) turns.enter(raw.socket, done);
    else done();
  });
}

/** Needs `@fastify/websocket`, registered before. */
export function serveSockets(app: FastifyInstance, options: SocketsOptions): void {
  const { apiPath, router, connections, refusals, identify, logFailure, turns } = options;
  const api: SocketApi = { router, refusals, logFailure };

  // A socket lasts for hours: drops its response, which would keep all headers in memory.
  const preHandler = async ({ ws, raw }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (ws) reply.raw.detachSocket(raw.socket);
  };
  app.route({
    method: "GET",
    url: apiPath,
    preHandler,
    handler: (_request, reply) => {
      const message = `WebSockets open here; over HTTP, ask ${apiPath}/<procedure>.`;
      return refusals.send(reply, new LangwireError("NOT_FOUND", { message }));
    },
    wsHandler: (webSocket, asked) => {
      const { raw: request, ip, id: reqId } = asked;
      // The plugin's listener would keep the request and its reply in memory.
      webSocket.removeAllListeners("error").on("error", onError);
      webSocket.on("close", (code) => app.log.info({ reqId, code }, "socket closed"));
      try {
        const connection = connections.add(webSocket, request.socket, ip);
        if (asksForChunks(request)) connection.sendInChunks();
        const opening = {
          bringsParams: bringsParams(request),
          authenticate: authenticationOf(asked),
          traced: requestTrace(request.headers),
          reqId,
        };
        connection.listen(new SocketCalls(api, connection, opening));
      } catch (cause) {
        if (!(cause instanceof LangwireError)) throw cause;
        webSocket.close(closeCodes.tooMany, cause.code);
        terminateLater(webSocket);
      }
    },
  });

  /** Identifies the caller by the first frame's parameters, or else by the headers. */
  function authenticationOf(request: FastifyRequest): Opening["authenticate"] {
    return async (connectionParams) => {
      const proven = connectionParams === null ? identityIn(request.raw) : undefined;
      // What a caller asks for follows at once, such as what they read when the connection was lost.
      await new Promise<void>((begin) => turns.enter(request.raw.socket, begin));
      return proven ?? (await identify(factsOf(request, connectionParams)));
    };
  }

  /** ws closes a socket with a malformed frame by a code of its own, which needs a moment to leave. */
  function onError(this: WebSocket, cause: Error): void {
    if (isConnectionError(cause)) app.log.debug({ err: cause }, "socket failed");
    else app.log.error({ err: cause }, "socket failed");
    this.close();
    // ws reads on for the answer to its close frame, however much comes before it.
    setImmediate(() => this.pause());
    terminateLater(this);
  }
}

/** Whether the client takes a long frame in several messages. */
function asksForChunks({ url = "" }: IncomingMessage): boolean {
  return URL.parse(url, "ws://host")?.searchParams.get("chunks") === "1";
}

/** Ends a refused socket, also where its client does not answer the close frame. */
function terminateLater(webSocket: WebSocket): void {
  const timer = setTimeout(() => webSocket.terminate(), closeGraceMs);
  webSocket.once("close", () => clearTimeout(timer));
}
