/**
 * A client made of nothing but stock tRPC parts, as anybody would write one: `wsLink` and superjson.
 * What it collects has been through `nextOrder`, and every id is higher than the one before.
 */
import {
  createTRPCClient,
  createWSClient,
  httpLink,
  httpSubscriptionLink,
  splitLink,
  type TRPCClient,
  type TRPCClientError,
  wsLink,
} from "@trpc/client";
import { EventSource } from "eventsource";
import superjson from "superjson";
import type { ChatRouter } from "../../src/api/router.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";

export interface Received {
  readonly id: string;
  readonly event: ChatEvent;
}

export interface StockClient extends Disposable {
  readonly api: TRPCClient<ChatRouter>;
}

export interface StockClientOptions {
  readonly userId?: string;
  /** Finds out by pings whether its socket is dead, within twice this time. Default: it does not. */
  readonly pingMs?: number;
  readonly retryDelayMs?: number;
}

export function wsClient(url: string, options: StockClientOptions = {}): StockClient {
  const { userId, pingMs, retryDelayMs = 10 } = options;
  const webSocket = createWSClient({
    url,
    retryDelayMs: () => retryDelayMs,
    ...(pingMs !== undefined && {
      keepAlive: { enabled: true, intervalMs: pingMs, pongTimeoutMs: pingMs },
    }),
    ...(userId === undefined ? {} : { connectionParams: { userId } }),
  });
  const api = createTRPCClient<ChatRouter>({
    links: [wsLink({ client: webSocket, transformer: superjson })],
  });
  return { api, [Symbol.dispose]: () => void webSocket.close() };
}

export function sseClient(
  httpUrl: string,
  { userId }: Pick<StockClientOptions, "userId"> = {},
): StockClient {
  const named = userId === undefined ? {} : { connectionParams: { userId } };
  const api = createTRPCClient<ChatRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: httpSubscriptionLink({ url: httpUrl, transformer: superjson, EventSource, ...named }),
        false: httpLink({ url: httpUrl, transformer: superjson }),
      }),
    ],
  });
  return { api, [Symbol.dispose]: () => {} };
}

/** The code of a refusal; of what is none, its message. */
export function codeOf(cause: unknown): string {
  const { data, message } = cause as {
    data?: { langwire?: { code?: string } };
    message?: string;
  };
  return data?.langwire?.code ?? message ?? String(cause);
}

export interface Reading {
  /** What has come so far. */
  readonly received: Received[];
  /** Settles when the subscription completes; rejects when it is refused. */
  readonly completed: Promise<Received[]>;
  /** Settles when something comes that the predicate likes. */
  until(likes: (event: ChatEvent) => boolean): Promise<Received>;
  stop(): void;
}

type Subscribe = (options: {
  onData: (value: { id: string; data: ChatEvent }) => void;
  onError: (error: TRPCClientError<ChatRouter>) => void;
  onComplete: () => void;
}) => { unsubscribe(): void };

/** @example read((options) => client.api.chat.send.subscribe(input, options)) */
export function read(subscribe: Subscribe): Reading {
  const received: Received[] = [];
  const completed = Promise.withResolvers<Received[]>();
  completed.promise.catch(() => {});
  const waiting = new Set<{
    likes: (event: ChatEvent) => boolean;
    found: (it: Received) => void;
  }>();
  const subscription = subscribe({
    onData: ({ id, data }) => {
      const last = received.at(-1);
      if (last !== undefined && Number(last.id) >= Number(id)) {
        completed.reject(new Error(`event ${id} came after ${last.id}`));
      }
      const it = { id, event: data };
      received.push(it);
      for (const waiter of waiting) {
        if (!waiter.likes(data)) continue;
        waiting.delete(waiter);
        waiter.found(it);
      }
    },
    onError: completed.reject,
    onComplete: () => completed.resolve(received),
  });
  return {
    received,
    completed: completed.promise,
    until: (likes) => {
      const already = received.find(({ event }) => likes(event));
      if (already !== undefined) return Promise.resolve(already);
      const { promise, resolve, reject } = Promise.withResolvers<Received>();
      waiting.add({ likes, found: resolve });
      completed.promise.catch(reject);
      return promise;
    },
    stop: () => subscription.unsubscribe(),
  };
}
