/**
 * Which folder may import what, in the order in which they build on each other: each may import only
 * from folders above it. biome.json's import rules are generated from this list (`npm run generate`);
 * test/repository/import-rules.test.ts draws it against ARCHITECTURE.md and against the sources.
 */
export interface ImportRule {
  /** A folder, or a file at the top of `src`. */
  readonly path: string;
  /** What it may import of ours. */
  readonly ours: readonly string[];
  /** The packages that it may import. `*` stands for the rest of a name. */
  readonly packages: readonly string[];
  /** Why, for whoever is refused an import. */
  readonly reason: string;
}

const langchain = ["@langchain/*", "langchain"];

export const importRules: readonly ImportRule[] = [
  {
    path: "src/protocol",
    ours: [],
    packages: ["zod"],
    reason: "The protocol is the contract: zod and nothing else, so that a browser can load it.",
  },
  {
    path: "src/time",
    ours: [],
    packages: [],
    reason: "time is how long to wait: it knows nothing of what is waited for.",
  },
  {
    path: "src/event-fetch",
    ours: [],
    packages: ["node:*", "undici"],
    reason: "event-fetch is a fetch: it knows HTTP and event streams, and nothing of Langwire.",
  },
  {
    path: "src/bots",
    ours: ["src/protocol", "src/time", "src/event-fetch"],
    packages: [...langchain, "node:*", "zod"],
    reason: "Bots know LangChain and the protocol; they emit events and never see where those go.",
  },
  {
    path: "src/redis",
    ours: ["src/protocol", "src/time"],
    packages: ["node:*", "redis"],
    reason: "Redis is a connection and a few primitives; it knows no log, no store and no runs.",
  },
  {
    path: "src/log",
    ours: ["src/protocol", "src/time", "src/redis"],
    packages: ["node:*"],
    reason: "The log knows events and nothing of bots, stores or runs, so that any adapter fits.",
  },
  {
    path: "src/store",
    ours: ["src/protocol", "src/time"],
    packages: ["kysely", "node:*", "pg", "zod"],
    reason: "The store keeps what it is given; it knows neither bots nor the log.",
  },
  {
    path: "src/runs",
    ours: ["src/protocol", "src/time", "src/bots", "src/log", "src/store"],
    packages: ["node:*", "rate-limiter-flexible", "zod"],
    reason:
      "Runs know neither Redis, which they meet in interfaces of their own (runs/cluster), nor the routers and servers that serve them.",
  },
  {
    path: "src/open",
    ours: ["src/protocol", "src/time", "src/bots", "src/redis", "src/log", "src/store", "src/runs"],
    packages: ["node:*", "rate-limiter-flexible"],
    reason: "open puts store, log, Redis and runs together; it does not know who serves them.",
  },
  {
    path: "src/api",
    ours: ["src/protocol", "src/bots", "src/log", "src/store", "src/runs"],
    packages: ["@trpc/server", "superjson", "zod"],
    reason: "The router mounts into other people's servers, so it knows nothing of ours.",
  },
  {
    path: "src/server",
    ours: [
      "src/protocol",
      "src/time",
      "src/bots",
      "src/log",
      "src/store",
      "src/runs",
      "src/open",
      "src/api",
    ],
    packages: [
      "@fastify/*",
      "@opentelemetry/api",
      "@trpc/server",
      "fastify",
      "jose",
      "node:*",
      "pino",
      "prom-client",
      "superjson",
      "ws",
      "zod",
    ],
    reason: "serve composes the server; the server does not reach back, nor for LangChain.",
  },
  {
    path: "src/config",
    ours: ["src/protocol", "src/log", "src/runs", "src/server"],
    packages: ["node:*", "zod"],
    reason:
      "config reads the environment, and the container's limits; it takes defaults from others, and opens nothing.",
  },
  {
    path: "src/shipped",
    ours: ["src/protocol", "src/event-fetch", "src/bots"],
    packages: [...langchain, "minisearch", "node:*", "zod"],
    reason: "The bots that ship are made of what every bot can use: src/bots and LangChain.",
  },
  {
    path: "src/serve",
    ours: [
      "src/protocol",
      "src/bots",
      "src/runs",
      "src/open",
      "src/server",
      "src/config",
      "src/shipped",
    ],
    packages: ["node:*", "pino"],
    reason: "serve composes the server out of folders, for main.ts and for the commands.",
  },
  {
    path: "src/testing",
    ours: ["src/protocol", "src/bots", "src/open", "src/api", "src/server"],
    packages: ["@langchain/core", "node:*"],
    reason: "langwire/testing stands on what applications can use; LangChain for its model alone.",
  },
  {
    path: "src/cli",
    ours: [
      "src/protocol",
      "src/bots",
      "src/runs",
      "src/open",
      "src/api",
      "src/server",
      "src/config",
      "src/shipped",
      "src/serve",
    ],
    packages: [
      "@langchain/core",
      "amaro",
      "commander",
      "get-tsconfig",
      "langwire-client",
      "node:*",
      "pino",
      "zod",
    ],
    reason: "Commands start what others have made; main.ts starts the server without them.",
  },
  {
    path: "src/index.ts",
    ours: [
      "src/protocol",
      "src/event-fetch",
      "src/bots",
      "src/runs",
      "src/open",
      "src/api",
      "src/server",
      "src/shipped",
    ],
    packages: [],
    reason: "index.ts names what applications can import, and does nothing.",
  },
  {
    path: "src/main.ts",
    ours: ["src/serve"],
    packages: [],
    reason: "main.ts serves the bots that ship; nothing imports it.",
  },
  {
    path: "client/src",
    ours: ["client/generated"],
    packages: ["@trpc/*", "ai", "node:*", "react", "superjson"],
    reason:
      "The client stands on what is generated for it alone: no server code, no zod, no LangChain.",
  },
];
