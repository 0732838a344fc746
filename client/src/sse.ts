/** The way to the server over HTTP and server-sent events, for networks that block WebSockets. */
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import type { Connection } from "./connection.ts";
import { toClientError } from "./errors.ts";
import {
  credentials,
  type SubscriptionState,
  type Transport,
  type TransportOptions,
  transformer,
} from "./transport.ts";
import type { AppRouter } from "./types.ts";

/** @example createClient({ url, transport: serverSentEvents }) */
export function serverSentEvents(options: TransportOptions, connection: Connection): Transport {
  const { EventSource } = options;
  const url = options.url.replace(/^ws/, "http");
  const params = credentials(options);
  const states = new Map<object, SubscriptionState>();
  const trpc = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: httpSubscriptionLink({ url, transformer, EventSource, connectionParams: params }),
        false: httpBatchLink({
          url,
          transformer,
          headers: async () => {
            const { token, userId } = (await params?.()) ?? {};
            return {
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
              ...(userId === undefined ? {} : { "x-user-id": userId }),
            };
          },
        }),
      }),
    ],
  });
  return {
    trpc,
    // The stream begins before the refusal that comes in it.
    acceptsOnStart: false,
    close: async () => {},
    subscriptionState: (subscription, state) => {
      if (state === undefined) states.delete(subscription);
      else states.set(subscription, state);
      const all = [...states.values()];
      const lost = all.find(({ error }) => error !== null);
      if (all.some(({ state }) => state === "pending")) connection.change("open");
      else if (lost !== undefined) connection.change("connecting", toClientError(lost.error));
      else connection.change(all.length > 0 ? "connecting" : "idle");
    },
    // An EventSource does not tell the status that it was refused with.
    explain: () =>
      trpc.bots.list.query().then(
        () => undefined,
        (cause: unknown) => {
          const error = toClientError(cause);
          return error.code === "UNREACHABLE" ? undefined : error;
        },
      ),
  };
}
