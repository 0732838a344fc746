/**
 * The calls that come on one WebSocket, in tRPC's own protocol: a stock `wsLink` finds here what it
 * finds at tRPC's adapter, which holds about 9 kB for a socket that only watches a conversation, and
 * takes each event through ten promises.
 *
 *   nameless ── its first frame, or the headers that opened it ──▶ being looked up ──▶ calls
 */
import { TRPCError } from "@trpc/server";
import type { Connection } from "../../api/context.ts";
import { toTrpcError } from "../../api/errors.ts";
import type { ChatRouter } from "../../api/router.ts";
import { TrackedEvents } from "../../api/subscription.ts";
import type { LangwireError } from "../../protocol/errors.ts";
import type { Identity } from "../access/callers.ts";
import type { Refusals } from "../access/refusals.ts";
import type { LogFailure } from "../logging/failure-log.ts";
import { callProcedure } from "../trpc-internals.ts";
import { closeCodes } from "./close-codes.ts";
import {
  type CallMessage,
  type ConnectionParams,
  FrameReader,
  type Message,
  type RequestId,
  readParams,
} from "./frames.ts";
import { reviveInput } from "./revive-input.ts";
import type { SocketConnection } from "./socket-connection.ts";
import { answerFrame, eventFrame, frameHead, stateFrame } from "./wire.ts";

/** What the sockets of one server share. */
export interface SocketApi {
  readonly router: ChatRouter;
  readonly refusals: Refusals;
  readonly logFailure: LogFailure;
}

/** How a socket was opened. */
export interface Opening {
  /** Whether its first frame says who is calling. */
  readonly bringsParams: boolean;
  /** Finds out who that is; called once. */
  readonly prove: (params: ConnectionParams) => Promise<Identity>;
}

export class SocketCalls {
  readonly #api: SocketApi;
  readonly #connection: SocketConnection;
  readonly #frames: FrameReader;
  #subscriptions: Map<RequestId, AbortController> | undefined;
  /** Let go with all that it holds once the caller is being looked up. */
  #prove: Opening["prove"] | undefined;
  #caller: Promise<Identity> | undefined;

  constructor(api: SocketApi, connection: SocketConnection, { bringsParams, prove }: Opening) {
    this.#api = api;
    this.#connection = connection;
    this.#frames = new FrameReader(connection.limits, this);
    if (bringsParams) this.#prove = prove;
    else this.#identify(() => prove(null));
  }

  /** One frame; a binary one is no text, and comes as none. */
  receive(text: string): void {
    if (this.#connection.closing || text === "PONG") return;
    if (text === "PING") this.#connection.send("PONG");
    else if (this.#prove !== undefined) this.#identifyBy(this.#prove, text);
    else for (const message of this.#messagesIn(text)) this.#take(message);
  }

  /** The socket has closed. */
  end(): void {
    for (const subscription of this.#subscriptions?.values() ?? []) subscription.abort();
  }

  /** Answers a request that goes no further. */
  refuse(id: RequestId, error: LangwireError): void {
    this.#connection.send(this.#api.refusals.frame(frameHead(id), error));
  }

  /** The client sends so much that answering it is too much, too. */
  cutOff(): void {
    this.#connection.close(closeCodes.tooMany, "too many requests");
  }

  #identifyBy(prove: Opening["prove"], text: string): void {
    this.#prove = undefined;
    this.#identify(async () => prove(parsed(readParams, text)));
  }

  #identify(look: () => Promise<Identity>): void {
    this.#caller = this.#connection.identified(look);
    this.#caller.catch((cause: unknown) => this.#fail(frameHead(null), cause));
  }

  #messagesIn(text: string): readonly Message[] {
    try {
      return parsed((it) => this.#frames.read(it), text);
    } catch (cause) {
      this.#fail(frameHead(null), cause);
      return [];
    }
  }

  #take(message: Message): void {
    if (message.method === "subscription.stop") this.#subscriptions?.get(message.id)?.abort();
    else if (message.method === "subscription") void this.#subscribe(message);
    else void this.#answer(message);
  }

  async #answer(message: CallMessage): Promise<void> {
    const head = frameHead(message.id, message.jsonrpc);
    try {
      const answer = await this.#call(message, new AbortController().signal);
      this.#connection.send(answerFrame(head, answer));
    } catch (cause) {
      this.#fail(head, cause, message);
    }
  }

  async #subscribe(message: CallMessage): Promise<void> {
    const { id, jsonrpc } = message;
    const head = frameHead(id, jsonrpc);
    this.#subscriptions ??= new Map();
    const subscriptions = this.#subscriptions;
    if (subscriptions.has(id)) {
      const inUse = new TRPCError({ code: "BAD_REQUEST", message: `Duplicate id ${id}` });
      return this.#fail(head, inUse, message);
    }
    const stop = new AbortController();
    subscriptions.set(id, stop);
    try {
      await this.#events(message, head, stop.signal);
    } catch (cause) {
      return this.#fail(head, cause, message);
    } finally {
      subscriptions.delete(id);
    }
    this.#connection.send(stateFrame(head, "stopped"));
  }

  async #events(message: CallMessage, head: string, signal: AbortSignal): Promise<void> {
    const events = await this.#call(message, signal);
    if (!(events instanceof TrackedEvents)) throw new TypeError("a subscription without events");
    if (signal.aborted) return;
    this.#connection.send(stateFrame(head, "started"));
    await events.deliver((entry) => this.#connection.send(eventFrame(head, entry)));
  }

  async #call({ method: type, params }: CallMessage, signal: AbortSignal): Promise<unknown> {
    const { router } = this.#api;
    const { path } = params;
    const connection = this.#connection;
    const caller = await this.#caller;
    if (caller === undefined) throw new TRPCError({ code: "UNAUTHORIZED" });
    const ctx: Connection = {
      caller,
      pacer: connection.pacer,
      openSubscription: () => connection.openSubscription(),
    };
    return callProcedure(router, { type, path, input: () => inputOf(params), ctx, signal });
  }

  #fail(head: string, cause: unknown, call?: CallMessage): void {
    const { refusals, logFailure } = this.#api;
    const error = cause instanceof TRPCError ? cause : toTrpcError(cause);
    logFailure({ error, path: call?.params.path, type: call?.method ?? "unknown" });
    this.#connection.send(refusals.failureFrame(head, error));
  }
}

function parsed<Read>(read: (text: string) => Read, text: string): Read {
  try {
    return read(text);
  } catch (cause) {
    throw new TRPCError({ code: "PARSE_ERROR", cause });
  }
}

/** The input as the procedure's schema is to see it: where to resume is one of its fields. */
function inputOf({ input, lastEventId }: CallMessage["params"]): unknown {
  const revived = reviveInput(input);
  if (lastEventId === undefined) return revived;
  if (revived === undefined || revived === null) return { lastEventId };
  return typeof revived === "object" ? { ...revived, lastEventId } : revived;
}
