/** The measured server, a process: the peer that is named, and what it costs. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Client } from "../clients/client.ts";
import { loadCommands } from "../load/load-commands.ts";
import { serveCommands } from "../parts/commands.ts";
import { startProfile, stopProfile } from "../parts/profiler.ts";
import type { BenchServer, BenchServerOptions, StartServer } from "./bench-server.ts";

const clients: Client[] = [];
const loopDelay = monitorEventLoopDelay({ resolution: 1 });
let server: BenchServer = {};

serveCommands({
  start: async ({ name, options }: { name: string; options: BenchServerOptions }) => {
    const { start } = (await import(`./${name}.ts`)) as { start: StartServer };
    server = await start(options);
    return server.url;
  },
  /** For what has no server: its clients are function calls. */
  connect: ({ count }: { count: number }) => {
    const { connect } = server;
    if (connect === undefined) throw new Error("this server has clients of its own");
    while (clients.length < count) clients.push(connect());
  },
  ...loadCommands(() => clients),
  usage: () => {
    const { user, system } = process.cpuUsage();
    return { cpuUs: user + system, wallUs: performance.now() * 1_000 };
  },
  /** Memory when all garbage is gone: what the process holds, and what of it is in use. */
  collectGarbage: async () => {
    for (let round = 0; round < 3; round++) {
      // As if memory had run out: else V8 keeps the room that it grew to for what is young.
      globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    return { residentBytes: rss, liveBytes: heapUsed + external };
  },
  resident: () => process.memoryUsage.rss(),
  startLoopDelay: () => {
    loopDelay.reset();
    loopDelay.enable();
  },
  /** @returns ms for which the event loop was held at the longest */
  stopLoopDelay: () => {
    loopDelay.disable();
    return loopDelay.max / 1e6;
  },
  startProfile,
  stopProfile,
});
