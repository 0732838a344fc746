/**
 * Langwire as `npm start` starts it, asking for tokens: journal on disk, limits, admission and logs on.
 * The load of a whole town comes from one address here, so what one address and one user may have is
 * raised; it is counted all the same.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { registerHooks } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tokenSecret } from "../parts/token.ts";
import type { StartServer } from "./bench-server.ts";

const raisedLimits = {
  MAX_CONNECTIONS: "30000",
  MAX_HTTP_CONNECTIONS_PER_ADDRESS: "20000",
  MAX_CONVERSATIONS_PER_MINUTE: "100000",
  MAX_SOCKETS_PER_ADDRESS: "20000",
  MAX_SOCKETS_PER_USER: "20000",
  MAX_SUBSCRIPTIONS_PER_USER: "20000",
  MAX_CALLS_PER_SECOND_PER_USER: "20000",
  MAX_HTTP_REQUESTS_PER_SECOND: "20000",
  MAX_RUNS_PER_MINUTE: "100000",
  MAX_LIVE_RUNS_PER_USER: "1000",
  MAX_LOOP_LAG_MS: "10000",
};

export const start: StartServer = async ({ providerUrl, fetch }) => {
  const dataDir = process.env.BENCH_DATA_DIR ?? newDataDir();
  const port = await freePort();
  Object.assign(process.env, {
    PORT: String(port),
    DATA_DIR: dataDir,
    OPENAI_BASE_URL: providerUrl,
    OPENAI_API_KEY: "bench",
    AUTH_SECRET: tokenSecret,
    ...raisedLimits,
  });
  if (fetch === "stock") useStockFetch();
  await import("../../src/main.ts");
  return { url: `ws://127.0.0.1:${port}/trpc` };
};

function newDataDir(): string {
  const dataDir = mkdtempSync(join(tmpdir(), "langwire-bench-"));
  process.once("exit", () => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** The same server, but its model reads the provider's answers as a stock `ChatOpenAI` does. */
const stockSources: Readonly<Record<string, string>> = {
  "event-fetch.ts":
    'export { ProviderTimeout } from "./idle-timeout.ts"; const close = async () => {}; ' +
    "export const createEventFetch = () => Object.assign((...call) => globalThis.fetch(...call), { close });",
  "event-completions.ts":
    'export { ChatOpenAICompletions as EventCompletions } from "@langchain/openai";',
};

function useStockFetch(): void {
  registerHooks({
    load: (url, context, next) => {
      const source = stockSources[url.slice(url.lastIndexOf("/") + 1)];
      return source === undefined
        ? next(url, context)
        : { format: "module", source, shortCircuit: true };
    },
  });
}
