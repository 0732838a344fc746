/**
 * Every TCP connection of the server, whatever is said on it: how many there may be, of one address
 * and in all. Beyond that the one that has been idle longest makes room, so that connections which
 * say nothing keep nobody out; where none is idle, the new one is refused. An answer of which nothing
 * is taken is given up.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { BlockList, Socket } from "node:net";
import { addressKey } from "../access/addresses.ts";
import { StallClock } from "../pacing/stall-clock.ts";

export interface TcpConnectionsOptions {
  /** Of all kinds, WebSockets as well. */
  readonly maxConnections: number;
  /** Without WebSockets and event streams, which are counted for themselves. */
  readonly maxHttpConnectionsPerAddress: number;
  readonly slowReaderMs: number;
  /** Who connects for many. */
  readonly proxies: BlockList;
  /** Tells whoever there is no room for, and closes. */
  readonly refuse: (socket: Socket, why: "address" | "all") => void;
}

interface Http {
  readonly key: string;
  /** Requests that are being answered. */
  requests: number;
  stall: StallClock | undefined;
}

const lookEveryMs = 1_000;

export class TcpConnections implements Disposable {
  readonly #options: TcpConnectionsOptions;
  readonly #all = new Set<Socket>();
  readonly #http = new Map<Socket, Http>();
  readonly #byAddress = new Map<string, Set<Socket>>();
  /** The one that has been longest is the first. */
  readonly #idle = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;

  constructor(server: Server, options: TcpConnectionsOptions) {
    this.#options = options;
    server.on("connection", (socket) => this.#add(socket));
    server.on("request", (request, response) => this.#busy(request, response));
    server.on("upgrade", ({ socket }) => this.lives(socket));
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  get size(): number {
    return this.#all.size;
  }

  /** It is a WebSocket now, or an event stream: counted as such from here on. */
  lives(socket: Socket): void {
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
    if (!this.#hasRoom(socket)) return;
    this.#all.add(socket);
    this.#addHttp(socket);
    socket.once("close", () => {
      this.#all.delete(socket);
      this.lives(socket);
    });
  }

  /** Makes room where there is none, or else refuses. */
  #hasRoom(socket: Socket): boolean {
    const { maxConnections, maxHttpConnectionsPerAddress, refuse } = this.#options;
    const ofAddress = this.#byAddress.get(addressKey(socket.remoteAddress ?? "")) ?? new Set();
    if (ofAddress.size >= maxHttpConnectionsPerAddress && !this.#isProxy(socket)) {
      const oldest = [...ofAddress].find((it) => this.#idle.has(it));
      if (oldest === undefined) {
        refuse(socket, "address");
        return false;
      }
      oldest.destroy();
      this.lives(oldest);
    }
    if (this.#all.size < maxConnections) return true;
    const [oldest] = this.#idle;
    if (oldest === undefined) refuse(socket, "all");
    else {
      oldest.destroy();
      this.#all.delete(oldest);
      this.lives(oldest);
    }
    return oldest !== undefined;
  }

  #isProxy({ remoteAddress = "" }: Socket): boolean {
    const address = addressKey(remoteAddress);
    const { proxies } = this.#options;
    return address.endsWith("/64")
      ? proxies.check(remoteAddress, "ipv6")
      : proxies.check(address, "ipv4");
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
    response.once("close", () => {
      http.requests -= 1;
      http.stall = undefined;
      if (http.requests > 0 || socket.destroyed) return;
      // An event stream that has ended leaves its connection as others do.
      if (this.#http.has(socket)) this.#idle.add(socket);
      else this.#addHttp(socket);
    });
  }

  #look(): void {
    for (const [socket, http] of this.#http) {
      if (http.requests === 0 || socket.writableLength === 0) continue;
      http.stall ??= new StallClock(socket);
      if (http.stall.stalledMs() >= this.#options.slowReaderMs) socket.destroy();
    }
  }
}
