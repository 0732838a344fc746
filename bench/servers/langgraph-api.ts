/** LangGraph's API server, in memory: the same model in a graph of one node. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "@langchain/langgraph-api/server";
import type { StartServer } from "./bench-server.ts";
import { settings } from "./langgraph-graph.ts";

/** As many jobs as runs at once: the ten that its command line starts would be the limit. */
const workers = 1_000;

export const start: StartServer = async (options) => {
  settings.options = options;
  const cwd = mkdtempSync(join(tmpdir(), "langgraph-bench-"));
  process.once("exit", () => rmSync(cwd, { recursive: true, force: true }));
  const { host } = await startServer({
    host: "127.0.0.1",
    port: 0,
    nWorkers: workers,
    cwd,
    graphs: { chat: `${join(import.meta.dirname, "langgraph-graph.ts")}:graph` },
  });
  return { url: `http://${host}` };
};
