/** A provider, a server and readers behind bad networks, all in this process, over real sockets. */
import { randomUUID } from "node:crypto";
import {
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from "../../src/testing/index.ts";
import { type MockProvider, type Reply, startMockProvider } from "../support/mock-provider.ts";
import { openaiBot } from "../support/openai-bot.ts";
import {
  type Reading,
  type Received,
  read,
  type StockClient,
  wsClient,
} from "../support/stock-client.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { judge, logOf } from "./oracle.ts";

export interface SentRun {
  readonly runId: string;
  readonly botId: string;
  readonly conversationId: string;
  readonly message: string;
}

/** As much room as the tests of single faults need; what is refused is tested elsewhere. */
export const roomyLimits = {
  maxSockets: 20_000,
  maxSocketsPerAddress: 20_000,
  maxSocketsPerUser: 20_000,
  maxHttpRequestsPerSecond: 1_000_000,
};

export class World implements AsyncDisposable {
  readonly provider: MockProvider;
  readonly server: TestServer;
  readonly #stack: AsyncDisposableStack;
  readonly #replies = new Map<string, Reply>();
  readonly #calls = new Map<string, number>();

  private constructor(provider: MockProvider, server: TestServer, stack: AsyncDisposableStack) {
    this.provider = provider;
    this.server = server;
    this.#stack = stack;
    provider.answerAll((call) => {
      this.#calls.set(call.lastText, (this.#calls.get(call.lastText) ?? 0) + 1);
      return this.#replies.get(call.lastText) ?? { status: 418 };
    });
  }

  /** @param serve how the server is put together, where a test needs its parts */
  static async start<Server extends TestServer = TestServer>(
    options: Partial<TestServerOptions> = {},
    serve?: (options: TestServerOptions) => Promise<Server>,
  ): Promise<World & { readonly server: Server }> {
    const stack = new AsyncDisposableStack();
    const provider = stack.use(await startMockProvider());
    const all = {
      bots: [openaiBot(provider.baseUrl)],
      ...options,
      connectionLimits: { ...roomyLimits, ...options.connectionLimits },
    };
    const server = stack.use(await (serve ?? startTestServer)(all));
    return new World(provider, server, stack) as World & { readonly server: Server };
  }

  /** A run whose answer the provider knows by the run's message. */
  newRun(reply: Reply, conversationId: string = randomUUID()): SentRun {
    const runId = randomUUID();
    this.#replies.set(runId, reply);
    return { runId, botId: "test", conversationId, message: runId };
  }

  async reader(): Promise<NetworkReader> {
    const proxy = await startTcpProxy({ port: this.server.port });
    return new NetworkReader(proxy, wsClient(`ws://127.0.0.1:${proxy.port}/trpc`));
  }

  /** What the server's log holds of the run. */
  log(run: SentRun): Promise<Received[]> {
    return logOf(this.server.langwire, run);
  }

  async judge(
    run: SentRun,
    { readers, text }: { readers: Record<string, readonly Received[]>; text?: string },
  ) {
    const calls = this.#calls.get(run.message) ?? 0;
    const provider = text === undefined ? { calls } : { calls, text };
    return judge({ runId: run.runId, log: await this.log(run), readers, provider });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** A stock client with a network of its own. */
export class NetworkReader implements AsyncDisposable {
  readonly proxy: TcpProxy;
  readonly client: StockClient;

  constructor(proxy: TcpProxy, client: StockClient) {
    this.proxy = proxy;
    this.client = client;
  }

  /** @param onEvent called after each event with how many have come */
  send(run: SentRun, onEvent?: (count: number) => void): Reading {
    return read((options) => this.client.api.chat.send.subscribe(run, withCount(options, onEvent)));
  }

  watch(conversationId: string, onEvent?: (count: number) => void, lastEventId?: string): Reading {
    const input = lastEventId === undefined ? { conversationId } : { conversationId, lastEventId };
    return read((options) =>
      this.client.api.chat.watch.subscribe(input, withCount(options, onEvent)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.proxy[Symbol.asyncDispose]();
  }
}

type Options = Parameters<Parameters<typeof read>[0]>[0];

function withCount(options: Options, onEvent: ((count: number) => void) | undefined): Options {
  if (onEvent === undefined) return options;
  let count = 0;
  return {
    ...options,
    onData: (value) => {
      options.onData(value);
      count += 1;
      onEvent(count);
    },
  };
}
