/** Everybody who is measured. */
export interface Peer {
  /** In the tables. */
  readonly title: string;
  readonly server: string;
  /** Absent when there is no server and the clients are function calls. */
  readonly client?: string;
  readonly fetch: "stock" | "events";
}

export const peers = {
  langwire: { title: "Langwire", server: "langwire", client: "langwire", fetch: "events" },
  langwireStock: {
    title: "Langwire, stock fetch",
    server: "langwire",
    client: "langwire",
    fetch: "stock",
  },
  oneNode: {
    title: "Langwire, one node on Redis and Postgres",
    server: "langwire",
    client: "langwire-nodes",
    fetch: "events",
  },
  threeNodes: {
    title: "Langwire, three nodes on Redis and Postgres",
    server: "langwire",
    client: "langwire-nodes",
    fetch: "events",
  },
  resumableStream: {
    title: "resumable-stream, AI SDK, three nodes on Redis",
    server: "resumable-stream",
    client: "resumable-stream",
    fetch: "events",
  },
  callbacks: { title: "LangChain alone, callbacks", server: "callbacks", fetch: "stock" },
  callbacksEvents: {
    title: "LangChain alone, callbacks, our fetch",
    server: "callbacks",
    fetch: "events",
  },
  chainStream: {
    title: "LangChain alone, `chain.stream()`",
    server: "chain-stream",
    fetch: "stock",
  },
  streamEvents: {
    title: "LangChain alone, `streamEvents` v2",
    server: "stream-events",
    fetch: "stock",
  },
  rawWs: { title: "raw ws", server: "raw-ws", client: "raw-ws", fetch: "stock" },
  rawWsEvents: { title: "raw ws, our fetch", server: "raw-ws", client: "raw-ws", fetch: "events" },
  socketIo: { title: "socket.io", server: "socket-io", client: "socket-io", fetch: "stock" },
  aiSdk: { title: "AI SDK, SSE", server: "ai-sdk", client: "ai-sdk", fetch: "stock" },
  aiSdkEvents: {
    title: "AI SDK, SSE, our fetch",
    server: "ai-sdk",
    client: "ai-sdk",
    fetch: "events",
  },
  plainTrpc: {
    title: "plain tRPC, superjson",
    server: "plain-trpc",
    client: "plain-trpc",
    fetch: "stock",
  },
  langgraphApi: {
    title: "LangGraph API server",
    server: "langgraph-api",
    client: "langgraph-api",
    fetch: "stock",
  },
  tanstackAi: {
    title: "TanStack AI, WebSocket",
    server: "tanstack-ai",
    client: "tanstack-ai",
    fetch: "stock",
  },
} as const satisfies Record<string, Peer>;

export type PeerName = keyof typeof peers;
