/**
 * The servers by which a process finds Redis: the one of its settings, and the shards of the cluster
 * that it turned out to belong to. Each connection goes to another one than the last: the server of the
 * settings may be the one that is away, and the subscribed connections of all processes spread.
 */
import type { Attempt } from "./connection.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Connections made one after the other in one attempt: to a server, to ask for the shards, to them. */
const maxConnects = 3;

export class KnownServers {
  readonly #url: string;
  #urls: readonly string[];
  #next = 0;

  /** @param url `redis://user:password@host:port/database`, `rediss://` with TLS, or `unix:///path` */
  constructor(url: string) {
    this.#url = url;
    this.#urls = [url];
  }

  /** The URL of the server to connect to. */
  next(): string {
    return this.#urls[this.#next++ % this.#urls.length] ?? this.#url;
  }

  /**
   * The deadline of one attempt. A machine that is gone never answers, so where other servers are known
   * the deadline is short; it doubles with each failure, in case all of them are slow.
   */
  deadline({ times, signal, failures }: Attempt): AbortSignal {
    if (this.#urls.length === 1) return signal;
    const timeoutMs = Math.min(times.pingMs * 2 ** failures, maxConnects * times.connectTimeoutMs);
    return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  }

  /** Replaces the shards that were known. */
  learn(shards: readonly Address[]): void {
    if (this.#url.startsWith("unix:")) return;
    this.#urls = [this.#url, ...shards.map((shard) => this.#urlOf(shard))];
    // Random, or the subscribed connections of all processes would be to the same server.
    this.#next = Math.floor(Math.random() * this.#urls.length);
  }

  /** With the same user and TLS. */
  #urlOf({ host, port }: Address): string {
    const url = new URL(this.#url);
    url.hostname = host.includes(":") ? `[${host}]` : host;
    url.port = String(port);
    return url.href;
  }
}
