/** The way to the server over one WebSocket. */
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { createBackoff } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { LangwireClientError, toClientError } from "./errors.ts";
import { livelySocket } from "./lively-socket.ts";
import { credentials, type Transport, type TransportOptions, transformer } from "./transport.ts";
import type { AppRouter } from "./types.ts";

/** RFC 6455: a message was larger than the other end takes. */
const tooLargeCode = 1009;

export function openWebSocket(options: TransportOptions, connection: Connection): Transport {
  const { idleMs = 60_000, pingAfterMs = 20_000, pongTimeoutMs = 60_000 } = options;
  const { connectTimeoutMs = 10_000 } = options;
  const backoff = createBackoff(options.backoff);

  const socket = createWSClient({
    url: options.url.replace(/^http/, "ws"),
    connectionParams: credentials(options),
    WebSocket: livelySocket(options.WebSocket ?? WebSocket, { connectTimeoutMs }),
    lazy: { enabled: true, closeMs: idleMs },
    keepAlive: { enabled: true, intervalMs: pingAfterMs, pongTimeoutMs },
    retryDelayMs: () => backoff.next(),
    onOpen: () => connection.change("open"),
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
        const message: object = JSON.parse(String(data));
        const refusal = connectionRefusal(message);
        if (refusal !== undefined) refused(refusal);
        else if ("result" in message) {
          connection.refusals = 0;
          backoff.reset();
        }
        return message;
      },
    },
  });
  socket.connectionState.subscribe({
    next: ({ state, error }) => {
      if (state === "idle") connection.change("idle", connection.givenUp);
      if (state !== "connecting") return;
      connection.change("connecting", error === null ? undefined : toClientError(error));
    },
  });

  /** The next attempt brings a fresh token along, if there is a way to get one. */
  function refused(error: LangwireClientError): void {
    const allowed = typeof options.token === "function" ? 1 : 0;
    if (error.code === "UNAUTHORIZED" && ++connection.refusals > allowed) {
      connection.giveUp(error);
      void socket.close();
    }
  }

  /** The frame would be sent again on every new socket, and each of them closed for it. */
  function failTooLarge(): void {
    const message = "A message is larger than the server takes.";
    const error = new LangwireClientError({ code: "BAD_INPUT", message });
    const { dependents } = connection;
    const fresh = dependents.filter(({ accepted }) => !accepted);
    for (const dependent of fresh.length > 0 ? fresh : dependents) dependent.fail(error);
  }

  return {
    trpc: createTRPCClient<AppRouter>({ links: [wsLink({ client: socket, transformer })] }),
    acceptsOnStart: true,
    close: () => {
      const closing = socket.close();
      // tRPC waits for answers that are under way, and from a dead server none will come.
      socket.connection?.ws.close();
      return closing;
    },
  };
}

/** What the server says before it closes a socket whose caller it does not take: an error to nobody. */
function connectionRefusal(message: unknown): LangwireClientError | undefined {
  const { id, error } = message as { id?: unknown; error?: { json?: unknown } };
  if (id !== null || error === undefined) return undefined;
  return toClientError({ error: error.json });
}
