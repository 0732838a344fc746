/** The server that is fuzzed, in a process of its own; it tells its parent what became of it. */
import { createLogger } from "../../src/server/logging/logger.ts";
import { startTestServer } from "../../src/testing/test-server.ts";
import { scriptedBot } from "./scripted-bot.ts";

export interface Report {
  readonly connections: number;
  readonly subscriptions: number;
  readonly liveRuns: number;
  /** Failures of the server's own, as it logged them. */
  readonly failures: readonly string[];
  /** What kept the loop busy longest in one turn, and for how long. */
  readonly longest: { readonly ms: number; readonly bytes: string };
}

const failures: string[] = [];
const logger = createLogger({
  level: "error",
  destination: { write: (line) => void failures.push(line) },
});
process.on("unhandledRejection", (cause) => failures.push(`unhandled: ${String(cause)}`));

const reply = { tokens: Array.from({ length: 20 }, (_, index) => `token ${index} `), paceMs: 5 };
const server = await startTestServer({ bots: [scriptedBot(() => reply)], logger });

let longest = { ms: 0, bytes: "" };

// Processor time of this thread and not the clock's: other programs make a clock late, too.
server.server.app.server.on("connection", (socket) => {
  socket.prependListener("data", (chunk: Buffer) => {
    const before = process.threadCpuUsage();
    setImmediate(() => {
      const { user, system } = process.threadCpuUsage(before);
      const ms = (user + system) / 1_000;
      if (ms > longest.ms) longest = { ms, bytes: chunk.toString("hex") };
    });
  });
});

process.on("message", (message) => {
  if (message === "forget") longest = { ms: 0, bytes: "" };
  const { connections } = server.server;
  const report: Report = {
    connections: connections.size,
    subscriptions: connections.subscriptions,
    liveRuns: server.langwire.runs.live.size,
    failures: failures.slice(0, 5),
    longest,
  };
  process.send?.(report);
});
process.on("disconnect", () => process.exit());
process.send?.({ port: server.port });
