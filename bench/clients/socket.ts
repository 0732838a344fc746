/** A WebSocket whose messages go to whoever is waiting for an answer on it. */
import { once } from "node:events";
import { WebSocket } from "ws";

export interface TextSocket {
  onMessage: (text: string) => void;
  send(text: string): void;
  pause(): void;
  resume(): void;
  close(): void;
  /** Rejects when the socket closes. */
  readonly closed: Promise<never>;
}

/** @param timeoutMs how long it may take to open. Default: as long as it takes */
export async function openSocket(url: string, timeoutMs?: number): Promise<TextSocket> {
  const webSocket = new WebSocket(url, {
    perMessageDeflate: false,
    ...(timeoutMs !== undefined && { handshakeTimeout: timeoutMs }),
  });
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  webSocket.on("error", closed.reject);
  webSocket.on("close", (code) => closed.reject(new Error(`the socket closed: ${code}`)));
  await Promise.race([once(webSocket, "open"), closed.promise]);
  const socket: TextSocket = {
    onMessage: () => {},
    send: (text) => webSocket.send(text),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    close: () => webSocket.terminate(),
    closed: closed.promise,
  };
  webSocket.on("message", (data: Buffer) => socket.onMessage(data.toString()));
  return socket;
}
