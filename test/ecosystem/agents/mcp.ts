/** Tools of a real MCP server on stdio, through @langchain/mcp-adapters. */
import { fileURLToPath } from "node:url";
import type { BaseMessage } from "@langchain/core/messages";
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { createAgent } from "langchain";
import { expect, test } from "vitest";
import { type ScriptedReply, scriptedModel } from "../../../src/testing/index.ts";
import { Conversation } from "../conversation.ts";

const args = [fileURLToPath(new URL("../mcp-server.ts", import.meta.url))];

async function agentOf(first: ScriptedReply) {
  const soda = { transport: "stdio" as const, command: process.execPath, args };
  const client = new MultiServerMCPClient({ mcpServers: { soda } });
  const tools = await client.getTools();
  const model = scriptedModel((messages: readonly BaseMessage[]) =>
    messages.at(-1)?.type === "tool" ? { tokens: ["Done: ", messages.at(-1)?.text ?? ""] } : first,
  );
  return {
    model,
    agent: createAgent({ model, tools }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

test("a tool of the server is a span, and its result is what the model gets", async () => {
  const call = { name: "look_up", args: { drink: "Soda" } };
  await using mcp = await agentOf({ tokens: ["Let me look. "], toolCalls: [call] });
  await using conversation = await Conversation.with(mcp.agent, { expose: "tools" });
  const seen = await conversation.send("Does soda fizz?");
  expect(seen.end).toMatchObject({ status: "completed", text: "Done: Soda fizzes." });
  expect(seen.live).toBe("Done: Soda fizzes.");
  expect(seen.of("toolStart")).toMatchObject([{ name: "look_up", input: { drink: "Soda" } }]);
  expect(seen.of("toolEnd")).toHaveLength(1);
  expect(JSON.stringify(seen.of("toolEnd"))).toContain("Soda fizzes.");
  const second = await conversation.send("And again?");
  expect(second.history[1]).toBe("Done: Soda fizzes.");
});

test("a tool that fails on the server ends its span with an error; its words stay in the log", async () => {
  await using mcp = await agentOf({ toolCalls: [{ name: "fail", args: {} }] });
  await using conversation = await Conversation.with(mcp.agent);
  const seen = await conversation.send("Try");
  expect(seen.of("error")[0]).toMatchObject({ source: "tool", code: "TOOL_FAILED" });
  expect(JSON.stringify(seen.of("error"))).not.toContain("SECRET");
});

test("stopped inside a tool: the answer is what was said, and the server may be used again", async () => {
  await using mcp = await agentOf({ tokens: ["Wait. "], toolCalls: [{ name: "wait", args: {} }] });
  await using conversation = await Conversation.with(mcp.agent);
  const seen = await conversation.stop("Wait", (reading) =>
    reading.until(({ type }) => type === "toolStart"),
  );
  expect(seen.end).toMatchObject({ status: "cancelled", text: "Wait. " });
  expect(seen.live).toBe("Wait. ");
});
