/** What the transports have in common: their options, and their interface. */
import type { TRPCClient } from "@trpc/client";
import type { EventSourceLike } from "@trpc/server/unstable-core-do-not-import";
import superjson from "superjson";
import { LangwireClientError } from "../errors.ts";
import type { Tracked } from "../subscription.ts";
import type { AppRouter } from "../types.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { Connection } from "./connection.ts";

/** An EventSource: the platform's own, or that of the package `eventsource`. */
export type EventSourceConstructor = new (
  url: string,
  init?: { withCredentials?: boolean },
) => EventSourceLike.Instance;

type Headers = Readonly<Record<string, string>>;

export interface TransportOptions {
  /** The server's API, such as `wss://example.com/trpc`; `https:` will do as well. */
  readonly url: string;
  /** Proves who is calling. A function is called for every connection, so a fresh token resumes. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** Names the caller on a server without authentication. */
  readonly userId?: string | undefined;
  /**
   * Sent along with every request over HTTP: the cookies of the page's own request, say, where a server
   * renders it. Only with `serverSentEvents`, and not where a browser's own EventSource is used, which
   * sends none. A function is called for every request.
   */
  readonly headers?: Headers | (() => Headers | Promise<Headers>) | undefined;
  /** Default: a WebSocket. For networks that block them, there is `langwire-client/sse`. */
  readonly transport?: OpenTransport | undefined;
  /** Default: the platform's own. The package `ws` has one that can send headers. */
  readonly WebSocket?: typeof WebSocket | undefined;
  /** For server-sent events. Default: the platform's own, which Node.js does not have. */
  readonly EventSource?: EventSourceConstructor | undefined;
  /** Waits between attempts to connect. */
  readonly backoff?: BackoffOptions | undefined;
  /** How long one attempt may take. Default: 10 seconds. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * An open WebSocket that nothing uses is closed after this. Default: one minute; in Node.js, where
   * no program ends while one is open, one second.
   */
  readonly idleMs?: number | undefined;
  /** The WebSocket is pinged when nothing has come for this long. Default: 20 seconds. */
  readonly pingAfterMs?: number | undefined;
  /**
   * How long nothing may come after a ping, no part of anything, before the WebSocket counts as dead.
   * While a request waits, or after a sleep, it is pinged sooner. Default: one minute.
   */
  readonly pongTimeoutMs?: number | undefined;
}

/** The state of one subscription's own connection, where it has one. */
export type SubscriptionState = { readonly state: string; readonly error: unknown };

export interface Transport {
  readonly trpc: TRPCClient<AppRouter>;
  close(): Promise<void>;
  /** Whether the start of a subscription says that the server has taken it on. */
  readonly acceptsOnStart: boolean;
  /** Where each subscription has its own connection, told of each change; undefined: it is gone. */
  subscriptionState?(subscription: object, state: SubscriptionState | undefined): void;
  /** Whether each subscription shows a token of its own, and another can be had. */
  readonly asksForTokens?: boolean;
  /** Finds out why a subscription failed, where its own failure does not say. */
  explain?(): Promise<LangwireClientError | undefined>;
}

type OpenTransport = (options: TransportOptions, connection: Connection) => Transport;

/** Where a subscription begins, in the form of its events. */
export const startOf = (id: string): Tracked => ({ id, data: { type: "started" } });

export const transformer = {
  serialize: superjson.serialize,
  // Events come without superjson's meta: what is plain JSON needs no second look.
  deserialize: (data: Parameters<typeof superjson.deserialize>[0]): unknown =>
    data.meta === undefined ? data.json : superjson.deserialize(data),
};

/** @throws LangwireClientError BAD_INPUT: they would be left out in silence */
export function refuseHeaders({ headers }: TransportOptions, where: string): void {
  if (headers === undefined) return;
  const message = `${where} sends no headers: they are for serverSentEvents outside of a browser.`;
  throw new LangwireClientError({ code: "BAD_INPUT", message });
}

export function credentials({ token, userId, connectTimeoutMs = 10_000 }: TransportOptions) {
  if (token === undefined && userId === undefined) return undefined;
  return async () => ({
    token: typeof token === "function" ? await inTime(token, connectTimeoutMs) : token,
    userId,
  });
}

/** @throws LangwireClientError UNAUTHORIZED, for whatever keeps the application from having a token */
async function inTime(token: () => string | Promise<string>, timeoutMs: number): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(reject, timeoutMs, new Error("it did not come in time."));
  });
  try {
    return await Promise.race([token(), late]);
  } catch (cause) {
    const message = `There is no token to show: ${cause instanceof Error ? cause.message : cause}`;
    throw new LangwireClientError({ code: "UNAUTHORIZED", message, cause });
  } finally {
    clearTimeout(timer);
  }
}
