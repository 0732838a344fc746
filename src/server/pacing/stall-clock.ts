/** Measures how long the other end of a socket has taken nothing. It has to be read now and then. */
import type { Socket } from "node:net";
import { bytesTaken } from "./socket-pacer.ts";

/** Holds a resource of the server until its other end has taken what was sent. */
export interface Holder {
  /** How long the other end has taken nothing. */
  stalledMs(): number;
  /** Closes the connection, so that the resource is released. */
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

  /** The time since the first reading that saw the same as this one. */
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
