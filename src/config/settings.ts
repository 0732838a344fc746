/** The settings. Each is described in `.env.example`, which a test holds against this schema. */
import { z } from "zod";
import { defaultLogBounds } from "../log/log.ts";
import { defaultRunLimits } from "../runs/limits.ts";
import { minSecretBytes } from "../server/access/auth.ts";
import { isLoopback } from "../server/access/origins.ts";
import { defaultConnectionLimits } from "../server/connections/connection-limits.ts";
import { isPage } from "../server/session-route.ts";
import { keepEventsMs } from "./keep-events.ts";
import { serverAddress } from "./server-address.ts";

/** Whole numbers, written with digits alone: Number() would also take "1e3" and "0x10". */
function whole({ min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number }) {
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;
  const error = `must be a whole number, ${range}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

/** One of several words, as they are written here. */
function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  const all = [words.slice(0, -1).join(", "), words.at(-1)].join(" or ");
  return z.enum(words, { error: `must be ${all}` });
}

/** The longest that a timer can wait: Node fires a longer one at once. */
const maxTimerMs = 2 ** 31 - 1;
const milliseconds = whole({ min: 0, max: maxTimerMs });
const interval = whole({ min: 1, max: maxTimerMs });
const count = whole({ min: 1 });
const text = z.string().min(1);
const yes = oneOf(["true", "false"]).transform((value) => value === "true");
const page = z
  .string()
  .refine(isPage, { error: "must be a path such as /login, or an http or https URL" });
const list = z.string().transform((value) => value.split(",").map((entry) => entry.trim()));

/** Such as `openssl rand -base64 24` makes. */
const minTokenLength = 24;
const longToken = z
  .string()
  .regex(
    new RegExp(`^[\\w.~+/=-]{${minTokenLength},}$`),
    `must be ${minTokenLength} characters or longer: letters, digits and -._~+/=`,
  );

const limits = defaultConnectionLimits;

export const settings = z
  .object({
    HOST: text.default("127.0.0.1"),
    PORT: whole({ min: 0, max: 65_535 }).default(3000),
    DATA_DIR: text.default("./data"),
    DATABASE_URL: serverAddress({
      protocol: /^postgres(ql)?$/,
      example: "postgres://user@host/name",
    }).optional(),
    REDIS_URL: serverAddress({
      protocol: /^rediss?$/,
      example: "redis://host:6379",
    }).optional(),
    REDIS_PREFIX: text.default("langwire"),

    MODEL: z
      .string()
      .regex(/^[\w-]+:.*$/, "must be provider:name, such as openai:gpt-4.1-mini")
      .default("openai:gpt-4.1-mini"),
    OPENAI_API_KEY: text.optional(),
    OPENAI_BASE_URL: z
      .url({ protocol: /^https?$/, error: "must be an http or https URL that ends in /v1" })
      .optional(),
    MEMORY_EXCHANGES: whole({ min: 0 }).default(2),
    MODEL_CONTEXT_TOKENS: count.optional(),

    AUTH_SECRET: z
      .string()
      .refine((secret) => Buffer.byteLength(secret) >= minSecretBytes, {
        error: `must be ${minSecretBytes} bytes or longer`,
      })
      .optional(),
    AUTH_JWKS_URL: z
      .string()
      .refine(isJwksUrl, { error: "must be an https URL, or http on this machine" })
      .optional(),
    AUTH_ISSUER: text.optional(),
    AUTH_AUDIENCE: text.optional(),
    ALLOW_ANONYMOUS: yes.default(false),
    SIGN_IN_URL: page.optional(),
    SIGN_OUT_URL: page.optional(),
    ALLOWED_ORIGINS: list
      .refine((origins) => origins.every(isOrigin), {
        error: "must be origins such as https://chat.example.com, separated by commas, no paths",
      })
      .optional(),
    TRUSTED_PROXIES: list
      .refine((entries) => entries.every((entry) => z.union(networks).safeParse(entry).success), {
        error: "must be addresses or subnets such as 10.0.0.0/8, separated by commas",
      })
      .optional(),

    RUN_TIMEOUT_MS: interval.default(defaultRunLimits.runTimeoutMs),
    MAX_RUN_EVENTS: count.default(defaultRunLimits.maxRunEvents),
    MAX_RUN_BYTES: count.default(defaultRunLimits.maxRunBytes),
    MAX_MESSAGE_LENGTH: count.default(defaultRunLimits.maxMessageLength),
    MAX_LIVE_RUNS: count.optional(),
    MAX_LIVE_RUNS_PER_USER: count.default(20),
    MAX_RUNS_PER_MINUTE: count.default(60),
    MAX_CONVERSATIONS_PER_MINUTE: count.default(120),
    MAX_LOOP_LAG_MS: count.default(250),
    STORE_TIMEOUT_MS: milliseconds.default(defaultRunLimits.storeTimeoutMs),
    LOG_MEMORY_MB: count.optional(),
    LIVE_RUNS_MEMORY_MB: count.optional(),
    LOG_RETENTION_MS: milliseconds.default(defaultLogBounds.retentionMs),
    KEEP_EVENTS: keepEventsMs.default(Number.POSITIVE_INFINITY),

    MAX_FRAME_BYTES: count.default(limits.maxFrameBytes),
    MAX_MESSAGES_PER_FRAME: count.default(limits.maxMessagesPerFrame),
    MAX_REQUESTS_PER_SECOND: count.default(limits.maxRequestsPerSecond),
    MAX_QUERIES: count.default(limits.maxQueries),
    MAX_QUERIES_PER_USER: count.default(limits.maxQueriesPerUser),
    MAX_CALLS_PER_SECOND_PER_USER: count.default(limits.maxCallsPerSecondPerUser),
    MAX_ANSWER_BYTES_PER_SECOND_PER_USER: count.default(limits.maxAnswerBytesPerSecondPerUser),
    MAX_HTTP_REQUESTS_PER_SECOND: count.default(limits.maxHttpRequestsPerSecond),
    MAX_SUBSCRIPTIONS_PER_SOCKET: count.default(limits.maxSubscriptionsPerSocket),
    MAX_SUBSCRIPTIONS_PER_USER: count.default(limits.maxSubscriptionsPerUser),
    MAX_CONNECTIONS: count.optional(),
    MAX_HTTP_CONNECTIONS_PER_ADDRESS: count.default(limits.maxHttpConnectionsPerAddress),
    MAX_SOCKETS: count.optional(),
    MAX_SOCKETS_PER_ADDRESS: count.optional(),
    MAX_SOCKETS_PER_USER: count.default(limits.maxSocketsPerUser),
    AUTH_TIMEOUT_MS: interval.default(limits.authTimeoutMs),
    PING_MS: interval.default(limits.pingMs),
    MAX_BACKLOG_BYTES: count.default(limits.maxBacklogBytes),
    SLOW_READER_MS: interval.default(limits.slowReaderMs),

    METRICS_PORT: whole({ min: 0, max: 65_535 }).optional(),
    METRICS_HOST: text.default("127.0.0.1"),
    METRICS_TOKEN: longToken.optional(),
    ADMIN_TOKEN: longToken.optional(),

    LOG_LEVEL: oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default(
      "info",
    ),
    LOG_FORMAT: oneOf(["auto", "pretty", "json"]).default("auto"),
    SHUTDOWN_GRACE_MS: milliseconds.default(10_000),
  })
  .superRefine((all, context) => {
    const wrong = (name: keyof typeof all, message: string) =>
      context.addIssue({ code: "custom", path: [name], message });
    const { AUTH_SECRET, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE } = all;
    if (AUTH_SECRET !== undefined && AUTH_JWKS_URL !== undefined) {
      wrong("AUTH_JWKS_URL", "must not be set together with AUTH_SECRET: tokens have one issuer");
    }
    if (AUTH_JWKS_URL !== undefined) {
      const message = "must be set with AUTH_JWKS_URL: its keys sign tokens for others, too";
      if (AUTH_ISSUER === undefined) wrong("AUTH_ISSUER", message);
      if (AUTH_AUDIENCE === undefined) wrong("AUTH_AUDIENCE", message);
    }
    if (all.REDIS_URL !== undefined && all.DATABASE_URL === undefined) {
      wrong(
        "REDIS_URL",
        "must be set together with DATABASE_URL: nodes that share a log share both",
      );
    }
    if (all.METRICS_TOKEN === undefined && !isLoopback(all.METRICS_HOST)) {
      wrong("METRICS_HOST", "must be a loopback address while there is no METRICS_TOKEN");
    }
    if (all.MAX_MESSAGES_PER_FRAME <= all.MAX_SUBSCRIPTIONS_PER_SOCKET) {
      wrong(
        "MAX_MESSAGES_PER_FRAME",
        `must be more than MAX_SUBSCRIPTIONS_PER_SOCKET (${all.MAX_SUBSCRIPTIONS_PER_SOCKET}): ` +
          "a client that connects again sends all of them in one frame",
      );
    }
    if (all.MAX_REQUESTS_PER_SECOND < all.MAX_MESSAGES_PER_FRAME) {
      wrong(
        "MAX_REQUESTS_PER_SECOND",
        `must be at least MAX_MESSAGES_PER_FRAME (${all.MAX_MESSAGES_PER_FRAME})`,
      );
    }
  });

export type Settings = z.infer<typeof settings>;

const networks = [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()] as const;

function isOrigin(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && url.origin === value;
}

function isJwksUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null) return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}
