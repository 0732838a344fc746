/** The way to the server over one WebSocket. */
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { LangwireClientError, toClientError } from "../errors.ts";
import type { AppRouter } from "../types.ts";
import { Attempts } from "./attempts.ts";
import type { Connection } from "./connection.ts";
import { SocketHost } from "./heartbeat-socket.ts";
import {
  credentials,
  refuseHeaders,
  startOf,
  type Transport,
  type TransportOptions,
  transformer,
} from "./transport.ts";

/** Long frames are asked for in chunks, where chunks can be read. */
const chunks = "TextDecoder" in globalThis ? "chunks=1" : "";
/** RFC 6455: a message was larger than the other end takes. */
const tooLargeCode = 1009;
/** No program ends in Node.js while it has a socket open; a page may be asked something any moment. */
const defaultIdleMs = "process" in globalThis && !("document" in globalThis) ? 1_000 : 60_000;

export function openWebSocket(options: TransportOptions, connection: Connection): Transport {
  const { idleMs = defaultIdleMs, pingAfterMs = 20_000, pongTimeoutMs = 60_000 } = options;
  const { connectTimeoutMs = 10_000, token } = options;
  refuseHeaders(options, "A WebSocket");
  const params = credentials(options);
  const url = options.url.replace(/\/+$/, "");
  const attempts = new Attempts({
    connection,
    httpUrl: url.replace(/^ws/, "http"),
    connectTimeoutMs,
    asksForTokens: typeof token === "function",
    bringsToken: token !== undefined,
    stop: () => void socket.close(),
  });
  const host = new SocketHost({
    WebSocket: options.WebSocket,
    connectTimeoutMs,
    pingAfterMs,
    pongTimeoutMs,
    untilDue: () => attempts.untilDue(),
    onFailed: (cause) => attempts.failed(cause),
  });

  const socket = createWSClient({
    url: `${url.replace(/^http/, "ws")}${url.includes("?") ? "&" : "?"}${chunks}`,
    ...(params && { connectionParams: () => params().catch(withoutToken) }),
    WebSocket: host.WebSocket,
    lazy: { enabled: true, closeMs: idleMs },
    // A socket waits for its turn itself, and can be woken.
    retryDelayMs: () => {
      attempts.lost();
      return 0;
    },
    onOpen: () => attempts.opened(),
    onClose: (event) => {
      if (event?.code === tooLargeCode) failTooLarge();
      // tRPC reports a lost socket only where it is going to replace it.
      queueMicrotask(() => {
        const unused = socket.connectionState.get().state === "pending";
        if (unused && socket.connection?.state !== "open") connection.change("idle");
      });
    },
    experimental_encoder: {
      encode: (message: unknown) => JSON.stringify(message),
      decode: (data) => {
        const message = messageIn(String(data));
        const refusal = connectionRefusal(message);
        if (refusal !== undefined) attempts.refused(refusal);
        else if ("result" in message) attempts.accepted();
        return startAsEvent(message);
      },
    },
  });
  socket.connectionState.subscribe({
    next: ({ state, error }) => {
      if (state === "idle") connection.change("idle", connection.givenUp);
      if (state === "connecting") attempts.report(error);
    },
  });
  connection.use = {
    needed: () => attempts.shortenWait(),
    unneeded: () => {
      // An open one may be of use in a moment; it closes by itself.
      if (connection.state === "connecting") void close();
    },
    woken: () => {
      attempts.shortenWait(0);
      host.wake();
    },
  };

  function withoutToken(cause: LangwireClientError): never {
    attempts.withoutToken(cause);
    throw cause;
  }

  /**
   * At once, with the wait for the next attempt: neither may keep a program that has no more to do. tRPC
   * waits for answers, and for a socket that opens, and from a dead server none will come.
   */
  function close(): Promise<void> {
    const closing = socket.close();
    attempts.shortenWait(0);
    socket.connection?.ws.close();
    return closing;
  }

  /**
   * The frame would be sent again on every new socket, and each of them closed for it. Where any is too
   * large, the largest is: what others have asked for goes on.
   */
  function failTooLarge(): void {
    const message = "A message is larger than the server takes.";
    const { dependents } = connection;
    const bytes = dependents.map(({ input }) => bytesOf(input));
    const largest = dependents[bytes.indexOf(Math.max(...bytes))];
    largest?.fail(new LangwireClientError({ code: "BAD_INPUT", message }));
  }

  return {
    trpc: createTRPCClient<AppRouter>({ links: [wsLink({ client: socket, transformer })] }),
    acceptsOnStart: true,
    close,
  };
}

/** Of its JSON as UTF-8. */
function bytesOf(input: unknown): number {
  return encodeURIComponent(JSON.stringify(input) ?? "").replace(/%../g, "x").length;
}

/** What tRPC and the transformer take out of a message without a look. */
type Frame =
  | { readonly error: { readonly json: { readonly code: unknown } } }
  | { readonly result: { readonly type?: unknown; readonly data: object } }
  | { readonly method: unknown };

/** Of what is no message nothing is left: an error thrown later would end a program. */
function messageIn(text: string): object {
  try {
    const message = JSON.parse(text) as Frame;
    if ("error" in message) {
      if (typeof message.error.json.code === "number") return message;
    } else if ("result" in message) {
      const { type, data } = message.result;
      // Others, such as a start, come without data.
      if ((type && type !== "data") || "json" in data) return message;
    } else return message;
  } catch {
    // A proxy, or another kind of server.
  }
  return {};
}

/**
 * Where a subscription begins, as if it were its first event: tRPC's client comes back behind what it
 * takes for an event, and not with the number of a start.
 */
function startAsEvent(message: object): object {
  const { result } = message as { result?: { type?: unknown; id?: unknown } };
  if (result?.type !== "started" || typeof result.id !== "string") return message;
  const { id } = result;
  return { ...message, result: { type: "data", id, data: { json: startOf(id) } } };
}

/** The error without a request's id that the server sends before it closes a refused caller's socket. */
function connectionRefusal(message: unknown): LangwireClientError | undefined {
  const { id, error } = message as { id?: unknown; error?: { json?: unknown } };
  if (id !== null || error === undefined) return undefined;
  return toClientError({ error: error.json });
}
