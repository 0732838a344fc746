/** One peer under load: its server on one core, the provider and the clients on the other. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Load } from "../load/drive.ts";
import { type PeerName, peers } from "./peers.ts";
import { PinnedProcess, type PinnedProcessOptions } from "./pinned-process.ts";

const quietMs = 500;
const quietShare = 0.05;
const quietLooks = 20;
const serverCore = 0;
const loadCore = 1;
const file = (path: string): string => join(import.meta.dirname, "..", path);

export interface Usage {
  readonly cpuUs: number;
  readonly wallUs: number;
}

export interface Memory {
  readonly residentBytes: number;
  readonly liveBytes: number;
}

export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface StageOptions {
  readonly peer: PeerName;
  readonly eventsPerWrite?: number;
  /** For the server's process, to profile it. */
  readonly nodeOptions?: readonly string[];
  /** Settings of the server. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Stage implements AsyncDisposable {
  readonly provider: PinnedProcess;
  readonly server: PinnedProcess;
  /** Where the clients are: a process of their own, or the server's. */
  readonly load: PinnedProcess;
  readonly url: string | undefined;
  readonly #client: string | undefined;

  private constructor(parts: {
    provider: PinnedProcess;
    server: PinnedProcess;
    load: PinnedProcess;
    url: string | undefined;
    client: string | undefined;
  }) {
    this.provider = parts.provider;
    this.server = parts.server;
    this.load = parts.load;
    this.url = parts.url;
    this.#client = parts.client;
  }

  static async open({
    peer,
    eventsPerWrite,
    nodeOptions = [],
    env = {},
  }: StageOptions): Promise<Stage> {
    const { server: name, fetch, ...rest } = peers[peer];
    const client = "client" in rest ? rest.client : undefined;
    await using opening = new AsyncDisposableStack();
    const script = (path: string, core: number, more: Partial<PinnedProcessOptions> = {}) =>
      PinnedProcess.start({ script: file(path), core, ...more });
    const provider = opening.use(await script("load/provider.ts", loadCore));
    if (eventsPerWrite !== undefined) await provider.call("eventsPerWrite", eventsPerWrite);
    const server = opening.use(
      await script("servers/server.ts", serverCore, {
        nodeOptions: ["--expose-gc", ...nodeOptions],
        env,
      }),
    );
    const providerUrl = await provider.call<string>("url");
    const url = await server.call<string | undefined>("start", {
      name,
      options: { providerUrl, fetch },
    });
    const load =
      client === undefined ? server : opening.use(await script("load/clients.ts", loadCore));
    const parts = opening.move();
    const stage = new Stage({ provider, server, load, url, client });
    stage[Symbol.asyncDispose] = () => parts.disposeAsync();
    return stage;
  }

  /** Opens clients until there are so many. */
  async connect(count: number, { oneUser = false } = {}): Promise<void> {
    await this.load.call("connect", { name: this.#client, url: this.url, count, oneUser });
  }

  /** Another process of clients, on the core of the others. */
  moreClients(): Promise<PinnedProcess> {
    return PinnedProcess.start({ script: file("load/clients.ts"), core: loadCore });
  }

  /** Settles when every client has had all its answers, each whole. */
  async drive(load: Load & { first?: number; count: number }): Promise<void> {
    await this.load.call("drive", load);
  }

  /** The server's CPU while something goes on. */
  async cpuUs(what: () => Promise<unknown>): Promise<number> {
    const before = await this.usage();
    await what();
    const after = await this.usage();
    return after.cpuUs - before.cpuUs;
  }

  /** Settles when the server has nothing to do any more, or only what it always does. */
  async quiet(): Promise<void> {
    for (let look = 0; look < quietLooks; look++) {
      if ((await this.cpuUs(() => sleep(quietMs))) < quietMs * 1_000 * quietShare) return;
    }
  }

  memory(): Promise<Memory> {
    return this.server.call("collectGarbage");
  }

  stopLatencies(): Promise<Quantiles> {
    return this.load.call("stopLatencies");
  }

  usage(): Promise<Usage> {
    return this.server.call("usage");
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
