/** The open WebSockets and the subscriptions over HTTP: their concurrency limits, their expiries. */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { LangwireError } from "../../protocol/errors.ts";
import { ConcurrencyLimit } from "../../runs/admission/concurrency-limit.ts";
import { usedUp } from "../../runs/admission/used-up.ts";
import { addressKey } from "../access/addresses.ts";
import type { Identity } from "../access/callers.ts";
import { LongTexts } from "../pacing/long-texts.ts";
import { PartialInput } from "../pacing/partial-input.ts";
import { WorkQueue } from "../pacing/work-queue.ts";
import { closeCodes } from "./close-codes.ts";
import { type ConnectionLimits, defaultConnectionLimits } from "./connection-limits.ts";
import { Expiries, type Expiring } from "./expiries.ts";
import { SendingTurn } from "./frames/sending-turn.ts";
import { SocketConnection } from "./socket-connection.ts";
import type { SocketHost } from "./socket-host.ts";

/** When a client that was refused for a concurrency limit may try again. */
const retryAfterMs = 5_000;
const everybody = "";

export class Connections implements SocketHost {
  readonly limits: ConnectionLimits;
  readonly longTexts = new LongTexts();
  readonly partialInput = new PartialInput();
  readonly turn = new SendingTurn();
  readonly work: WorkQueue;
  readonly #open = new Set<SocketConnection>();
  readonly #all: ConcurrencyLimit;
  readonly #addresses: ConcurrencyLimit;
  readonly #users: ConcurrencyLimit;
  readonly #expiries = new Expiries();
  /** Each ends a subscription over HTTP. */
  readonly #httpSubscriptions = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  readonly #subscriptionsOfUsers: ConcurrencyLimit;
  #subscriptions = 0;

  constructor(limits: Partial<ConnectionLimits> = {}) {
    this.limits = { ...defaultConnectionLimits, ...limits };
    this.work = new WorkQueue(this.limits);
    this.#all = new ConcurrencyLimit(this.limits.maxSockets);
    this.#addresses = new ConcurrencyLimit(this.limits.maxSocketsPerAddress);
    this.#users = new ConcurrencyLimit(this.limits.maxSocketsPerUser);
    this.#subscriptionsOfUsers = new ConcurrencyLimit(this.limits.maxSubscriptionsPerUser);
    this.#timer = setInterval(() => {
      for (const connection of this.#open) connection.checkAlive();
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
    return [...this.#open].map(({ backlogBytes }) => backlogBytes);
  }

  /** @throws LangwireError OVERLOADED, RATE_LIMITED when one more of this address is past a limit */
  checkSocketLimits(address: string): void {
    if (this.#all.full(everybody)) {
      const message = "The server has as many connections as it can.";
      throw new LangwireError("OVERLOADED", { message, retryAfterMs });
    }
    if (this.#addresses.full(addressKey(address))) {
      const max = this.limits.maxSocketsPerAddress;
      throw usedUp({ what: "connections from one address", max }, retryAfterMs);
    }
  }

  /** @throws LangwireError OVERLOADED, RATE_LIMITED when it is past a limit */
  add(webSocket: WebSocket, socket: Socket, address: string): SocketConnection {
    this.#enter(address);
    const connection = new SocketConnection(this, { webSocket, socket, address });
    this.#open.add(connection);
    return connection;
  }

  registerUser(connection: SocketConnection, { userId, expiresAtMs }: Identity): void {
    this.#enterAs(userId);
    if (expiresAtMs !== undefined) this.#expiries.add(connection, expiresAtMs);
  }

  ended(connection: SocketConnection): void {
    this.#open.delete(connection);
    this.#leave(connection.address, connection.userId, connection);
  }

  /**
   * A subscription over HTTP takes a slot as a socket does.
   * @param leave ends it, for its reader to reconnect: with a fresh token, or to another process
   * @returns releases the slot; to be called once
   * @throws LangwireError OVERLOADED, RATE_LIMITED when it is past a limit
   */
  addHttpSubscription(
    { userId, expiresAtMs }: Identity,
    { address, leave }: { address: string; leave: () => void },
  ): () => void {
    const expiring: Expiring = { expire: leave };
    this.#enter(address);
    try {
      this.#enterAs(userId);
    } catch (cause) {
      this.#leave(address);
      throw cause;
    }
    if (expiresAtMs !== undefined) this.#expiries.add(expiring, expiresAtMs);
    this.#httpSubscriptions.add(leave);
    this.#subscriptions += 1;
    return () => {
      this.#httpSubscriptions.delete(leave);
      this.#subscriptions -= 1;
      this.#leave(address, userId, expiring);
    };
  }

  enterSubscription(userId: string): void {
    if (!this.#subscriptionsOfUsers.enter(userId)) {
      const max = this.limits.maxSubscriptionsPerUser;
      throw usedUp({ what: "subscriptions of one user", max }, retryAfterMs);
    }
    this.#subscriptions += 1;
  }

  leaveSubscription(userId: string): void {
    this.#subscriptions -= 1;
    this.#subscriptionsOfUsers.leave(userId);
  }

  /** Has every client reconnect, and closes its socket. */
  closeAll(): void {
    clearInterval(this.#timer);
    this.#expiries[Symbol.dispose]();
    this.work[Symbol.dispose]();
    this.#reconnectAll(closeCodes.serviceRestart, "server restarts");
  }

  /** Has every client reconnect, to a process that can do more for it than this one. */
  sendAway(): void {
    this.#reconnectAll(closeCodes.tryAgainLater, "cut off from the store");
    for (const leave of this.#httpSubscriptions) leave();
  }

  #reconnectAll(code: number, reason: string): void {
    for (const connection of this.#open) {
      connection.send('{"id":null,"method":"reconnect"}');
      connection.close(code, reason);
    }
  }

  #enter(address: string): void {
    this.checkSocketLimits(address);
    this.#all.enter(everybody);
    this.#addresses.enter(addressKey(address));
  }

  #enterAs(userId: string): void {
    if (this.#users.enter(userId)) return;
    const max = this.limits.maxSocketsPerUser;
    throw usedUp({ what: "connections of one user", max }, retryAfterMs);
  }

  #leave(address: string, userId?: string, expiring?: Expiring): void {
    this.#all.leave(everybody);
    this.#addresses.leave(addressKey(address));
    if (userId !== undefined) this.#users.leave(userId);
    if (expiring !== undefined) this.#expiries.delete(expiring);
  }
}
