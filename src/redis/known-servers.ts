/**
 * The servers by which a process finds Redis: the one of its settings, and the shards of the cluster
 * that it turned out to belong to. Each connection goes to another one than the last: the server of the
 * settings may be the one that is away, and doorbells spread over all of them.
 */
import type { Attempt } from "./connection.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One after the other: to a server, to ask it for the shards, to the shards. */
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
   * Until when to try it. A machine that is gone refuses nothing, and where there are others to ask,
   * waiting for it costs more than asking them; unless all are slow.
   */
  patience({ times, signal, failures }: Attempt): AbortSignal {
    if (this.#urls.length === 1) return signal;
    const patienceMs = Math.min(times.pingMs * 2 ** failures, maxConnects * times.connectTimeoutMs);
    return AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  }

  /** Takes a cluster's shards in, in place of those that were known. */
  learn(shards: readonly Address[]): void {
    if (this.#url.startsWith("unix:")) return;
    this.#urls = [this.#url, ...shards.map((shard) => this.#urlOf(shard))];
    // Otherwise the doorbells of all processes would hang on the same server.
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
