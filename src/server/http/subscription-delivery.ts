/** One request for server-sent events, from its caller to its end, whichever kind of server it came to. */
import type { IncomingHttpHeaders } from "node:http";
import { TRPCError } from "@trpc/server";
import { parseConnectionParamsFromString } from "@trpc/server/http";
import { toTrpcError } from "../../api/errors.ts";
import type { ChatRouter } from "../../api/router.ts";
import { TrackedEvents } from "../../api/subscription.ts";
import type { Pacer } from "../../runs/following/pacer.ts";
import type { Credentials, Identity } from "../access/callers.ts";
import { resumedInput } from "../connections/call-input.ts";
import type { LogFailure } from "../logging/failure-log.ts";
import { inTrace, requestTrace } from "../metrics/request-trace.ts";
import { callProcedure, errorEventData } from "../trpc-internals.ts";
import { inputIn, lastEventIdOf, searchOf } from "./subscription-request.ts";

/** What the events are written to. */
export interface SubscriptionStream extends Pacer {
  /** Sends every event, then the end. @returns settles when all is sent, or the reader has gone */
  deliver(events: TrackedEvents): Promise<void>;
  /** Ends it. @param json tRPC's shape of the error, transformed */
  fail(json: string): void;
}

export interface SubscriptionDelivery {
  /** `chat.send`. */
  readonly path: string;
  readonly request: { readonly url: string; readonly headers: IncomingHttpHeaders };
  readonly stream: SubscriptionStream;
  /** Aborted when nobody reads any more. */
  readonly signal: AbortSignal;
  readonly identify: (params: Credentials["connectionParams"]) => Promise<Identity>;
  /**
   * Takes the caller's slot, which the signal gives back, and waits for their turn.
   * @returns called when the store has been asked
   */
  readonly admit: (caller: Identity) => Promise<(() => void) | undefined>;
  readonly logFailure: LogFailure | undefined;
}

/** @returns settles when the stream is over, also where it was refused */
export async function deliverSubscription(
  router: ChatRouter,
  delivery: SubscriptionDelivery,
): Promise<void> {
  const { path, stream, signal, logFailure } = delivery;
  try {
    await stream.deliver(await open(router, delivery));
  } catch (cause) {
    if (signal.aborted) return;
    const error = cause instanceof TRPCError ? cause : toTrpcError(cause);
    logFailure?.({ error, path, type: "subscription" });
    stream.fail(errorEventData(router, error));
  }
}

async function open(
  router: ChatRouter,
  { path, request, stream, signal, identify, admit }: SubscriptionDelivery,
): Promise<TrackedEvents> {
  const search = searchOf(request.url);
  const params = search?.get("connectionParams") ?? null;
  const caller = await identify(params === null ? null : parseConnectionParamsFromString(params));
  // Whose reader left meanwhile would never give the slot back.
  signal.throwIfAborted();
  const asked = await admit(caller);
  try {
    signal.throwIfAborted();
    const input = () => resumedInput(inputIn(search), lastEventIdOf(request));
    const ctx = { caller, pacer: stream };
    const call = { type: "subscription", path, input, ctx, signal } as const;
    const events = await inTrace(requestTrace(request.headers), () => callProcedure(router, call));
    if (!(events instanceof TrackedEvents)) throw new TypeError("a subscription without events");
    return events;
  } finally {
    asked?.();
  }
}
