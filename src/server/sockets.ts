/** The API over WebSocket. */
import { getWSConnectionHandler } from "@trpc/server/adapters/ws";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import type { Connection } from "../api/context.ts";
import { toTrpcError } from "../api/errors.ts";
import type { ChatRouter } from "../api/router.ts";
import { LangwireError } from "../protocol/errors.ts";
import type { Authenticate } from "./callers.ts";
import { closeCodes } from "./close-codes.ts";
import type { Connections } from "./connections.ts";
import { isOfTheWire, logFailures } from "./failure-log.ts";
import { FrameReader } from "./frames.ts";
import { bringsParams, identityIn } from "./gate.ts";
import type { Refusals } from "./refusals.ts";
import { closeGraceMs } from "./socket-connection.ts";
import { encodeFrame, TextOutlet } from "./wire.ts";

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

  app.get(apiPath, { websocket: true }, (webSocket, { raw: request, ip }) => {
    let connection: ReturnType<typeof connections.add>;
    try {
      connection = connections.add(webSocket, request, ip);
    } catch (cause) {
      if (!(cause instanceof LangwireError)) throw cause;
      webSocket.close(closeCodes.tooMany, cause.code);
      return;
    }
    const frames = new FrameReader({
      limits: connections.limits,
      startsWithParams: bringsParams(request),
      refuse: (id, error) => connection.send(refusals.frame(id, error)),
      onBadParams: () => connection.closeSoon(closeCodes.nameless, "no connection parameters"),
      onFlood: () => connection.close(closeCodes.tooMany, "too many requests"),
    });
    const outlet = new TextOutlet((frame) => connection.send(frame));
    // A handler of its own for each socket costs a closure, and gives each frame its sender.
    getWSConnectionHandler({
      wss: app.websocketServer,
      router,
      experimental_encoder: {
        encode: encodeFrame,
        decode: (data) => (connection.closing ? [] : frames.read(data)),
      },
      onError: logFailures(app.log),
      createContext: async ({ info: { connectionParams } }): Promise<Connection> => {
        const { headers } = request;
        const proven = connectionParams === null ? identityIn(request) : undefined;
        const caller = await connection
          .identified(async () => proven ?? (await authenticate({ connectionParams, headers })))
          .catch((cause: unknown) => {
            throw toTrpcError(cause);
          });
        return {
          caller,
          pacer: connection.pacer,
          outlet,
          openSubscription: () => connection.openSubscription(),
        };
      },
    })(webSocket, request);
  });
}

/**
 * For what `@fastify/websocket` does with a socket that fails. A wrong frame is answered by ws with a
 * close code of its own, which needs a moment to get out.
 */
export function socketFailed(cause: unknown, webSocket: WebSocket, request: FastifyRequest): void {
  if (isOfTheWire(cause)) request.log.debug({ err: cause }, "socket failed");
  else request.log.error({ err: cause }, "socket failed");
  webSocket.close();
  const timer = setTimeout(() => webSocket.terminate(), closeGraceMs);
  webSocket.once("close", () => clearTimeout(timer));
}
