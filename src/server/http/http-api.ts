/** The API over HTTP: queries and mutations, and subscriptions as server-sent events. */
import type { CreateFastifyContextOptions } from "@trpc/server/adapters/fastify";
import { type FastifyTRPCPluginOptions, fastifyTRPCPlugin } from "@trpc/server/adapters/fastify";
import type { FastifyInstance } from "fastify";
import type { Connection } from "../../api/context.ts";
import { toLangwireError, toTrpcError } from "../../api/errors.ts";
import type { ChatRouter } from "../../api/router.ts";
import type { Authenticate } from "../access/callers.ts";
import { identityIn } from "../access/gate.ts";
import { retryHeaders } from "../access/refusals.ts";
import type { Connections } from "../connections/connections.ts";
import { logFailures } from "../logging/failure-log.ts";
import { SocketPacer } from "../pacing/socket-pacer.ts";

export interface HttpApiOptions {
  readonly apiPath: string;
  readonly router: ChatRouter;
  readonly connections: Connections;
  readonly authenticate: Authenticate;
}

export async function serveHttp(app: FastifyInstance, options: HttpApiOptions): Promise<void> {
  const { apiPath, router, connections, authenticate } = options;
  const { maxBacklogBytes, slowReaderMs, maxMessagesPerFrame, maxFrameBytes } = connections.limits;

  await app.register(fastifyTRPCPlugin, {
    prefix: apiPath,
    trpcOptions: {
      router,
      maxBatchSize: maxMessagesPerFrame,
      maxBodySize: maxFrameBytes,
      onError: logFailures(app.log),
      responseMeta: ({ errors: [first] }) =>
        first === undefined ? {} : { headers: retryHeaders(toLangwireError(first)) },
      createContext: (request) =>
        connect(request).catch((cause: unknown) => {
          throw toTrpcError(cause);
        }),
    } satisfies FastifyTRPCPluginOptions<typeof router>["trpcOptions"],
  });

  async function connect(request: CreateFastifyContextOptions): Promise<Connection> {
    const { req, res, info } = request;
    const { connectionParams } = info;
    const { headers } = req;
    const proven = connectionParams === null ? identityIn(req.raw) : undefined;
    const caller = proven ?? (await authenticate({ connectionParams, headers }));
    if (info.type === "subscription") {
      const end = () => void res.raw.end();
      res.raw.once("close", connections.addHttpSubscription(caller, { address: req.ip, end }));
    }
    const { socket } = req.raw;
    const pacer = new SocketPacer(socket, {
      maxBacklogBytes,
      patienceMs: slowReaderMs,
      onStuck: () => socket.destroy(),
    });
    return { caller, pacer };
  }
}
