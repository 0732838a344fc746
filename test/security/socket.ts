/** A WebSocket without tRPC at its end: sends what a test wants, and shows what comes. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type ClientOptions, WebSocket } from "ws";

export interface Refusal {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface TestSocket extends Disposable {
  readonly frames: Frame[];
  /** Settles when the server, or the test, has closed it. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly webSocket: WebSocket;
  send(message: unknown): void;
  sendText(text: string): void;
  /** The first frame, come or coming, that the predicate likes. */
  frame(likes: (frame: Frame) => boolean): Promise<Frame>;
}

export interface Frame {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly result?: { readonly type: string; readonly data?: { readonly json?: unknown } };
  readonly error?: { readonly json: ErrorShape };
}

export interface ErrorShape {
  readonly message: string;
  readonly data: {
    readonly httpStatus: number;
    readonly langwire: { readonly code: string; readonly retryAfterMs?: number };
  };
}

/** @throws Refusal, as it is, when the server does not make it a WebSocket */
export async function openSocket(url: string, options: ClientOptions = {}): Promise<TestSocket> {
  const webSocket = new WebSocket(url, options);
  const opened = Promise.withResolvers<void>();
  webSocket.once("open", opened.resolve);
  webSocket.once("error", opened.reject);
  webSocket.once("unexpected-response", async (_request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const { statusCode: status = 0, headers } = response;
    const refusal: Refusal = { status, headers, body: Buffer.concat(chunks).toString() };
    opened.reject(refusal);
  });
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  webSocket.on("message", (data) => {
    const text = String(data);
    frames.push(text === "PONG" ? { method: "PONG" } : (JSON.parse(text) as Frame));
    for (const look of waiting) look();
  });
  const closed = once(webSocket, "close").then(([code, reason]) => {
    for (const look of waiting) look();
    return { code: Number(code), reason: String(reason) };
  });
  closed.catch(() => {});
  await opened.promise;
  webSocket.on("error", () => {});
  return {
    frames,
    closed,
    webSocket,
    send: (message) => webSocket.send(JSON.stringify(message)),
    sendText: (text) => webSocket.send(text),
    frame: (likes) => {
      const { promise, resolve, reject } = Promise.withResolvers<Frame>();
      const look = () => {
        const found = frames.find(likes);
        if (found === undefined && webSocket.readyState !== WebSocket.CLOSED) return;
        waiting.delete(look);
        if (found === undefined) reject(new Error("closed before the frame came"));
        else resolve(found);
      };
      waiting.add(look);
      look();
      return promise;
    },
    [Symbol.dispose]: () => webSocket.terminate(),
  };
}

export function codeOf(frame: Frame): string | undefined {
  return frame.error?.json.data.langwire.code;
}

export function request(id: number | string, path: string, input?: unknown, method = "query") {
  return {
    id,
    method,
    params: { path, ...(input === undefined ? {} : { input: { json: input } }) },
  };
}

export function subscription(id: number | string, path: string, input: unknown) {
  return request(id, path, input, "subscription");
}
