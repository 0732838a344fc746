/** Each setting, set alone, changes what it says and nothing else. */
import { expect, test } from "vitest";
import { readSettings } from "../../src/config/read-settings.ts";
import { type Settings, settings } from "../../src/config/settings.ts";
import {
  accessOptions,
  connectionOptions,
  langwireOptions,
} from "../../src/serve/options-of-settings.ts";
import { audience, issuer, secret, sharedSecretToken } from "../security/tokens.ts";

const bounds = { logMebibytes: 11, liveRunsMebibytes: 13, maxLiveRuns: 17, maxSockets: 19_000 };
const mebibyte = 1024 * 1024;
const value = 4_321;

const limit = (name: string) => ({ [`connectionLimits.${name}`]: value });

/** By setting: the options that it changes, and to what. */
const rows: Partial<Record<keyof Settings, Record<string, unknown>>> = {
  DATA_DIR: { dataDir: value },
  DATABASE_URL: { databaseUrl: value },
  REDIS_URL: { redisUrl: value },
  REDIS_PREFIX: { redisPrefix: value },
  RUN_TIMEOUT_MS: { "runLimits.runTimeoutMs": value },
  MAX_RUN_EVENTS: { "runLimits.maxRunEvents": value },
  MAX_RUN_BYTES: { "runLimits.maxRunBytes": value },
  MAX_MESSAGE_LENGTH: { "runLimits.maxMessageLength": value },
  MAX_LIVE_RUNS: { "runLimits.maxLiveRuns": value },
  LIVE_RUNS_MEMORY_MB: { "runLimits.maxLiveBytes": value * mebibyte },
  STORE_TIMEOUT_MS: { "runLimits.storeTimeoutMs": value },
  LOG_MEMORY_MB: { "logBounds.maxBytes": value * mebibyte },
  LOG_RETENTION_MS: { "logBounds.retentionMs": value },
  KEEP_EVENTS: { keepEventsMs: value },
  MAX_LIVE_RUNS_PER_USER: { "userLimits.maxLiveRuns": value },
  MAX_RUNS_PER_MINUTE: { "userLimits.maxRunsPerMinute": value },
  MAX_CONVERSATIONS_PER_MINUTE: { "userLimits.maxConversationsPerMinute": value },

  ALLOW_ANONYMOUS: { allowAnonymous: value },
  SIGN_IN_URL: { signInUrl: value },
  SIGN_OUT_URL: { signOutUrl: value },
  ALLOWED_ORIGINS: { allowedOrigins: value },
  TRUSTED_PROXIES: { trustedProxies: value },

  MAX_FRAME_BYTES: limit("maxFrameBytes"),
  MAX_MESSAGES_PER_FRAME: limit("maxMessagesPerFrame"),
  MAX_REQUESTS_PER_SECOND: limit("maxRequestsPerSecond"),
  MAX_QUERIES: limit("maxQueries"),
  MAX_QUERIES_PER_USER: limit("maxQueriesPerUser"),
  MAX_CALLS_PER_SECOND_PER_USER: limit("maxCallsPerSecondPerUser"),
  MAX_ANSWER_BYTES_PER_SECOND_PER_USER: limit("maxAnswerBytesPerSecondPerUser"),
  MAX_HTTP_REQUESTS_PER_SECOND: limit("maxHttpRequestsPerSecond"),
  MAX_SUBSCRIPTIONS_PER_SOCKET: limit("maxSubscriptionsPerSocket"),
  MAX_SUBSCRIPTIONS_PER_USER: limit("maxSubscriptionsPerUser"),
  MAX_CONNECTIONS: limit("maxConnections"),
  MAX_HTTP_CONNECTIONS_PER_ADDRESS: limit("maxHttpConnectionsPerAddress"),
  // Calls have connections beside the sockets', and one address has a part of them.
  MAX_SOCKETS: { ...limit("maxSockets"), "connectionLimits.maxConnections": value + 2_000 },
  MAX_SOCKETS_PER_ADDRESS: limit("maxSocketsPerAddress"),
  MAX_SOCKETS_PER_USER: limit("maxSocketsPerUser"),
  AUTH_TIMEOUT_MS: limit("authTimeoutMs"),
  PING_MS: limit("pingMs"),
  MAX_BACKLOG_BYTES: limit("maxBacklogBytes"),
  SLOW_READER_MS: limit("slowReaderMs"),
};

/** Where else they are read: by the program, what listens and what logs; and those of tokens, below. */
const elsewhere: (keyof Settings)[] = [
  ...(["HOST", "PORT", "MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"] as const),
  ...(["MEMORY_EXCHANGES", "MODEL_CONTEXT_TOKENS", "MAX_LOOP_LAG_MS"] as const),
  ...(["METRICS_PORT", "METRICS_HOST", "METRICS_TOKEN", "ADMIN_TOKEN"] as const),
  ...(["LOG_LEVEL", "LOG_FORMAT", "SHUTDOWN_GRACE_MS"] as const),
  ...(["AUTH_SECRET", "AUTH_JWKS_URL", "AUTH_ISSUER", "AUTH_AUDIENCE"] as const),
];

function optionsOf(all: Settings): Record<string, unknown> {
  const options = {
    ...langwireOptions(all, bounds),
    ...accessOptions(all),
    ...connectionOptions(all, bounds),
  };
  const flat: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    if (typeof option !== "object" || option === null) flat[name] = option;
    else for (const [part, of] of Object.entries(option)) flat[`${name}.${part}`] = of;
  }
  return flat;
}

test("each setting has a row", () => {
  expect([...Object.keys(rows), ...elsewhere].toSorted()).toEqual(
    Object.keys(settings.shape).toSorted(),
  );
});

test.each(Object.entries(rows))("%s", (name, changes) => {
  const unset = readSettings({});
  const before = optionsOf(unset);
  const after = optionsOf({ ...unset, [name]: value } as unknown as Settings);
  const changed = Object.entries(after).filter(([option, of]) => before[option] !== of);
  expect(Object.fromEntries(changed)).toEqual(changes);
});

test("what is not set is what the memory allows", () => {
  expect(optionsOf(readSettings({}))).toMatchObject({
    "runLimits.maxLiveRuns": bounds.maxLiveRuns,
    "runLimits.maxLiveBytes": bounds.liveRunsMebibytes * mebibyte,
    "logBounds.maxBytes": bounds.logMebibytes * mebibyte,
    "connectionLimits.maxSockets": bounds.maxSockets,
    "connectionLimits.maxConnections": bounds.maxSockets + 2_000,
  });
});

test.each([
  [{ iss: issuer, aud: audience }, true],
  [{ iss: "https://other.example", aud: audience }, false],
  [{ iss: issuer, aud: "other" }, false],
])("whose tokens count: of %j", async (claims, counts) => {
  const set = { AUTH_SECRET: secret, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience };
  const { authenticate } = accessOptions(readSettings(set));
  const token = await sharedSecretToken("ann", { claims });
  const facts = { connectionParams: { token }, headers: {} };
  const identity = authenticate?.(facts as never);
  if (counts) await expect(identity).resolves.toMatchObject({ userId: "ann" });
  else await expect(identity).rejects.toMatchObject({ code: "UNAUTHORIZED" });
});
