/** What a measured server is to the bench. */
import type { Client } from "../clients/client.ts";

export interface BenchServerOptions {
  /** Of the provider; ends in `/v1`. */
  readonly providerUrl: string;
  /** The stock `fetch`, or Langwire's that yields whole events. */
  readonly fetch: "stock" | "events";
}

export interface BenchServer {
  /** Where clients connect; absent when there is no server, and then `connect` is there. */
  readonly url?: string;
  readonly connect?: () => Client;
}

export type StartServer = (options: BenchServerOptions) => Promise<BenchServer>;
