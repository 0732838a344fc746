/** Serves requests for server-sent events: authenticates the caller, takes a slot, subscribes. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ChatRouter } from "../../api/router.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Credentials, Identity } from "../access/callers.ts";
import type { Connections } from "../connections/connections.ts";
import { askedBy, type LogFailure } from "../logging/failure-log.ts";
import { isSubscription } from "../trpc-internals.ts";
import { EventStream } from "./event-stream.ts";
import { deliverSubscription } from "./subscription-delivery.ts";
import { checkSubscribes } from "./subscription-request.ts";
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
    const { router, connections, cutOff, logFailure } = this.#options;
    const elsewhere = cutOff();
    // The next request of this reader may come to another process.
    if (elsewhere) reply.header("connection", "close");
    const stream = new EventStream(reply, {
      ...connections.limits,
      longTexts: connections.longTexts,
    });
    const { signal } = left;
    await deliverSubscription(router, {
      ...{ path, request, stream, signal },
      logFailure: (failed) => logFailure({ ...failed, askedBy: askedBy(request) }),
      identify: async (params) => {
        if (elsewhere) throw new LangwireError("STORE_UNAVAILABLE");
        return await this.#options.identify(request, params);
      },
      admit: (caller) => this.#admit(request, { caller, stream, signal }),
    });
  }

  async #admit(
    request: FastifyRequest,
    { caller, stream, signal }: { caller: Identity; stream: EventStream; signal: AbortSignal },
  ): Promise<() => void> {
    const { connections, tcp } = this.#options;
    const release = connections.addHttpSubscription(caller, {
      address: request.ip,
      leave: () => stream.leave(),
    });
    signal.addEventListener("abort", release, { once: true });
    tcp.removeFromHttp(request.raw.socket);
    await connections.work.pace(caller.userId, { bounded: true });
    return await connections.work.start(caller.userId);
  }
}
