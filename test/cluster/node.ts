/**
 * A node as a process of its own: it takes its settings as the first message, answers its port, and
 * leaves in order on SIGTERM.
 */
import { once } from "node:events";
import { type NodeSettings, startNode } from "./world.ts";

const [settings] = (await once(process, "message")) as [NodeSettings];
const { shutdownGraceMs = 1_000 } = settings;
const node = await startNode(settings);
process.send?.({ port: node.port });
process.once("disconnect", () => process.exit(0));
process.once("SIGTERM", async () => {
  await node.server.close(shutdownGraceMs);
  await node[Symbol.asyncDispose]();
  process.exit(0);
});
