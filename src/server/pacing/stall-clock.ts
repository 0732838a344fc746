/** How long the other end of a socket has taken nothing, as far as somebody looks now and then. */
import type { Socket } from "node:net";
import { bytesTaken } from "./socket-pacer.ts";

/** Who holds something of the server's for as long as the other end takes to take it. */
export interface Holder {
  /** How long it has taken nothing. */
  stalledMs(): number;
  /** Ends it, so that it gives back what it holds. */
  cut(): void;
}

export class StallClock {
  readonly #socket: Socket;
  #taken: number;
  #since = performance.now();

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#taken = bytesTaken(socket);
  }

  /** Since the first look that found what this one finds. */
  stalledMs(): number {
    const now = performance.now();
    const taken = bytesTaken(this.#socket);
    if (taken !== this.#taken || this.#socket.writableLength === 0) {
      this.#taken = taken;
      this.#since = now;
    }
    return now - this.#since;
  }
}
