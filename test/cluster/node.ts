/** A node as a process of its own: it takes its settings as the first message, answers its port. */
import { once } from "node:events";
import { type NodeSettings, startNode } from "./world.ts";

const [settings] = (await once(process, "message")) as [NodeSettings];
const server = await startNode(settings);
process.send?.({ port: server.port });
process.once("disconnect", () => process.exit(0));
