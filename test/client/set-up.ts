/** A client, a network that can be broken, a server and a provider. */
import { onTestFinished } from "vitest";
import type { ConnectionState } from "../../client/src/index.ts";
import { type ClientOptions, createClient, type LangwireClient } from "../../client/src/index.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/index.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { openaiBot } from "../support/openai-bot.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

export interface Setting {
  readonly provider: MockProvider;
  readonly proxy: TcpProxy;
  readonly server: Awaited<ReturnType<typeof startTestServer>>;
  /** Reaches the server through the proxy, and comes back fast. */
  readonly client: LangwireClient;
  connect(options?: Partial<ClientOptions>): LangwireClient;
}

/** Everything is gone when the test has finished. */
export async function setUp(
  options: { server?: Partial<TestServerOptions>; client?: Partial<ClientOptions> } = {},
): Promise<Setting> {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const provider = stack.use(await startMockProvider());
  const bots = [openaiBot(provider.baseUrl)];
  const server = stack.use(await startTestServer({ bots, ...options.server }));
  const proxy = stack.use(await startTcpProxy({ port: server.port }));
  const connect = (more: Partial<ClientOptions> = {}) =>
    stack.use(
      createClient({
        url: `ws://127.0.0.1:${proxy.port}/trpc`,
        backoff: { baseMs: 20, maxMs: 100 },
        ...options.client,
        ...more,
      }),
    );
  return { provider, proxy, server, client: connect(), connect };
}

export const hello = { botId: "test", message: "hello" } as const;

/** Settles once the connection is in the state. */
export function untilState({ connection }: LangwireClient, state: ConnectionState): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = connection.subscribe((status) => {
    if (status.state !== state) return;
    stop();
    resolve();
  });
  if (connection.state === state) resolve();
  return promise.finally(stop);
}

/** A promise with its own key, for scripts that wait in mid-answer. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}
