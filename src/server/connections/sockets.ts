/** The API over WebSocket. */
import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import type { ChatRouter } from "../../api/router.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Authenticate } from "../access/callers.ts";
import { bringsParams, identityIn } from "../access/gate.ts";
import type { Refusals } from "../access/refusals.ts";
import { isOfTheWire, logFailures } from "../logging/failure-log.ts";
import { closeCodes } from "./close-codes.ts";
import type { Connections } from "./connections.ts";
import { type Opening, type SocketApi, SocketCalls } from "./socket-calls.ts";
import { closeGraceMs } from "./socket-connection.ts";

export interface SocketsOptions {
  readonly apiPath: string;
  readonly router: ChatRouter;
  readonly connections: Connections;
  readonly refusals: Refusals;
  readonly authenticate: Authenticate;
}

/** Needs `@fastify/websocket`, registered before. */
export function serveSockets(app: FastifyInstance, options: SocketsOptions): void {
  const { apiPath, router, connections, refusals, authenticate } = options;
  const api: SocketApi = { router, refusals, logFailure: logFailures(app.log) };

  // A socket lasts for hours: it is not to keep its response, with all the headers of that.
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
    wsHandler: (webSocket, { raw: request, ip, id: reqId }) => {
      // Nor what the plugin listens with, the request and its reply.
      webSocket.removeAllListeners("error").on("error", onError);
      webSocket.on("close", (code) => app.log.info({ reqId, code }, "socket closed"));
      try {
        const connection = connections.add(webSocket, request.socket, ip);
        if (asksForChunks(request)) connection.sendInChunks();
        const opening = { bringsParams: bringsParams(request), prove: proofOf(request) };
        connection.listen(new SocketCalls(api, connection, opening));
      } catch (cause) {
        if (!(cause instanceof LangwireError)) throw cause;
        webSocket.close(closeCodes.tooMany, cause.code);
        terminateLater(webSocket);
      }
    },
  });

  /** Who the first frame names, or else the headers. */
  function proofOf(request: IncomingMessage): Opening["prove"] {
    return async (connectionParams) => {
      const { headers } = request;
      const proven = connectionParams === null ? identityIn(request) : undefined;
      return proven ?? (await authenticate({ connectionParams, headers }));
    };
  }

  /** A wrong frame is answered by ws with a close code of its own, which needs a moment to get out. */
  function onError(this: WebSocket, cause: Error): void {
    if (isOfTheWire(cause)) app.log.debug({ err: cause }, "socket failed");
    else app.log.error({ err: cause }, "socket failed");
    this.close();
    terminateLater(this);
  }
}

/** Whether the client takes a long frame in several messages. */
function asksForChunks({ url = "" }: IncomingMessage): boolean {
  return URL.parse(url, "ws://host")?.searchParams.get("chunks") === "1";
}

/** A socket that is refused does not get to keep it by leaving the close frame unanswered. */
function terminateLater(webSocket: WebSocket): void {
  const timer = setTimeout(() => webSocket.terminate(), closeGraceMs);
  webSocket.once("close", () => clearTimeout(timer));
}
