/** Finds out whether the other end of a WebSocket is there, by pings, and whether it takes what it is sent. */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { bytesTaken } from "../pacing/socket-pacer.ts";

export class Liveness {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  #seenBytes = -1;
  #stillSince = 0;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
  }

  /**
   * Pings the socket; terminates it when the last ping was not answered.
   * @returns whether it has taken nothing for `slowReaderMs` while something waits
   */
  check({ slowReaderMs, closing }: { slowReaderMs: number; closing: boolean }): boolean {
    const now = performance.now();
    const waiting = this.#socket.writableLength > 0 || this.#webSocket.isPaused;
    if (this.#bytes !== this.#seenBytes) {
      this.#stillSince = now;
    } else if (!waiting) {
      this.#webSocket.terminate();
      return false;
    } else if (now - this.#stillSince >= slowReaderMs) {
      return true;
    }
    if (!waiting && !closing) this.#webSocket.ping();
    // Counted after the ping, so that its own bytes are not taken for the client's.
    this.#seenBytes = this.#bytes;
    return false;
  }

  get #bytes(): number {
    return this.#socket.bytesRead + bytesTaken(this.#socket);
  }
}
