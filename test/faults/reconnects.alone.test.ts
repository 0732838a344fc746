/** Everybody comes back at once, again and again. */
import { randomUUID } from "node:crypto";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import superjson from "superjson";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import type { ChatRouter } from "../../src/api/router.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { startChildServer, temporaryFolder } from "./child-server.ts";
import { faultRow } from "./fault-table.ts";
import { full, sized } from "./form.ts";
import { judge } from "./oracle.ts";

const withinMs = 5_000;
const resumedWithinMs = 30_000;

/** A stock client whose sockets can be broken from outside. */
function breakableClient(url: string) {
  const open = new Set<WebSocket>();
  let connections = 0;
  class Breakable extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols);
      connections += 1;
      open.add(this);
      this.on("close", () => open.delete(this));
      this.on("error", () => {});
    }
  }
  const WebSocketClass = Breakable as unknown as typeof globalThis.WebSocket;
  const socket = createWSClient({ url, WebSocket: WebSocketClass, retryDelayMs: () => 10 });
  const api = createTRPCClient<ChatRouter>({
    links: [wsLink({ client: socket, transformer: superjson })],
  });
  return {
    api,
    connections: () => connections,
    breakAll: () => {
      for (const one of open) one.terminate();
    },
    [Symbol.dispose]: () => void socket.close(),
  };
}

test("a crowd that reconnects again and again", async (context) => {
  const clientCount = sized({ short: 50, full: 500 });
  const rounds = 20;
  const reconnects = clientCount * rounds;
  const row = faultRow(
    context,
    `${full ? "10,000" : "1,000"} reconnects in 5 s: all resumed in 30 s`,
  );
  await using provider = await startMockProvider();
  await using folder = await temporaryFolder();
  await using server = await startChildServer({
    DATA_DIR: folder.path,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: "test-key",
  });
  const gate = Promise.withResolvers<void>();
  const pieces = Array.from({ length: 100 }, (_, index) => `${index} `);
  const steps = [...pieces.slice(0, 50), { until: gate.promise }, ...pieces.slice(50)];
  provider.answerAll({ steps, paceMs: 20 });
  const runId = randomUUID();
  const run = { runId, botId: "chat", conversationId: randomUUID(), message: runId };
  using undisturbed = wsClient(server.url);
  const log = read((options) => undisturbed.api.chat.send.subscribe(run, options));
  await log.until(({ type }) => type === "token");
  const clients = Array.from({ length: clientCount }, () => breakableClient(server.url));
  const readings = clients.map(({ api }) =>
    read((options) => api.chat.send.subscribe(run, options)),
  );
  await Promise.all(readings.map((reading) => reading.until(({ type }) => type === "token")));
  // Each round waits for the one before: a socket that is not back yet cannot break again.
  const startedAt = performance.now();
  const backs = clients.map(async (client) => {
    for (let round = 0; round < rounds; round++) {
      const before = client.connections();
      client.breakAll();
      await expect.poll(client.connections, { interval: 20 }).toBeGreaterThan(before);
      const due = ((round + 1) * withinMs) / rounds;
      const early = due - (performance.now() - startedAt);
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    }
  });
  await Promise.all(backs);
  gate.resolve();
  await Promise.all(readings.map(({ completed }) => completed));
  expect(performance.now() - startedAt).toBeLessThan(withinMs + resumedWithinMs);
  const readers = Object.fromEntries(
    readings.map(({ received }, index) => [`reader ${index}`, received]),
  );
  const transcript = await log.completed;
  const { calls } = provider;
  judge({
    runId,
    log: transcript,
    readers,
    provider: { calls: calls.length, text: pieces.join("") },
  });
  expect(server.complaints).toEqual([]);
  row.cases = clients.reduce((sum, client) => sum + client.connections() - 1, 0);
  expect(row.cases).toBeGreaterThanOrEqual(reconnects);
  for (const client of clients) client[Symbol.dispose]();
});
