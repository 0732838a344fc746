/**
 * Begins work in turns of the event loop: a few in each, addresses one after another. Hundreds of connections
 * can have something to begin at the same moment, HTTP requests or sockets that open; begun all at once,
 * they would keep everybody else waiting for as long as all of them take.
 */
import type { Socket } from "node:net";
import { addressKey } from "../access/addresses.ts";

/** A request, or a half of opening a socket, takes a quarter to half a millisecond until it waits itself. */
const maxPerTurn = 16;

interface Waiting {
  readonly socket: Socket;
  readonly begin: () => void;
}

export class BeginTurns {
  /** By address, the next one first. */
  readonly #waiting = new Map<string, Waiting[]>();
  #begunThisTurn = 0;

  /** @param begin called at once or in a later turn; never, where the socket has closed by then */
  enter(socket: Socket, begin: () => void): void {
    if (this.#waiting.size === 0 && this.#begunThisTurn < maxPerTurn) {
      this.#begin(begin);
      return;
    }
    const key = addressKey(socket.remoteAddress ?? "");
    const ofAddress = this.#waiting.get(key);
    if (ofAddress === undefined) this.#waiting.set(key, [{ socket, begin }]);
    else ofAddress.push({ socket, begin });
  }

  #begin(begin: () => void): void {
    if (this.#begunThisTurn++ === 0) setImmediate(() => this.#nextTurn());
    begin();
  }

  #nextTurn(): void {
    this.#begunThisTurn = 0;
    for (const [key, ofAddress] of this.#waiting) {
      if (this.#begunThisTurn >= maxPerTurn) return;
      const waiting = ofAddress.shift();
      this.#waiting.delete(key);
      // Behind the other addresses.
      if (ofAddress.length > 0) this.#waiting.set(key, ofAddress);
      if (waiting !== undefined && !waiting.socket.destroyed) this.#begin(waiting.begin);
    }
  }
}
