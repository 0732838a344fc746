/** Serves requests for server-sent events: authenticates the caller, takes a slot, subscribes. */
import { TRPCError } from "@trpc/server";
import { parseConnectionParamsFromString } from "@trpc/server/http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { CallContext } from "../../api/context.ts";
import { toTrpcError } from "../../api/errors.ts";
import type { ChatRouter } from "../../api/router.ts";
import { TrackedEvents } from "../../api/subscription.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Credentials, Identity } from "../access/callers.ts";
import { resumedInput } from "../connections/call-input.ts";
import type { Connections } from "../connections/connections.ts";
import type { LogFailure } from "../logging/failure-log.ts";
import { inTrace, requestTrace } from "../metrics/request-trace.ts";
import { callProcedure, errorEventData, isSubscription } from "../trpc-internals.ts";
import { EventStream } from "./event-stream.ts";
import { checkSubscribes, inputIn, lastEventIdOf, searchOf } from "./subscription-request.ts";
import type { TcpConnections } from "./tcp-connections.ts";

/** Identifies a request's caller: by its headers, which the gate has checked, or by its URL. */
export type IdentifyRequest = (
  request: FastifyRequest,
  connectionParams: Credentials["connectionParams"],
) => Promise<Identity>;

export interface EventStreamsOptions {
  readonly router: ChatRouter;
  readonly connections: Connections;
  readonly tcp: TcpConnections;
  readonly identify: IdentifyRequest;
  /** Whether other processes can do what this one has to refuse. */
  readonly cutOff: () => boolean;
  readonly logFailure: LogFailure;
}

export class EventStreams {
  readonly #options: EventStreamsOptions;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /** Whether the path is a subscription; a batch is none. */
  has(path: string): boolean {
    return isSubscription(this.#options.router, path);
  }

  /** @returns settles when the stream is over. @throws what refuses it before it has begun */
  async serve(request: FastifyRequest, reply: FastifyReply, path: string): Promise<void> {
    checkSubscribes(request, reply);
    // Before the first await, or a caller who disconnects during it would go unnoticed.
    const left = new AbortController();
    reply.raw.once("close", () => left.abort());
    // The caller may have disconnected while it was authenticated.
    if (reply.raw.destroyed || request.raw.socket.destroyed) return;
    reply.hijack();
    const { connections, cutOff } = this.#options;
    const elsewhere = cutOff();
    // The next request of this reader may come to another process.
    if (elsewhere) reply.header("connection", "close");
    const stream = new EventStream(reply, {
      ...connections.limits,
      longTexts: connections.longTexts,
    });
    try {
      if (elsewhere) throw new LangwireError("STORE_UNAVAILABLE");
      const events = await this.#events(request, { path, stream, signal: left.signal });
      stream.begin();
      await stream.deliver(events);
    } catch (cause) {
      if (left.signal.aborted) return;
      const error = cause instanceof TRPCError ? cause : toTrpcError(cause);
      this.#options.logFailure({ error, path, type: "subscription" });
      stream.begin();
      stream.fail(errorEventData(this.#options.router, error));
    }
  }

  async #events(
    request: FastifyRequest,
    { path, stream, signal }: { path: string; stream: EventStream; signal: AbortSignal },
  ): Promise<TrackedEvents> {
    const { router, connections, identify, tcp } = this.#options;
    const search = searchOf(request.url);
    const params = search?.get("connectionParams") ?? null;
    const caller = await identify(
      request,
      params === null ? null : parseConnectionParamsFromString(params),
    );
    signal.throwIfAborted();
    const release = connections.addHttpSubscription(caller, {
      address: request.ip,
      leave: () => stream.leave(),
    });
    signal.addEventListener("abort", release, { once: true });
    tcp.removeFromHttp(request.raw.socket);
    await connections.work.pace(caller.userId, { bounded: true });
    const asked = await connections.work.start(caller.userId);
    const ctx: CallContext = { caller, pacer: stream };
    const input = () => resumedInput(inputIn(search), lastEventIdOf(request));
    const call = async () => {
      signal.throwIfAborted();
      return await callProcedure(router, { type: "subscription", path, input, ctx, signal });
    };
    const events = await inTrace(requestTrace(request.headers), call).finally(asked);
    if (!(events instanceof TrackedEvents)) throw new TypeError("a subscription without events");
    return events;
  }
}
