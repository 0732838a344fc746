/** A whole server on a free port, for contract tests of your own bots and clients. */
import type { AddressInfo } from "node:net";
import { type Langwire, type LangwireOptions, openLangwire } from "../open/open-langwire.ts";
import { type ChatServer, createServer, type ServerOptions } from "../server/app.ts";
import type { ConnectionLimits } from "../server/connections/connection-limits.ts";
import { thrownByRun } from "./thrown.ts";

export interface TestServerOptions extends LangwireOptions, Omit<ServerOptions, "langwire"> {
  /** Default: any free port. */
  readonly port?: number;
}

export interface TestServer extends AsyncDisposable {
  /** For `wsLink`: `ws://127.0.0.1:<port>/trpc`. */
  readonly url: string;
  /** For HTTP links: `http://127.0.0.1:<port>/trpc`. */
  readonly httpUrl: string;
  readonly port: number;
  readonly langwire: Langwire;
  readonly server: ChatServer;
  /**
   * By run, what its bot threw: the error itself. In errors of `langwire-client` it is the `cause`, which
   * test runners print.
   */
  readonly thrown: ReadonlyMap<string, unknown>;
}

/** Rate limits are off: a test is one address, often one user, and calls as fast as it can. */
const unlimited = Number.POSITIVE_INFINITY;
const testLimits: Partial<ConnectionLimits> = {
  maxRequestsPerSecond: unlimited,
  maxCallsPerSecondPerUser: unlimited,
  maxAnswerBytesPerSecondPerUser: unlimited,
  maxHttpRequestsPerSecond: unlimited,
  maxConnections: unlimited,
  maxHttpConnectionsPerAddress: unlimited,
  maxSubscriptionsPerUser: unlimited,
  maxSockets: unlimited,
  maxSocketsPerAddress: unlimited,
  maxSocketsPerUser: unlimited,
};

/**
 * Without `dataDir`, everything is in memory and gone when it is disposed of. There are no rate limits
 * but those in `connectionLimits`.
 */
export async function startTestServer(options: TestServerOptions): Promise<TestServer> {
  await using starting = new AsyncDisposableStack();
  const langwire = starting.use(await openLangwire(options));
  const connectionLimits = { ...testLimits, ...options.connectionLimits };
  const all = thrownByRun();
  const thrown = new Map<string, unknown>();
  langwire.onBotFailure(({ runId }, { error, span }) => {
    if (span !== undefined || error.cause === undefined) return;
    for (const map of [thrown, all]) map.set(runId, error.cause);
  });
  starting.defer(() => [...thrown.keys()].forEach((runId) => void all.delete(runId)));
  const server = await createServer({ ...options, connectionLimits, langwire });
  starting.defer(() => server.close(0));
  await server.app.listen({ host: "127.0.0.1", port: options.port ?? 0 });
  const { port } = server.app.server.address() as AddressInfo;
  const started = starting.move();
  return {
    url: `ws://127.0.0.1:${port}/trpc`,
    httpUrl: `http://127.0.0.1:${port}/trpc`,
    port,
    langwire,
    server,
    thrown,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
