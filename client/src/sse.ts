/** The transport over HTTP and server-sent events, for networks that block WebSockets. */
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import { addressError, isComplete } from "./connection/address.ts";
import type { Connection } from "./connection/connection.ts";
import { addressed, explainRefusal } from "./connection/explain.ts";
import { StreamHost, tooLongError } from "./connection/idle-timeout-event-source.ts";
import { FetchHost } from "./connection/idle-timeout-fetch.ts";
import {
  credentials,
  type EventSourceConstructor,
  refuseHeaders,
  type SubscriptionState,
  type Transport,
  type TransportOptions,
  transformer,
} from "./connection/transport.ts";
import { LangwireClientError, toClientError } from "./errors.ts";
import type { AppRouter } from "./types.ts";

/** @example createClient({ url, transport: serverSentEvents }) */
export function serverSentEvents(options: TransportOptions, connection: Connection): Transport {
  const EventSource: EventSourceConstructor | undefined =
    options.EventSource ?? globalThis.EventSource;
  const { connectTimeoutMs = 10_000, pingAfterMs = 20_000, pongTimeoutMs = 60_000 } = options;
  const url = options.url.replace(/^ws/, "http").replace(/\/+$/, "");
  if (options.EventSource === undefined && EventSource !== undefined) {
    refuseHeaders(options, "A browser's EventSource");
  }
  const params = credentials(options);
  const states = new Map<object, SubscriptionState>();
  const silenceMs = pingAfterMs + pongTimeoutMs;
  const host = EventSource && new StreamHost({ EventSource, connectTimeoutMs, silenceMs });
  const requests = new FetchHost({ connectTimeoutMs, silenceMs });

  async function givenHeaders(): Promise<Record<string, string> | undefined> {
    const { headers: given } = options;
    return typeof given === "function" ? await given() : given;
  }

  /** The package `eventsource` is told by its `fetch`. */
  const withHeaders: typeof fetch = async (asked, init) => {
    const all = { ...Object.fromEntries(new Headers(init?.headers)), ...(await givenHeaders()) };
    return await fetch(asked, { ...init, headers: all });
  };

  async function headers(): Promise<Record<string, string>> {
    const { token, userId } = (await params?.()) ?? {};
    return {
      ...(await givenHeaders()),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(userId === undefined ? {} : { "x-user-id": userId }),
    };
  }

  const trpc = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: httpSubscriptionLink({
          url,
          transformer,
          ...(host === undefined ? {} : { EventSource: host.EventSource }),
          ...(params && { connectionParams: params }),
          ...(options.headers && { eventSourceOptions: { fetch: withHeaders } as object }),
        }),
        false: httpBatchLink({ url, transformer, headers, fetch: requests.fetch }),
      }),
    ],
  });
  connection.use = {
    needed: () => {
      if (isComplete(url)) return;
      // Whoever needs it is still about to be made.
      queueMicrotask(() => connection.giveUp(addressError(options.url)));
    },
    unneeded: () => {},
    woken: () => {
      host?.wake();
      requests.wake();
    },
  };
  return {
    trpc,
    // The stream begins before the refusal that comes in it.
    acceptsOnStart: false,
    asksForTokens: typeof options.token === "function",
    close: async () => requests.close(),
    subscriptionState: (subscription, state) => {
      if (state === undefined) states.delete(subscription);
      else {
        const { error } = state;
        states.set(subscription, { ...state, error: error && addressed(error, url) });
      }
      const all = [...states.values()];
      const lost = all.find(({ error }) => error !== null);
      if (all.some(({ state }) => state === "pending")) connection.change("open");
      else if (lost !== undefined) connection.change("connecting", toClientError(lost.error));
      else connection.change(all.length > 0 ? "connecting" : "idle");
    },
    // An EventSource does not give the status that it was refused with, so the server is asked again.
    explain: async () => {
      if (host === undefined) {
        const message = "No EventSource here: pass a class as an option.";
        return new LangwireClientError({ code: "BAD_INPUT", message });
      }
      try {
        const asked = { timeoutMs: connectTimeoutMs, connection, headers: await headers() };
        const { longUrl } = host;
        const reason = await explainRefusal(`${url}/bots.list`, asked);
        if (reason !== undefined || longUrl === undefined) return reason;
        // Without the Accept header of an EventSource, it starts nothing.
        const status = (await explainRefusal(longUrl, asked))?.status;
        return status === 414 || status === 431 ? tooLongError() : undefined;
      } catch (cause) {
        return toClientError(cause);
      }
    },
  };
}
