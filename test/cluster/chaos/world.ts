/**
 * Nodes as processes, each with its own way to Redis and to Postgres, and the means to do to all of
 * it what `faults.ts` names.
 */
import { setTimeout as delay } from "node:timers/promises";
import { within } from "../../../src/time/within.ts";
import { type PostgresProxy, startPostgresProxy } from "../../support/postgres-proxy.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import type { NodeProcess } from "../node-process.ts";
import { ClusterWorld, type NodeSettings } from "../world.ts";
import { type Fault, type PlannedFault, type Service, statements } from "./faults.ts";
import type { Ledger } from "./ledger.ts";

interface ChaosNode {
  process: NodeProcess | undefined;
  asleep: boolean;
  readonly ways: Readonly<Record<Service, TcpProxy>>;
  /** How its process is to be started: of which version. */
  readonly start: StartNode;
}

export type StartNode = (settings: NodeSettings) => Promise<NodeProcess>;
export type ChaosTimes = Pick<NodeSettings, "clusterTimes" | "runLimits">;

/** What a process may take to leave, besides the grace of its runs. */
const leaveMs = 15_000;
const shutdownGraceMs = 1_000;

export class ChaosWorld implements AsyncDisposable {
  readonly cluster: ClusterWorld;
  readonly #postgres: PostgresProxy;
  readonly #times: ChaosTimes;
  readonly #nodes: ChaosNode[] = [];
  readonly #stack: AsyncDisposableStack;
  /** Where it is told of a process that died by itself. */
  ledger: Ledger | undefined;

  private constructor(
    parts: { cluster: ClusterWorld; postgres: PostgresProxy; times: ChaosTimes },
    stack: AsyncDisposableStack,
  ) {
    this.cluster = parts.cluster;
    this.#postgres = parts.postgres;
    this.#times = parts.times;
    this.#stack = stack;
  }

  static async start(times: ChaosTimes, nodes: readonly StartNode[]): Promise<ChaosWorld> {
    const stack = new AsyncDisposableStack();
    const cluster = stack.use(await ClusterWorld.start());
    const postgres = stack.use(await startPostgresProxy({ port: cluster.postgres.port }));
    const world = new ChaosWorld({ cluster, postgres, times }, stack);
    for (const start of nodes) {
      const ways = {
        redis: stack.use(await startTcpProxy({ port: cluster.redis.port })),
        postgres: stack.use(await startTcpProxy({ port: postgres.port })),
      };
      const node: ChaosNode = { process: undefined, asleep: false, ways, start };
      world.#nodes.push(node);
      stack.defer(async () => node.process?.[Symbol.asyncDispose]());
      await world.#startNode(node);
    }
    return world;
  }

  /** Of the nodes that are there; one that sleeps takes connections, as the kernel does for it. */
  get ports(): readonly number[] {
    const ports = this.#nodes.flatMap(({ process }) => process?.port ?? []);
    return ports.length > 0 ? ports : [1];
  }

  /** Does it, and undoes it after its time. Never rejects: what a fault itself hits is part of it. */
  async inflict({ fault, lastsMs }: PlannedFault): Promise<void> {
    try {
      await this.#inflict(fault, lastsMs);
    } catch (cause) {
      // Two faults at once may meet at one server: the second finds it away.
      void cause;
    }
  }

  /** Everything works again, and every node is there. */
  async heal(): Promise<void> {
    this.#postgres.disarm();
    const { redis, postgres } = this.cluster;
    await postgres.resume();
    process.kill(redis.pid, "SIGCONT");
    for (const node of this.#nodes) {
      for (const way of Object.values(node.ways)) {
        way.accept();
        way.resume();
      }
      if (node.asleep) node.process?.signal("SIGCONT");
      node.asleep = false;
    }
    await redis
      .command("CONFIG", "SET", "maxmemory", "0")
      .catch(() => redis.restart({ keepData: "saved" }));
    for (const node of this.#nodes) if (node.process === undefined) await this.#startNode(node);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ledger = undefined;
    await this.#stack.disposeAsync();
  }

  async #startNode(node: ChaosNode): Promise<void> {
    const { cluster } = this;
    const databaseUrl = new URL(cluster.database.url);
    databaseUrl.port = String(node.ways.postgres.port);
    const settings = cluster.settings({
      ...this.#times,
      databaseUrl: databaseUrl.href,
      redisUrl: `redis://127.0.0.1:${node.ways.redis.port}`,
      userLimits: { maxLiveRuns: 20, maxRunsPerMinute: 1_000_000 },
      shutdownGraceMs,
    });
    const started = await node.start(settings);
    node.process = started;
    node.asleep = false;
    void started.exited.then((how) => {
      if (node.process !== started) return;
      node.process = undefined;
      this.ledger?.violation(`a node ended by itself: ${how}`);
    });
  }

  /** With what is away, a node cannot start: it is tried until it can. */
  async #startAgain(node: ChaosNode): Promise<void> {
    while (node.process === undefined) {
      await this.#startNode(node).catch(() => delay(200));
    }
  }

  async #end(node: ChaosNode, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const { process: ending } = node;
    if (ending === undefined) return;
    // It is not in the ports any more: who connects goes elsewhere.
    node.process = undefined;
    if (node.asleep) ending.signal("SIGCONT");
    node.asleep = false;
    ending.signal(signal);
    const how = await within(ending.exited, shutdownGraceMs + leaveMs);
    if (signal === "SIGTERM" && how !== 0) {
      this.ledger?.violation(`a node that was told to leave ended with ${how ?? "nothing"}`);
    }
    await ending[Symbol.asyncDispose]();
  }

  async #inflict(fault: Fault, lastsMs: number): Promise<void> {
    const { redis, postgres } = this.cluster;
    switch (fault.kind) {
      case "nodeKilled": {
        const node = this.#node(fault.node);
        await this.#end(node, "SIGKILL");
        await delay(lastsMs);
        return this.#startAgain(node);
      }
      case "nodeAsleep": {
        const node = this.#node(fault.node);
        const asleep = node.process;
        asleep?.signal("SIGSTOP");
        node.asleep = true;
        await delay(lastsMs);
        asleep?.signal("SIGCONT");
        node.asleep = false;
        return;
      }
      case "rollingRestart":
        for (const node of this.#nodes) {
          await this.#end(node, "SIGTERM");
          await this.#startAgain(node);
        }
        return;
      case "redisAway":
        await redis.command("SAVE");
        await redis.kill();
        await delay(lastsMs);
        this.#lost();
        return redis.restart({ keepData: "saved" });
      case "redisEmptied":
        this.#lost();
        return void (await redis.command("FLUSHALL"));
      case "redisRolledBack":
        await redis.command("SAVE");
        await delay(lastsMs);
        this.#lost();
        return redis.restart({ keepData: "saved" });
      case "redisFull":
        await redis.command("CONFIG", "SET", "maxmemory", "1");
        await delay(lastsMs);
        return void (await redis.command("CONFIG", "SET", "maxmemory", "0"));
      case "redisPaused": {
        const { pid } = redis;
        process.kill(pid, "SIGSTOP");
        await delay(lastsMs);
        return void process.kill(pid, "SIGCONT");
      }
      case "postgresPaused":
        await postgres.pause();
        await delay(lastsMs);
        return postgres.resume();
      case "postgresRestarted":
        return postgres.restart();
      case "answersLost": {
        const { statement, fault: what, times } = fault;
        for (let time = 0; time < times; time++)
          void this.#postgres.next(statements[statement], what);
        await delay(lastsMs);
        return;
      }
      default: {
        const way = this.#node(fault.node).ways[fault.service];
        if (fault.kind === "cut") return way.cut();
        if (fault.kind === "refused") {
          way.refuse();
          way.cut();
        } else if (fault.kind === "blackHole") way.pause();
        else way.pause("toClient");
        await delay(lastsMs);
        way.accept();
        way.resume();
      }
    }
  }

  #lost(): void {
    if (this.ledger !== undefined) this.ledger.lostEvents = true;
  }

  #node(index: number): ChaosNode {
    const node = this.#nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index}`);
    return node;
  }
}
