/**
 * Begins HTTP requests in turns: of one connection one at a time, in all a few in a turn of the event loop, and
 * addresses one after another. Hundreds of connections can have requests ready at the same moment; begun all
 * at once, they would keep everybody else waiting for as long as all of them take.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { addressKey } from "../access/addresses.ts";

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A request takes about half a millisecond until it waits for something itself. */
const maxPerTurn = 8;

export class RequestTurns {
  readonly #begin: (request: IncomingMessage, response: ServerResponse) => void;
  /** Connections with a request in progress, and those that were sent behind it. */
  readonly #connections = new WeakMap<Socket, Waiting[]>();
  /** By address, the next one first. */
  readonly #waiting = new Map<string, Waiting[]>();
  #begunThisTurn = 0;

  constructor(begin: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#begin = begin;
  }

  readonly take = (request: IncomingMessage, response: ServerResponse): void => {
    const behind = this.#connections.get(request.socket);
    if (behind !== undefined) {
      behind.push({ request, response });
      return;
    }
    this.#connections.set(request.socket, []);
    this.#enter({ request, response });
  };

  #enter(waiting: Waiting): void {
    if (this.#waiting.size === 0 && this.#begunThisTurn < maxPerTurn) {
      this.#start(waiting);
      return;
    }
    const key = addressKey(waiting.request.socket.remoteAddress ?? "");
    const ofAddress = this.#waiting.get(key);
    if (ofAddress === undefined) this.#waiting.set(key, [waiting]);
    else ofAddress.push(waiting);
  }

  #start({ request, response }: Waiting): void {
    const { socket } = request;
    if (this.#begunThisTurn++ === 0) setImmediate(() => this.#nextTurn());
    response.once("close", () => {
      const next = this.#connections.get(socket)?.shift();
      if (next === undefined || socket.destroyed) this.#connections.delete(socket);
      else this.#enter(next);
    });
    this.#begin(request, response);
  }

  #nextTurn(): void {
    this.#begunThisTurn = 0;
    for (const [key, ofAddress] of this.#waiting) {
      if (this.#begunThisTurn >= maxPerTurn) return;
      const waiting = ofAddress.shift();
      this.#waiting.delete(key);
      // Behind the other addresses.
      if (ofAddress.length > 0) this.#waiting.set(key, ofAddress);
      if (waiting !== undefined && !waiting.request.socket.destroyed) this.#start(waiting);
    }
  }
}
