/** The settings, as the options of what they are for. */
import { type MemoryBounds, socketsPerAddress } from "../config/memory-bounds.ts";
import type { Settings } from "../config/settings.ts";
import type { LangwireOptions } from "../open/open-langwire.ts";
import { verifyTokens } from "../server/access/auth.ts";
import type { ServerOptions } from "../server/app.ts";

const mebibyte = 1024 * 1024;
/** For calls over HTTP, next to as many sockets as there may be. */
const connectionsBesidesSockets = 2_000;

/** @param bounds what counts where a limit of memory is not set */
export function langwireOptions(
  settings: Settings,
  bounds: MemoryBounds,
): Omit<LangwireOptions, "bots"> {
  const { DATA_DIR, DATABASE_URL, REDIS_URL, REDIS_PREFIX } = settings;
  return {
    dataDir: DATA_DIR,
    redisPrefix: REDIS_PREFIX,
    ...(DATABASE_URL !== undefined && { databaseUrl: DATABASE_URL }),
    ...(REDIS_URL !== undefined && { redisUrl: REDIS_URL }),
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
    },
  };
}

/** Authentication, allowed origins, trusted proxies. */
export function accessOptions(settings: Settings): Partial<ServerOptions> {
  const { AUTH_SECRET, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE } = settings;
  const { ALLOWED_ORIGINS, TRUSTED_PROXIES, SIGN_IN_URL, SIGN_OUT_URL } = settings;
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
    signInUrl: SIGN_IN_URL,
    signOutUrl: SIGN_OUT_URL,
    allowAnonymous: settings.ALLOW_ANONYMOUS,
  };
}

/** The limits of connections. */
export function connectionOptions(
  settings: Settings,
  bounds: MemoryBounds,
): Pick<ServerOptions, "connectionLimits"> {
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
