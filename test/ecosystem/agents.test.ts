import { withEcosystem } from "./installed.ts";

await withEcosystem(
  "agents of deepagents, supervisor, swarm and MCP",
  () => import("./agents/agents.ts"),
);
