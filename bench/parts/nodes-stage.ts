/**
 * Several servers that share one Redis, and one Postgres where they need it, under load. They are on one
 * core together; Redis, the provider and the clients are on the other, and Postgres is where it likes.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { startPostgres } from "../../test/support/postgres.ts";
import { startRedis, type TestRedis } from "../../test/support/redis.ts";
import type { Load } from "../load/drive.ts";
import { cpuSecondsOf } from "../redis/cpu.ts";
import { PinnedProcess } from "./pinned-process.ts";
import type { Quantiles, Usage } from "./stage.ts";

const serverCore = 0;
const loadCore = 1;
const file = (path: string): string => join(import.meta.dirname, "..", path);

export interface NodesStageOptions {
  readonly server: string;
  readonly client: string;
  readonly nodes: number;
  /** What they share; nothing is for one process by itself. */
  readonly shares: "nothing" | "redis" | "redis and postgres";
}

export class NodesStage implements AsyncDisposable {
  readonly servers: readonly PinnedProcess[];
  readonly load: PinnedProcess;
  readonly redis: TestRedis | undefined;
  readonly #client: string;
  readonly #urls: readonly string[];
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<NodesStage, "servers" | "load" | "redis">,
    { client, urls }: { readonly client: string; readonly urls: readonly string[] },
    stack: AsyncDisposableStack,
  ) {
    this.servers = parts.servers;
    this.load = parts.load;
    this.redis = parts.redis;
    this.#client = client;
    this.#urls = urls;
    this.#stack = stack;
  }

  static async open({ server, client, nodes, shares }: NodesStageOptions): Promise<NodesStage> {
    await using opening = new AsyncDisposableStack();
    const redis = shares === "nothing" ? undefined : opening.use(await startRedis());
    if (redis !== undefined) pin(redis.pid, loadCore);
    const env: Record<string, string> = redis === undefined ? {} : { REDIS_URL: redis.url };
    if (shares === "redis and postgres") {
      const postgres = opening.use(await startPostgres());
      env.DATABASE_URL = (await postgres.createDatabase()).url;
    }
    const start = async (script: string, core: number) =>
      opening.use(await PinnedProcess.start({ script: file(script), core, env }));
    const provider = await start("load/provider.ts", loadCore);
    const providerUrl = await provider.call<string>("url");
    const servers: PinnedProcess[] = [];
    const urls: string[] = [];
    while (servers.length < nodes) {
      const next = await start("servers/server.ts", serverCore);
      const options = { providerUrl, fetch: "events" };
      urls.push(await next.call<string>("start", { name: server, options }));
      servers.push(next);
    }
    const load = await start("load/clients.ts", loadCore);
    return new NodesStage({ servers, load, redis }, { client, urls }, opening.move());
  }

  /** Opens clients until there are so many. */
  async connect(count: number): Promise<void> {
    const [name, url] = [this.#client, this.#urls.join(" ")];
    await this.load.call("connect", { name, url, count, oneUser: false });
  }

  async drive(load: Load & { count: number }): Promise<void> {
    await this.load.call("drive", load);
  }

  /** Of all servers together. */
  async usage(): Promise<Usage> {
    const all = await Promise.all(this.servers.map((server) => server.call<Usage>("usage")));
    return {
      cpuUs: all.reduce((sum, { cpuUs }) => sum + cpuUs, 0),
      wallUs: performance.now() * 1_000,
    };
  }

  stopLatencies(): Promise<Quantiles> {
    return this.load.call("stopLatencies");
  }

  /** What Redis has done so far: its processor time, and how often it read from a connection. */
  async redisUsage(): Promise<{ readonly cpuUs: number; readonly reads: number }> {
    if (this.redis === undefined) return { cpuUs: 0, reads: 0 };
    const stats = await this.redis.command<string>("INFO", "stats");
    const reads = Number(/total_reads_processed:(\d+)/.exec(stats)?.[1]);
    return { cpuUs: cpuSecondsOf(this.redis.pid) * 1e6, reads };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function pin(pid: number, core: number): void {
  const { status } = spawnSync("taskset", ["--pid", "--cpu-list", String(core), String(pid)]);
  if (status !== 0) throw new Error(`process ${pid} cannot be pinned to a core`);
}
