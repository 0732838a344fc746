/** Begins HTTP requests in turns: of one connection one at a time, and all of them as `BeginTurns` does. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { BeginTurns } from "../pacing/begin-turns.ts";

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export class RequestTurns {
  readonly #turns: BeginTurns;
  readonly #begin: (request: IncomingMessage, response: ServerResponse) => void;
  /** Connections with a request in progress, and those that were sent behind it. */
  readonly #connections = new WeakMap<Socket, Waiting[]>();

  constructor(
    turns: BeginTurns,
    begin: (request: IncomingMessage, response: ServerResponse) => void,
  ) {
    this.#turns = turns;
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
    this.#turns.enter(waiting.request.socket, () => this.#start(waiting));
  }

  #start({ request, response }: Waiting): void {
    const { socket } = request;
    response.once("close", () => {
      const next = this.#connections.get(socket)?.shift();
      if (next === undefined || socket.destroyed) this.#connections.delete(socket);
      else this.#enter(next);
    });
    this.#begin(request, response);
  }
}
