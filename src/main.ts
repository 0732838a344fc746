/** The composition root: settings in, a listening server out. */
import { totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import type { Logger } from "pino";
import type { Bot } from "./bots/bot.ts";
import { containerMemoryBytes } from "./config/container-memory.ts";
import { type MemoryBounds, memoryBounds, socketsPerAddress } from "./config/memory-bounds.ts";
import { ConfigError, readSettings, serviceLinks } from "./config/read-settings.ts";
import type { Settings } from "./config/settings.ts";
import { openLangwire } from "./open/open-langwire.ts";
import type { StorageOptions } from "./open/open-storage.ts";
import { LangwireError } from "./protocol/errors.ts";
import { allOf } from "./runs/observer.ts";
import { verifyTokens } from "./server/access/auth.ts";
import { adminRoutes } from "./server/admin/admin.ts";
import { createServer, type ServerOptions } from "./server/app.ts";
import { serveDocs } from "./server/docs-page.ts";
import { FatalErrors } from "./server/logging/fatal-errors.ts";
import { createLogger, redirectOutput } from "./server/logging/logger.ts";
import { withoutSecrets } from "./server/logging/redaction.ts";
import { logRuns } from "./server/logging/run-log.ts";
import { secretsIn } from "./server/logging/secrets.ts";
import { LoopLag } from "./server/metrics/loop-lag.ts";
import { Metrics, metricsRoute, metricsServer } from "./server/metrics/metrics.ts";
import { traceRuns } from "./server/metrics/tracing.ts";
import { Shutdown } from "./server/shutdown.ts";
import { agentBot } from "./shipped/agent-bot.ts";
import { chatBot } from "./shipped/chat-bot.ts";
import { LocalModel } from "./shipped/local/local-model.ts";
import { createModel } from "./shipped/model.ts";

const mebibyte = 1024 * 1024;
/** For calls over HTTP, next to as many sockets as there may be. */
const connectionsBesidesSockets = 2_000;
/** The built page is the same one for this file and for what is compiled from it. */
const pageDir = fileURLToPath(new URL("../dist/page", import.meta.url));
/** So are the documents of the protocol. */
const documentsDir = fileURLToPath(new URL("../client/generated", import.meta.url));

/**
 * V8 allocates for ever as old what once, when many runs began together, all outlived a collection.
 * Of what each token leaves, that is garbage which then keeps other garbage: pauses twice as long.
 */
function expectGarbageToBeYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}

function boundsByMemory(): MemoryBounds {
  // Of a container; without one, 0 or more than there is.
  const constrainedBytes = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return memoryBounds({
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    totalBytes: Math.min(constrainedBytes, containerMemoryBytes(), totalmem()),
  });
}

async function main(settings: Settings): Promise<void> {
  expectGarbageToBeYoung();
  const logger = createLogger({ level: settings.LOG_LEVEL, secrets: secretsIn(process.env) });
  redirectOutput(logger);
  const fatal = new FatalErrors(logger);
  let shutdown: Shutdown | undefined;
  fatal.listen(() => (shutdown === undefined ? process.exit(1) : shutdown.begin()));
  for (const name of serviceLinks(process.env)) {
    logger.warn({ name }, "ignored: Kubernetes set it for a Service of this name");
  }
  const bounds = boundsByMemory();
  logger.info(bounds, "what this process may hold, by its memory, where it is not set");
  const loopLag = new LoopLag();
  const metrics = new Metrics();
  await using starting = new AsyncDisposableStack();
  starting.use(loopLag);
  const langwire = await openLangwire({
    bots: await bots(settings, logger),
    ...storage(settings),
    runLimits: {
      runTimeoutMs: settings.RUN_TIMEOUT_MS,
      maxRunEvents: settings.MAX_RUN_EVENTS,
      maxRunBytes: settings.MAX_RUN_BYTES,
      maxMessageLength: settings.MAX_MESSAGE_LENGTH,
      maxLiveRuns: settings.MAX_LIVE_RUNS ?? bounds.maxLiveRuns,
      maxLiveBytes: (settings.LIVE_RUNS_MEMORY_MB ?? bounds.liveRunsMebibytes) * mebibyte,
      storeTimeoutMs: settings.STORE_TIMEOUT_MS,
    },
    logBounds: {
      maxBytes: (settings.LOG_MEMORY_MB ?? bounds.logMebibytes) * mebibyte,
      retentionMs: settings.LOG_RETENTION_MS,
    },
    keepEventsMs: settings.KEEP_EVENTS,
    userLimits: {
      maxLiveRuns: settings.MAX_LIVE_RUNS_PER_USER,
      maxRunsPerMinute: settings.MAX_RUNS_PER_MINUTE,
      maxConversationsPerMinute: settings.MAX_CONVERSATIONS_PER_MINUTE,
      overloaded: () => loopLag.medianMs > settings.MAX_LOOP_LAG_MS,
    },
    observer: allOf([logRuns(logger), metrics.observer, traceRuns()]),
  }).catch(noStorage(settings));
  starting.use(langwire);
  const server = await createServer({
    langwire,
    logger,
    pageDir,
    ...access(settings),
    ...limits(settings, bounds),
  });
  starting.defer(() => server.close(0));
  await serveDocs(server.app, documentsDir);
  if (settings.ADMIN_TOKEN !== undefined) adminRoutes(server.app, langwire, settings.ADMIN_TOKEN);
  metrics.observe({ langwire, connections: server.connections, loopLag });
  const { METRICS_PORT, METRICS_HOST, METRICS_TOKEN } = settings;
  if (METRICS_PORT !== undefined) {
    const own = metricsServer(metrics, METRICS_TOKEN);
    starting.defer(() => own.close());
    const where = { host: METRICS_HOST, port: METRICS_PORT };
    const address = await own.listen(where).catch(wrongSetting("METRICS_PORT", METRICS_PORT));
    logger.info({ address }, "metrics");
  } else if (METRICS_TOKEN !== undefined) metricsRoute(server.app, metrics, METRICS_TOKEN);
  const { HOST: host, PORT: port } = settings;
  await server.app.listen({ host, port }).catch(wrongSetting("PORT", port));
  const started = starting.move();
  shutdown = new Shutdown({
    logger,
    close: async () => {
      await langwire.runs.drain(fatal.seen ? 0 : settings.SHUTDOWN_GRACE_MS);
      await started.disposeAsync();
      return fatal.seen ? 1 : 0;
    },
    hurry: () => void langwire.runs.drain(0),
    // The grace is for runs; closing what is left takes a moment of its own.
    timeoutMs: settings.SHUTDOWN_GRACE_MS + 10_000,
  });
  shutdown.listen();
}

/** For settings that turn out wrong only when used: a port that is taken, a folder that is read-only. */
function wrongSetting(name: keyof Settings, value: string | number) {
  return (cause: unknown): never => {
    throw new ConfigError([`${name} is ${JSON.stringify(value)}: ${reasonOf(cause)}`]);
  };
}

function reasonOf(cause: unknown): string {
  const reason = cause instanceof LangwireError ? (cause.cause ?? cause) : cause;
  return reason instanceof Error ? reason.message : String(reason);
}

function storage(settings: Settings): StorageOptions {
  const { DATA_DIR, DATABASE_URL, REDIS_URL, REDIS_PREFIX } = settings;
  return {
    dataDir: DATA_DIR,
    redisPrefix: REDIS_PREFIX,
    ...(DATABASE_URL !== undefined && { databaseUrl: DATABASE_URL }),
    ...(REDIS_URL !== undefined && { redisUrl: REDIS_URL }),
  };
}

/** Database addresses carry passwords, so their error names the setting and the reason alone. */
function noStorage(settings: Settings) {
  if (settings.DATABASE_URL === undefined) return wrongSetting("DATA_DIR", settings.DATA_DIR);
  const names = settings.REDIS_URL === undefined ? "DATABASE_URL" : "DATABASE_URL or REDIS_URL";
  return (cause: unknown): never => {
    throw new ConfigError([`${names} cannot be used: ${reasonOf(cause)}`]);
  };
}

/** The bots that ship, on the one model of the settings. */
async function bots(settings: Settings, logger: Logger): Promise<Bot[]> {
  const { MODEL, MODEL_CONTEXT_TOKENS } = settings;
  const model = await createModel({
    model: MODEL,
    openaiApiKey: settings.OPENAI_API_KEY,
    openaiBaseUrl: settings.OPENAI_BASE_URL,
  }).catch(wrongSetting("MODEL", MODEL));
  if (model instanceof LocalModel) {
    logger.warn(
      "The small built-in model answers. For a real one, set OPENAI_API_KEY, or OPENAI_BASE_URL and MODEL.",
    );
  }
  const memory = {
    k: settings.MEMORY_EXCHANGES,
    ...(MODEL_CONTEXT_TOKENS !== undefined && { contextTokens: MODEL_CONTEXT_TOKENS }),
  };
  return [chatBot({ model, memory }), agentBot({ model, memory })];
}

/** The settings of access: authentication, allowed origins, trusted proxies. */
function access(settings: Settings): Partial<ServerOptions> {
  const { AUTH_SECRET, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE } = settings;
  const { ALLOWED_ORIGINS, TRUSTED_PROXIES } = settings;
  const key =
    AUTH_SECRET !== undefined
      ? { secret: AUTH_SECRET }
      : AUTH_JWKS_URL && { jwksUrl: new URL(AUTH_JWKS_URL) };
  return {
    ...(key && {
      authenticate: verifyTokens({ key, issuer: AUTH_ISSUER, audience: AUTH_AUDIENCE }),
    }),
    ...(ALLOWED_ORIGINS && { allowedOrigins: ALLOWED_ORIGINS }),
    ...(TRUSTED_PROXIES && { trustedProxies: TRUSTED_PROXIES }),
    allowAnonymous: settings.ALLOW_ANONYMOUS,
  };
}

/** The limits of connections. */
function limits(settings: Settings, bounds: MemoryBounds): Pick<ServerOptions, "connectionLimits"> {
  const maxSockets = settings.MAX_SOCKETS ?? bounds.maxSockets;
  return {
    connectionLimits: {
      maxFrameBytes: settings.MAX_FRAME_BYTES,
      maxMessagesPerFrame: settings.MAX_MESSAGES_PER_FRAME,
      maxRequestsPerSecond: settings.MAX_REQUESTS_PER_SECOND,
      maxQueries: settings.MAX_QUERIES,
      maxQueriesPerUser: settings.MAX_QUERIES_PER_USER,
      maxCallsPerSecondPerUser: settings.MAX_CALLS_PER_SECOND_PER_USER,
      maxAnswerBytesPerSecondPerUser: settings.MAX_ANSWER_BYTES_PER_SECOND_PER_USER,
      maxHttpRequestsPerSecond: settings.MAX_HTTP_REQUESTS_PER_SECOND,
      maxSubscriptionsPerSocket: settings.MAX_SUBSCRIPTIONS_PER_SOCKET,
      maxSubscriptionsPerUser: settings.MAX_SUBSCRIPTIONS_PER_USER,
      maxConnections: settings.MAX_CONNECTIONS ?? maxSockets + connectionsBesidesSockets,
      maxHttpConnectionsPerAddress: settings.MAX_HTTP_CONNECTIONS_PER_ADDRESS,
      maxSockets,
      maxSocketsPerAddress: settings.MAX_SOCKETS_PER_ADDRESS ?? socketsPerAddress(maxSockets),
      maxSocketsPerUser: settings.MAX_SOCKETS_PER_USER,
      authTimeoutMs: settings.AUTH_TIMEOUT_MS,
      pingMs: settings.PING_MS,
      maxBacklogBytes: settings.MAX_BACKLOG_BYTES,
      slowReaderMs: settings.SLOW_READER_MS,
    },
  };
}

try {
  await main(readSettings(process.env));
} catch (error) {
  const said =
    error instanceof ConfigError
      ? `${error.message}\nEvery setting is described in .env.example.`
      : inspect(error);
  process.stderr.write(`${withoutSecrets(said, secretsIn(process.env))}\n`);
  process.exitCode = 1;
}
