/** The open WebSockets, and the subscriptions over HTTP: how many, whose, and until when. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { LangwireError } from "../protocol/errors.ts";
import { Places } from "../runs/places.ts";
import type { Identity } from "./callers.ts";
import { closeCodes } from "./close-codes.ts";
import { type ConnectionLimits, defaultConnectionLimits } from "./connection-limits.ts";
import { Expiries } from "./expiries.ts";
import { SocketConnection, type SocketHost } from "./socket-connection.ts";

/** A client that was turned away for the room that others take looks again after this. */
const retryAfterMs = 5_000;
const everybody = "";

export class Connections implements SocketHost {
  readonly limits: ConnectionLimits;
  readonly #open = new Map<SocketConnection, Socket>();
  readonly #all: Places;
  readonly #addresses: Places;
  readonly #users: Places;
  readonly #expiries = new Expiries();
  readonly #timer: NodeJS.Timeout;
  #subscriptions = 0;

  constructor(limits: Partial<ConnectionLimits> = {}) {
    this.limits = { ...defaultConnectionLimits, ...limits };
    this.#all = new Places(this.limits.maxSockets);
    this.#addresses = new Places(this.limits.maxSocketsPerAddress);
    this.#users = new Places(this.limits.maxSocketsPerUser);
    this.#timer = setInterval(() => {
      for (const connection of this.#open.keys()) connection.look();
    }, this.limits.pingMs).unref();
  }

  /** Open WebSockets. */
  get size(): number {
    return this.#open.size;
  }

  /** Open subscriptions, over WebSocket and HTTP. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Bytes that wait in this process for each WebSocket. */
  backlogsBytes(): number[] {
    return [...this.#open.values()].map(({ writableLength }) => writableLength);
  }

  /** @throws LangwireError when there is no room for one more from this address */
  checkRoom(address: string): void {
    if (this.#all.full(everybody)) {
      const message = "The server has as many connections as it can.";
      throw new LangwireError("OVERLOADED", { message, retryAfterMs });
    }
    if (this.#addresses.full(address)) {
      const message = "Too many connections from one address.";
      throw new LangwireError("RATE_LIMITED", { message, retryAfterMs });
    }
  }

  /** @throws LangwireError when there is no room */
  add(webSocket: WebSocket, request: IncomingMessage, address: string): SocketConnection {
    const release = this.#enter(address);
    const connection = new SocketConnection(webSocket, request, this);
    this.#open.set(connection, request.socket);
    webSocket.once("close", () => {
      this.#open.delete(connection);
      release();
    });
    return connection;
  }

  /**
   * A subscription over HTTP: counts like a socket.
   * @param end ends it, when the caller's token expires
   * @returns called when it is over
   * @throws LangwireError when there is no room
   */
  addHttpSubscription(
    { userId, expiresAtMs }: Identity,
    { address, end }: { address: string; end: () => void },
  ): () => void {
    using entering = new DisposableStack();
    entering.defer(this.#enter(address));
    entering.defer(this.takeUserPlace(userId));
    if (expiresAtMs !== undefined) entering.defer(this.expireAt(expiresAtMs, end));
    this.countSubscriptions(1);
    entering.defer(() => this.countSubscriptions(-1));
    const entered = entering.move();
    return () => entered.dispose();
  }

  takeUserPlace(userId: string): () => void {
    const release = this.#users.take(userId);
    if (release !== undefined) return release;
    const message = "The caller has as many connections as this server allows.";
    throw new LangwireError("RATE_LIMITED", { message, retryAfterMs });
  }

  expireAt(expiresAtMs: number, end: () => void): () => void {
    return this.#expiries.at(expiresAtMs, end);
  }

  countSubscriptions(change: 1 | -1): void {
    this.#subscriptions += change;
  }

  /** Tells every client to come back, and closes. */
  closeAll(): void {
    clearInterval(this.#timer);
    this.#expiries[Symbol.dispose]();
    for (const connection of this.#open.keys()) {
      connection.send('{"id":null,"method":"reconnect"}');
      connection.close(closeCodes.serviceRestart, "server restarts");
    }
  }

  #enter(address: string): () => void {
    this.checkRoom(address);
    const releases = [this.#all.take(everybody), this.#addresses.take(address)];
    return () => {
      for (const release of releases) release?.();
    };
  }
}
