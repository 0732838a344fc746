/** The agents out of packages that this folder installs. */
import { describe } from "vitest";

describe("deepagents", async () => void (await import("./deepagents.ts")));
describe("hand-overs", async () => void (await import("./hand-overs.ts")));
describe("MCP", async () => void (await import("./mcp.ts")));
