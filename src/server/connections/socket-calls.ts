/**
 * The calls of one WebSocket, in tRPC's own protocol: a stock `wsLink` works here as with tRPC's
 * adapter, which holds about 9 kB for a socket that only watches a conversation, and takes each event
 * through ten promises.
 *
 *   unidentified ── first frame, or headers ──▶ authenticating ──▶ answers calls
 */
import type { Context } from "@opentelemetry/api";
import { TRPCError } from "@trpc/server";
import type { CallContext } from "../../api/context.ts";
import { toTrpcError } from "../../api/errors.ts";
import type { ChatRouter } from "../../api/router.ts";
import { TrackedEvents } from "../../api/subscription.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Identity } from "../access/callers.ts";
import type { Refusals } from "../access/refusals.ts";
import type { LogFailure } from "../logging/failure-log.ts";
import { inTrace } from "../metrics/request-trace.ts";
import { callProcedure } from "../trpc-internals.ts";
import { resumedInput, reviveInput } from "./call-input.ts";
import { CallQueue, type QueuedCall } from "./call-queue.ts";
import { closeCodes } from "./close-codes.ts";
import {
  type CallMessage,
  type ConnectionParams,
  FrameReader,
  type Message,
  type RequestId,
  readParams,
} from "./frames/incoming-frames.ts";
import { answerFrame, frameHead, startedFrame, stoppedFrame } from "./frames/outgoing-frames.ts";
import type { SocketConnection } from "./socket-connection.ts";

/** What the sockets of one server share. */
export interface SocketApi {
  readonly router: ChatRouter;
  readonly refusals: Refusals;
  readonly logFailure: LogFailure;
}

/** How a socket was opened. */
export interface Opening {
  /** Whether its first frame has connection parameters. */
  readonly bringsParams: boolean;
  /** Identifies the caller by them, or else by the headers. Called once. */
  readonly authenticate: (params: ConnectionParams) => Promise<Identity>;
  /** The trace of the request that opened it. */
  readonly traced: Context | undefined;
  /** That request's id in the log. */
  readonly reqId: string;
}

/** A call in the queue. */
interface Call extends Pick<CallMessage, "id" | "jsonrpc" | "method"> {
  readonly path: string;
  readonly input: unknown;
}

/** A call that is begun: how it is stopped, and what is called when it has asked the store. */
interface Begun {
  readonly signal: AbortSignal;
  readonly asked: (() => void) | undefined;
}

export class SocketCalls {
  readonly #api: SocketApi;
  readonly #connection: SocketConnection;
  readonly #frames: FrameReader;
  readonly #traced: Context | undefined;
  readonly #reqId: string;
  #subscriptions: Map<RequestId, AbortController> | undefined;
  #queue: CallQueue | undefined;
  /** Dropped with the first frame: it holds the request, which must not stay as long as the socket. */
  #authenticate: Opening["authenticate"] | undefined;
  #caller: Promise<Identity> | undefined;

  constructor(
    api: SocketApi,
    connection: SocketConnection,
    { bringsParams, authenticate, traced, reqId }: Opening,
  ) {
    this.#traced = traced;
    this.#reqId = reqId;
    this.#api = api;
    this.#connection = connection;
    this.#frames = new FrameReader(connection.limits, this);
    if (bringsParams) this.#authenticate = authenticate;
    else this.#identify(() => authenticate(null));
  }

  /** One frame; a binary one comes as an empty text. */
  receive(text: string): void {
    if (this.#connection.closing || text === "PONG") return;
    if (text === "PING") this.#connection.send("PONG");
    else if (this.#authenticate !== undefined) this.#identifyBy(this.#authenticate, text);
    else this.#takeAll(this.#messagesIn(text), text.length);
  }

  /** The socket has closed. */
  end(): void {
    for (const subscription of this.#subscriptions?.values() ?? []) subscription.abort(hasLeft);
  }

  /** Answers a request that was refused. */
  refuse(id: RequestId, error: LangwireError): void {
    this.#connection.countRefused();
    this.#connection.send(this.#api.refusals.frame(frameHead(id), error));
  }

  /** The client sends so many requests that even refusing them costs too much: closes the socket. */
  cutOff(): void {
    this.#connection.close(closeCodes.tooMany, "too many requests");
  }

  #identifyBy(authenticate: Opening["authenticate"], text: string): void {
    this.#authenticate = undefined;
    this.#identify(async () => authenticate(paramsIn(text)));
  }

  #identify(look: () => Promise<Identity>): void {
    // One error for all of its calls, so that it is logged once.
    this.#caller = this.#connection.identified(() => look().catch(refuse));
    this.#caller.catch((cause: unknown) => this.#fail(frameHead(null), cause));
  }

  #messagesIn(text: string): readonly Message[] {
    try {
      return this.#frames.read(text);
    } catch {
      this.refuse(null, notJson);
      return [];
    }
  }

  #takeAll(messages: readonly Message[], frameBytes: number): void {
    const bytes = frameBytes / messages.length;
    for (const message of messages) {
      if (message.method === "subscription.stop") this.#subscriptions?.get(message.id)?.abort();
      else this.#take(message, bytes);
    }
  }

  /** Queues a call by its known fields alone: anything else in the frame would stay in memory with it. */
  #take({ params: { path, input, lastEventId }, ...message }: CallMessage, bytes: number): void {
    const call = { ...message, path, input: resumedInput(reviveInput(input), lastEventId) };
    const run =
      call.method === "subscription"
        ? this.#subscribing(call)
        : (asked?: () => void) => this.#answer(call, asked);
    if (run === undefined || this.#caller === undefined) return;
    const { work } = this.#connection;
    this.#queue ??= new CallQueue({ connection: this.#connection, work, caller: this.#caller });
    this.#queue.add({ method: call.method, bytes, run });
  }

  async #answer(call: Call, asked?: () => void): Promise<number> {
    const head = frameHead(call.id, call.jsonrpc);
    try {
      const answer = await this.#call(call, { signal: new AbortController().signal, asked });
      const frame = answerFrame(head, answer);
      this.#connection.send(frame);
      return frame.length;
    } catch (cause) {
      this.#fail(head, cause, call);
      return 0;
    }
  }

  /** Registers the subscription's id at once, so that it can be stopped while it waits in the queue. */
  #subscribing(call: Call): QueuedCall["run"] | undefined {
    this.#subscriptions ??= new Map();
    if (this.#subscriptions.has(call.id)) {
      this.refuse(call.id, idInUse);
      return undefined;
    }
    const stop = new AbortController();
    this.#subscriptions.set(call.id, stop);
    return async (asked) => {
      await this.#subscribe(call, { signal: stop.signal, asked });
      return 0;
    };
  }

  async #subscribe(call: Call, begun: Begun): Promise<void> {
    const head = frameHead(call.id, call.jsonrpc);
    try {
      await this.#events(call, head, begun);
    } catch (cause) {
      return this.#fail(head, cause, call);
    } finally {
      this.#subscriptions?.delete(call.id);
    }
    this.#connection.send(stoppedFrame(head));
  }

  async #events(call: Call, head: string, begun: Begun): Promise<void> {
    const events = await this.#call(call, begun);
    if (!(events instanceof TrackedEvents)) throw new TypeError("a subscription without events");
    if (begun.signal.aborted) return;
    const connection = this.#connection;
    connection.send(startedFrame(head, events.position));
    await events.deliver((entry) => connection.sendEvent(head, entry));
  }

  async #call({ method: type, path, input }: Call, { signal, asked }: Begun): Promise<unknown> {
    const { router } = this.#api;
    const connection = this.#connection;
    const caller = await this.#caller;
    if (caller === undefined) throw new TRPCError({ code: "UNAUTHORIZED" });
    const ctx: CallContext = {
      caller,
      pacer: connection.pacer,
      openSubscription: () => connection.openSubscription(),
    };
    const called = inTrace(this.#traced, () =>
      callProcedure(router, { type, path, input: () => input, ctx, signal }),
    );
    return await called.finally(asked);
  }

  #fail(head: string, cause: unknown, call?: Call): void {
    const { refusals, logFailure } = this.#api;
    const error = cause instanceof TRPCError ? cause : toTrpcError(cause);
    const asked = { reqId: this.#reqId, address: this.#connection.address };
    const [path, type] = [call?.path, call?.method ?? "unknown"];
    logFailure({ error, path, type, askedBy: asked });
    this.#connection.send(refusals.failureFrame(head, error));
  }
}

/** One for all: made for each, with its stack, it is a tenth of what it costs that ten thousand leave at once. */
const hasLeft = new DOMException("The socket has closed.", "AbortError");
const notJson = new LangwireError("BAD_INPUT", { message: "The frame is no JSON." });
const idInUse = new LangwireError("BAD_INPUT", { message: "The id is in use on this socket." });

function refuse(cause: unknown): never {
  throw cause instanceof TRPCError ? cause : toTrpcError(cause);
}

function paramsIn(text: string): ConnectionParams {
  try {
    return readParams(text);
  } catch (cause) {
    throw new TRPCError({ code: "PARSE_ERROR", cause });
  }
}
