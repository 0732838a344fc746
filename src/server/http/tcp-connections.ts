/**
 * Limits the server's TCP connections, of one address and in all, whatever is sent on them. Past a
 * limit, the connection that has been idle longest is closed for the new one, so that idle ones keep
 * nobody out; where none is idle, the new one is refused. Connections that take nothing of an answer are
 * closed, and those that flood.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { addressKey } from "../access/addresses.ts";
import type { PartialInput } from "../pacing/partial-input.ts";
import { ReadTurns } from "../pacing/read-turns.ts";
import { StallClock } from "../pacing/stall-clock.ts";
import { RequestMeter } from "./request-meter.ts";

export interface TcpConnectionsOptions {
  /** Limit of all connections, WebSockets included. */
  readonly maxConnections: number;
  /** Limit of one address; WebSockets and event streams have limits of their own. */
  readonly maxHttpConnectionsPerAddress: number;
  readonly slowReaderMs: number;
  readonly partialInput: PartialInput;
  /** Whether an address is a trusted proxy's. It has no limit of its own: it connects for many callers. */
  readonly isProxy: (address: string) => boolean;
  /** Refuses a connection past the named limit, and closes it. */
  readonly refuse: (socket: Socket, why: "address" | "all") => void;
}

interface Http {
  readonly key: string;
  /** Requests that are being answered. */
  requests: number;
  stall: StallClock | undefined;
}

const checkEveryMs = 1_000;
/** Requests that may be sent on a connection before the first of them is answered. */
const maxPipelinedRequests = 16;

export class TcpConnections implements Disposable {
  readonly #options: TcpConnectionsOptions;
  /** WebSockets have no meter here. */
  readonly #all = new Map<Socket, RequestMeter | undefined>();
  readonly #turns = new ReadTurns();
  readonly #http = new Map<Socket, Http>();
  /** Of those of an address that are idle, the longest idle first. */
  readonly #byAddress = new Map<string, Set<Socket>>();
  /** Idle HTTP connections, the longest idle first. */
  readonly #idle = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;

  constructor(server: Server, options: TcpConnectionsOptions) {
    this.#options = options;
    server.on("connection", (socket) => this.#add(socket));
    server.prependListener("request", (request, response) => this.#busy(request, response));
    server.on("upgrade", ({ socket }) => {
      this.#all.get(socket)?.remove();
      this.#all.set(socket, undefined);
      this.removeFromHttp(socket);
    });
    this.#timer = setInterval(() => this.#cutStalled(), checkEveryMs).unref();
  }

  get size(): number {
    return this.#all.size;
  }

  /** Counts the connection no more as HTTP: it is a WebSocket or an event stream now, or closes. */
  removeFromHttp(socket: Socket): void {
    const http = this.#http.get(socket);
    if (http === undefined) return;
    this.#http.delete(socket);
    this.#idle.delete(socket);
    const ofAddress = this.#byAddress.get(http.key);
    ofAddress?.delete(socket);
    if (ofAddress?.size === 0) this.#byAddress.delete(http.key);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #add(socket: Socket): void {
    if (!this.#isWithinLimits(socket)) return;
    const { partialInput, refuse } = this.#options;
    const cut = (it: Socket) => refuse(it, "all");
    this.#all.set(socket, new RequestMeter(socket, { partialInput, refuse: cut }));
    this.#addHttp(socket);
    this.#turns.add(socket);
    socket.once("close", () => this.#remove(socket));
  }

  #remove(socket: Socket): void {
    this.#all.get(socket)?.remove();
    this.#all.delete(socket);
    this.removeFromHttp(socket);
  }

  /** Makes room: it counts no more from now on, and what it held does not either. */
  #close(socket: Socket): void {
    socket.destroy();
    this.#remove(socket);
  }

  /** @returns whether the connection is within the limits, after closing an idle one where needed */
  #isWithinLimits(socket: Socket): boolean {
    const { maxConnections, maxHttpConnectionsPerAddress, isProxy, refuse } = this.#options;
    const { remoteAddress = "" } = socket;
    const ofAddress = this.#byAddress.get(addressKey(remoteAddress)) ?? new Set();
    if (ofAddress.size >= maxHttpConnectionsPerAddress && !isProxy(remoteAddress)) {
      const oldest = [...ofAddress].find((it) => this.#idle.has(it));
      if (oldest === undefined) {
        refuse(socket, "address");
        return false;
      }
      this.#close(oldest);
    }
    if (this.#all.size < maxConnections) return true;
    const [oldest] = this.#idle;
    if (oldest === undefined) refuse(socket, "all");
    else this.#close(oldest);
    return oldest !== undefined;
  }

  #addHttp(socket: Socket): Http {
    const key = addressKey(socket.remoteAddress ?? "");
    const http = { key, requests: 0, stall: undefined };
    this.#http.set(socket, http);
    this.#idle.add(socket);
    this.#byAddress.set(key, (this.#byAddress.get(key) ?? new Set()).add(socket));
    return http;
  }

  #busy({ socket }: IncomingMessage, response: ServerResponse): void {
    const http = this.#http.get(socket) ?? this.#addHttp(socket);
    http.requests += 1;
    this.#turns.request(socket);
    this.#idle.delete(socket);
    // Node takes all requests of a read into work at once, also those of a connection that is closed.
    if (http.requests > maxPipelinedRequests) socket.destroy();
    // What came before was sent whole: only what is behind it waits in the kernel.
    if (http.requests > 1) this.#turns.hold(socket);
    response.once("close", () => {
      http.requests -= 1;
      if (http.requests <= 1) this.#turns.release(socket);
      http.stall = undefined;
      if (http.requests > 0 || socket.destroyed) return;
      this.#all.get(socket)?.idle();
      // A connection is idle again after its last request, also where that was an event stream.
      if (this.#http.has(socket)) this.#becomesIdle(socket, http.key);
      else this.#addHttp(socket);
    });
  }

  /** Behind those that are idle already, of all and of its address. */
  #becomesIdle(socket: Socket, key: string): void {
    this.#idle.add(socket);
    const ofAddress = this.#byAddress.get(key);
    if (ofAddress?.delete(socket)) ofAddress.add(socket);
  }

  #cutStalled(): void {
    for (const [socket, http] of this.#http) {
      if (http.requests === 0 || socket.writableLength === 0) continue;
      http.stall ??= new StallClock(socket);
      if (http.stall.stalledMs() >= this.#options.slowReaderMs) socket.destroy();
    }
  }
}
