/** Nodes that share one Postgres and one Redis, a provider, and readers whose sockets break. */
import { randomUUID } from "node:crypto";
import {
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from "../../src/testing/index.ts";
import { judge, logOf } from "../faults/oracle.ts";
import { NetworkReader, roomyLimits, type SentRun } from "../faults/world.ts";
import { type MockProvider, type Reply, startMockProvider } from "../support/mock-provider.ts";
import { openaiBot } from "../support/openai-bot.ts";
import { startPostgres, type TestDatabase, type TestPostgres } from "../support/postgres.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { type Received, wsClient } from "../support/stock-client.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

/** What takes seconds outside of tests. */
export const shortTimes = {
  leaseMs: 2_500,
  renewMs: 250,
  checkMs: 250,
  lookAgainMs: 2_000,
  // All nodes are on this machine.
  clockSkewMs: 0,
};

/** What nodes are told, in this process or as processes of their own. */
export interface NodeSettings {
  readonly databaseUrl: string;
  /** Absent: one process alone. */
  readonly redisUrl: string | undefined;
  readonly redisPrefix?: string;
  readonly providerUrl: string;
  readonly clusterTimes: TestServerOptions["clusterTimes"];
  readonly runLimits?: TestServerOptions["runLimits"];
  readonly userLimits?: TestServerOptions["userLimits"];
  /** How long a process that is told to leave gives its runs. */
  readonly shutdownGraceMs?: number;
}

type AnyRedis = AsyncDisposable & Pick<TestRedis, "url" | "command">;

export class ClusterWorld<Redis extends AnyRedis = TestRedis> implements AsyncDisposable {
  readonly postgres: TestPostgres;
  readonly database: TestDatabase;
  readonly redis: Redis;
  readonly provider: MockProvider;
  readonly #stack: AsyncDisposableStack;
  readonly #replies = new Map<string, Reply>();
  readonly #calls = new Map<string, number>();

  private constructor(
    parts: Pick<ClusterWorld<Redis>, "postgres" | "database" | "redis" | "provider">,
    stack: AsyncDisposableStack,
  ) {
    this.postgres = parts.postgres;
    this.database = parts.database;
    this.redis = parts.redis;
    this.provider = parts.provider;
    this.#stack = stack;
    this.provider.answerAll((call) => {
      this.#calls.set(call.lastText, this.callsOf(call.lastText) + 1);
      return this.#replies.get(call.lastText) ?? { status: 418 };
    });
  }

  static start(): Promise<ClusterWorld> {
    return ClusterWorld.startOn(() => startRedis());
  }

  static async startOn<Redis extends AnyRedis>(
    startRedis: () => Promise<Redis>,
  ): Promise<ClusterWorld<Redis>> {
    await using starting = new AsyncDisposableStack();
    const postgres = starting.use(await startPostgres());
    const database = await postgres.createDatabase();
    const redis = starting.use(await startRedis());
    const provider = starting.use(await startMockProvider());
    return new ClusterWorld({ postgres, database, redis, provider }, starting.move());
  }

  settings(given: Partial<NodeSettings> = {}): NodeSettings {
    return {
      databaseUrl: this.database.url,
      redisUrl: this.redis.url,
      providerUrl: this.provider.baseUrl,
      clusterTimes: shortTimes,
      ...given,
    };
  }

  /** A node in this process. */
  startNode(
    given: Partial<NodeSettings> = {},
    options: Partial<TestServerOptions> = {},
  ): Promise<TestServer> {
    return startNode(this.settings(given), options);
  }

  /** A run whose answer the provider knows by the run's message. */
  newRun(reply: Reply, conversationId: string = randomUUID()): SentRun {
    const runId = randomUUID();
    this.#replies.set(runId, reply);
    return { runId, botId: "test", conversationId, message: runId };
  }

  callsOf(message: string): number {
    return this.#calls.get(message) ?? 0;
  }

  /** Whether every reader has the whole run once and in order, as the log of this node has it. */
  async judge(
    { langwire }: TestServer,
    run: SentRun,
    { readers, text }: { readers: Record<string, readonly Received[]>; text?: string },
  ) {
    const calls = this.callsOf(run.message);
    const provider = text === undefined ? { calls } : { calls, text };
    return judge({ runId: run.runId, log: await logOf(langwire, run), readers, provider });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export function startNode(
  { providerUrl, clusterTimes = {}, ...settings }: NodeSettings,
  options: Partial<TestServerOptions> = {},
): Promise<TestServer> {
  return startTestServer({
    bots: [openaiBot(providerUrl)],
    ...settings,
    clusterTimes,
    ...options,
    connectionLimits: { ...roomyLimits, ...options.connectionLimits },
  });
}

/** A reader who comes to a random one of these nodes, each time that it connects. */
export async function roamingReader(
  ports: () => readonly number[],
  options: { userId?: string } = {},
): Promise<NetworkReader> {
  const port = () => {
    const all = ports();
    return all[Math.floor(Math.random() * all.length)] ?? 0;
  };
  const proxy = await startTcpProxy({ port });
  return new NetworkReader(proxy, wsClient(`ws://127.0.0.1:${proxy.port}/trpc`, options));
}
