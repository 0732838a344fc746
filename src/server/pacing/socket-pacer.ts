/**
 * Paces what is sent on a socket by what its other end takes. tRPC never looks at a socket's
 * backlog, so without this a client that stops reading costs the server everything it does not read.
 */
import type { Socket } from "node:net";
import type { Pacer } from "../../runs/following/pacer.ts";

export interface PacingOptions {
  /** Bytes that may wait in this process for one socket, or 64 KiB, which any socket takes. */
  readonly maxBacklogBytes: number;
  /** How long a socket may take nothing at all while its backlog is full. */
  readonly maxStallMs: number;
  /** The socket has taken nothing for that long. */
  readonly onStuck: () => void;
}

export class SocketPacer implements Pacer {
  readonly #socket: Socket;
  readonly #options: PacingOptions;
  #draining: Promise<void> | undefined;

  constructor(socket: Socket, options: PacingOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  ready(): Promise<void> | undefined {
    if (this.#draining !== undefined) return this.#draining;
    const socket = this.#socket;
    // Below its own high-water mark a socket does not say when it has drained.
    if (!socket.writableNeedDrain || socket.destroyed) return undefined;
    if (socket.writableLength <= this.#options.maxBacklogBytes) return undefined;
    this.#draining = this.#drained().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drained(): Promise<void> {
    const socket = this.#socket;
    const { promise, resolve } = Promise.withResolvers<void>();
    let taken = bytesTaken(socket);
    const watch = setInterval(() => {
      const now = bytesTaken(socket);
      if (now === taken) this.#options.onStuck();
      taken = now;
    }, this.#options.maxStallMs);
    socket.once("drain", resolve);
    socket.once("close", resolve);
    await promise;
    clearInterval(watch);
    socket.off("drain", resolve);
    socket.off("close", resolve);
  }
}

/**
 * Changes whenever bytes have left this process: the kernel has them, or the other end. The socket
 * counts a large write only when all of it has gone, which may take minutes on a slow link; how much of
 * it is left, only the handle knows.
 */
export function bytesTaken(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength - leftOfWrite(socket);
}

function leftOfWrite(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return 0;
  const left: unknown = Reflect.get(handle, "writeQueueSize");
  return typeof left === "number" ? left : 0;
}
