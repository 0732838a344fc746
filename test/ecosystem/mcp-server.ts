/** A server of the Model Context Protocol on stdio, started by the tests as people start theirs. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "soda", version: "1.0.0" });

server.registerTool(
  "look_up",
  { description: "Looks a drink up", inputSchema: { drink: z.string() } },
  async ({ drink }, { _meta, sendNotification }) => {
    const progressToken = _meta?.progressToken;
    if (progressToken !== undefined) {
      const params = { progressToken, progress: 1, total: 2, message: "half way" };
      await sendNotification({ method: "notifications/progress", params });
    }
    return { content: [{ type: "text", text: `${drink} fizzes.` }] };
  },
);

server.registerTool("fail", { description: "Fails", inputSchema: {} }, async () => ({
  isError: true,
  content: [{ type: "text", text: "The SECRET cellar is flooded." }],
}));

server.registerTool(
  "wait",
  { description: "Waits until it is told that nobody waits any more", inputSchema: {} },
  async (_input, { signal }) => {
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    process.stderr.write("cancelled\n");
    return { content: [{ type: "text", text: "cancelled" }] };
  },
);

await server.connect(new StdioServerTransport());
