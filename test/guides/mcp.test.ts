/** docs/guides/mcp.md, as written: a real stdio server's progress, numbers and files. */
import { expect, test } from "vitest";
import { startMockProvider } from "../support/mock-provider.ts";
import { withOwnInstall } from "../support/own-install.ts";
import { followGuide } from "./follow-guide.ts";

await withOwnInstall("ecosystem", "the guide to MCP", async () => {
  test("progress, structured content and files of a tool come to its reader", async () => {
    await using provider = await startMockProvider();
    provider.answer({ steps: [{ toolCall: "count_bottles", args: {} }] });
    provider.answer({ steps: ["There are ", "23 bottles."] });
    await using _guide = await followGuide("mcp", { env: { OPENAI_BASE_URL: provider.baseUrl } });
    expect(JSON.stringify(provider.calls[0]?.request.messages)).toContain("recommend the cider");
    expect(provider.calls[1]?.lastText).toContain("23 bottles");
  });
});
