/**
 * Limits the server's TCP connections, of one address and in all, whatever is sent on them. Past a
 * limit, the connection that has been idle longest is closed for the new one, so that idle ones keep
 * nobody out; where none is idle, the new one is refused. Connections that take nothing of an answer are
 * closed.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { addressKey } from "../access/addresses.ts";
import { StallClock } from "../pacing/stall-clock.ts";

export interface TcpConnectionsOptions {
  /** Limit of all connections, WebSockets included. */
  readonly maxConnections: number;
  /** Limit of one address; WebSockets and event streams have limits of their own. */
  readonly maxHttpConnectionsPerAddress: number;
  readonly slowReaderMs: number;
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

const endOfHeaders = "\r\n\r\n";

/**
 * Closes a connection on which many requests come at once. The parser makes requests of all that was read
 * before anybody else has a turn, and nothing stops it but bytes that are no HTTP.
 */
function refusePiledUp(this: Socket, read: Buffer): void {
  let requests = 0;
  for (let at = read.indexOf(endOfHeaders); at !== -1; ) {
    if (++requests > maxPipelinedRequests) {
      read.fill(0);
      this.destroy();
      return;
    }
    at = read.indexOf(endOfHeaders, at + endOfHeaders.length);
  }
}

export class TcpConnections implements Disposable {
  readonly #options: TcpConnectionsOptions;
  readonly #all = new Set<Socket>();
  readonly #http = new Map<Socket, Http>();
  readonly #byAddress = new Map<string, Set<Socket>>();
  /** Idle HTTP connections, the longest idle first. */
  readonly #idle = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;

  constructor(server: Server, options: TcpConnectionsOptions) {
    this.#options = options;
    server.on("connection", (socket) => this.#add(socket));
    server.prependListener("request", (request, response) => this.#busy(request, response));
    server.on("upgrade", ({ socket }) => {
      socket.off("data", refusePiledUp);
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
    this.#all.add(socket);
    this.#addHttp(socket);
    socket.prependListener("data", refusePiledUp);
    socket.once("close", () => {
      this.#all.delete(socket);
      this.removeFromHttp(socket);
    });
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
      oldest.destroy();
      this.removeFromHttp(oldest);
    }
    if (this.#all.size < maxConnections) return true;
    const [oldest] = this.#idle;
    if (oldest === undefined) refuse(socket, "all");
    else {
      oldest.destroy();
      this.#all.delete(oldest);
      this.removeFromHttp(oldest);
    }
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
    this.#idle.delete(socket);
    // Node takes all requests of a read into work at once, also those of a connection that is closed.
    if (http.requests > maxPipelinedRequests) socket.destroy();
    response.once("close", () => {
      http.requests -= 1;
      http.stall = undefined;
      if (http.requests > 0 || socket.destroyed) return;
      // A connection is idle again after its last request, also where that was an event stream.
      if (this.#http.has(socket)) this.#idle.add(socket);
      else this.#addHttp(socket);
    });
  }

  #cutStalled(): void {
    for (const [socket, http] of this.#http) {
      if (http.requests === 0 || socket.writableLength === 0) continue;
      http.stall ??= new StallClock(socket);
      if (http.stall.stalledMs() >= this.#options.slowReaderMs) socket.destroy();
    }
  }
}
