/** The API over HTTP: queries and mutations by tRPC's adapter, subscriptions as server-sent events. */
import {
  type CreateFastifyContextOptions,
  type FastifyTRPCPluginOptions,
  fastifyRequestHandler,
} from "@trpc/server/adapters/fastify";
import type { FastifyInstance } from "fastify";
import type { CallContext } from "../../api/context.ts";
import { toLangwireError, toTrpcError } from "../../api/errors.ts";
import type { ChatRouter } from "../../api/router.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { RateLimit } from "../../runs/admission/rate-limit.ts";
import { addressKey } from "../access/addresses.ts";
import { factsOf } from "../access/auth-request.ts";
import { identityIn } from "../access/gate.ts";
import type { Identify } from "../access/identify.ts";
import { retryHeaders } from "../access/refusals.ts";
import type { Connections } from "../connections/connections.ts";
import { isTooComplex, scanJson } from "../connections/frames/json-scan.ts";
import { askedBy, type LogFailure } from "../logging/failure-log.ts";
import { StallClock } from "../pacing/stall-clock.ts";
import { BatchTurns } from "./batch-turns.ts";
import { EventStreams, type IdentifyRequest } from "./event-streams.ts";
import { notAlone } from "./subscription-request.ts";
import type { TcpConnections } from "./tcp-connections.ts";

export interface HttpApiOptions {
  readonly apiPath: string;
  readonly router: ChatRouter;
  readonly connections: Connections;
  readonly identify: Identify;
  /** Rate limit of one address; each call of a batch counts as one. */
  readonly requestsPerAddress: RateLimit;
  readonly tcp: TcpConnections;
  readonly cutOff: () => boolean;
  readonly logFailure: LogFailure;
}

export async function serveHttp(app: FastifyInstance, options: HttpApiOptions): Promise<void> {
  const { apiPath, router, connections, requestsPerAddress } = options;
  const { maxMessagesPerFrame, maxFrameBytes } = connections.limits;
  const trpcOptions = {
    router,
    maxBatchSize: maxMessagesPerFrame,
    maxBodySize: maxFrameBytes,
    onError: ({ error, path, type, req }) =>
      options.logFailure({ error, path, type, askedBy: askedBy(req) }),
    responseMeta: ({ errors: [first] }) =>
      first === undefined ? {} : { headers: retryHeaders(toLangwireError(first)) },
    createContext: (request) =>
      connect(request).catch((cause: unknown) => {
        throw toTrpcError(cause);
      }),
  } satisfies FastifyTRPCPluginOptions<typeof router>["trpcOptions"];

  const identify: IdentifyRequest = async (request, connectionParams) => {
    const proven = connectionParams === null ? identityIn(request.raw) : undefined;
    return proven ?? (await options.identify(factsOf(request, connectionParams)));
  };
  const streams = new EventStreams({ ...options, identify });

  await app.register(
    async (api) => {
      // tRPC's adapter reads the text itself, and takes no forms.
      api.removeContentTypeParser(["application/json", "multipart/form-data"]);
      api.addContentTypeParser("application/json", { parseAs: "string" }, (_, body, done) => {
        const isPlain = !isTooComplex(scanJson(String(body)), maxMessagesPerFrame);
        if (isPlain) done(null, body);
        else done(new LangwireError("BAD_INPUT", { message: "The input has too many values." }));
      });
      api.all<{ Params: { path: string } }>("/:path", async (req, res) => {
        const { path } = req.params;
        if (req.method === "GET" && streams.has(path)) return streams.serve(req, res, path);
        // Fastify has decoded the path, and tRPC decodes it again.
        const encoded = encodeURIComponent(path);
        return fastifyRequestHandler({ ...trpcOptions, req, res, path: encoded });
      });
    },
    { prefix: apiPath },
  );

  async function connect({ req, res, info }: CreateFastifyContextOptions): Promise<CallContext> {
    // Before the first await, or a caller who disconnects during it would go unnoticed.
    let turns: BatchTurns | undefined;
    res.raw.once("close", () => turns?.end());
    if (info.type === "subscription") throw notAlone();
    const more = info.calls.length - 1;
    if (more > 0) await requestsPerAddress.take(addressKey(req.ip), more);
    const caller = await identify(req, info.connectionParams);
    if (typeof req.body === "string") connections.work.charge(caller.userId, req.body.length);
    const { socket } = req.raw;
    const stall = new StallClock(socket);
    const holder = { stalledMs: () => stall.stalledMs(), cut: () => socket.destroy() };
    turns = new BatchTurns({ work: connections.work, userId: caller.userId, holder });
    if (res.raw.closed || socket.destroyed) turns.end();
    return { caller, enterCall: turns.enterCall };
  }
}
