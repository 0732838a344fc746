/** How the parts of the AI SDK's messages end: with their run, without it, and when a chat stops reading. */
import { Chat } from "@ai-sdk/react";
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import {
  closeOpenParts,
  createChatTransport,
  type LangwireUIMessage,
} from "../../client/src/ai-sdk/index.ts";
import { UiChunks } from "../../client/src/ai-sdk/ui-chunks.ts";
import { createClient } from "../../client/src/index.ts";
import type { ChatEvent } from "../../client/src/types.ts";
import { defineBot } from "../../src/bots/bot.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { startScriptedServer } from "../client/scripted-server.ts";

/** A chat whose bot has called a tool, which is at work until the test has it finish, or the bot fail. */
async function begin() {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const working = Promise.withResolvers<string>();
  const work = tool(() => working.promise, { name: "work", description: "", schema: z.object({}) });
  const runnable = RunnableLambda.from(async (_input: unknown, config) => {
    const called = work.invoke({ type: "tool_call", id: "call", name: "work", args: {} }, config);
    return await Promise.race([called.then(({ content }) => content), failing.promise]);
  });
  const failing = Promise.withResolvers<never>();
  failing.promise.catch(() => {});
  const bot = { id: "chat", title: "Chat", description: "", runnable, expose: "tools" } as const;
  const server = stack.use(await startTestServer({ bots: [defineBot(bot)] }));
  const client = stack.use(createClient({ url: server.url }));
  const transport = createChatTransport({ client, botId: "chat" });
  const chat = new Chat<LangwireUIMessage>({ id: crypto.randomUUID(), transport });
  stack.defer(() => chat.dispose());
  const sent = chat.sendMessage({ text: "Work" });
  await expect.poll(() => toolIn(chat)?.state).toBe("input-available");
  const fail = () => failing.reject(new Error("no"));
  return { chat, client, transport, sent, finish: working.resolve, fail };
}

const toolIn = (chat: Chat<LangwireUIMessage>) =>
  chat.lastMessage?.parts.find((part) => part.type === "dynamic-tool");

test("a tool that was at work when its run was cancelled is an error in its part", async () => {
  const { chat, transport, sent } = await begin();
  await transport.cancel(chat.id);
  await sent;
  expect(chat.status).toBe("ready");
  expect(toolIn(chat)).toMatchObject({ state: "output-error", errorText: expect.any(String) });
  expect(chat.lastMessage?.metadata).toMatchObject({ status: "cancelled" });
});

test("and when its run failed, beside the error that the chat has", async () => {
  const { chat, sent, fail } = await begin();
  fail();
  await sent;
  expect(chat).toMatchObject({ status: "error", error: { code: "BOT_FAILED" } });
  expect(toolIn(chat)).toMatchObject({ state: "output-error", errorText: expect.any(String) });
  expect(chat.lastMessage?.metadata).toMatchObject({ status: "failed" });
});

test("of a chat that stopped reading the parts can be closed, and are anew when it resumes", async () => {
  const { chat, sent, finish } = await begin();
  await chat.stop();
  await sent;
  // The AI SDK takes nothing from a transport that was aborted, not even the ends of parts.
  expect(toolIn(chat)?.state).toBe("input-available");
  chat.messages = closeOpenParts(chat.messages);
  expect(toolIn(chat)).toMatchObject({ state: "output-error", toolName: "work", input: {} });
  const resumed = chat.resumeStream();
  await expect.poll(() => toolIn(chat)?.state).toBe("input-available");
  finish("worked");
  await resumed;
  expect(toolIn(chat)).toMatchObject({ state: "output-available" });
  expect(chat.messages).toHaveLength(2);
});

test("a message whose sender has left is not sent", async () => {
  const asked = vi.fn();
  const { client } = await startScriptedServer(asked);
  const transport = createChatTransport({ client, botId: "chat" });
  const chatId = crypto.randomUUID();
  const left = new Error("left");
  const sending = transport.sendMessages({
    ...{ chatId, trigger: "submit-message", messageId: undefined },
    messages: [{ id: "m", role: "user", parts: [{ type: "text", text: "Hi" }] }],
    abortSignal: AbortSignal.abort(left),
  });
  await expect(sending).rejects.toBe(left);
  expect(asked).not.toHaveBeenCalled();
  expect(client.connection.state).toBe("idle");
});

test("closing parts leaves alone what is closed, and messages where all is", () => {
  const text = { type: "text", text: "a", state: "streaming" } as const;
  const call = { type: "dynamic-tool", toolName: "t", toolCallId: "c", input: 1 } as const;
  const done = { ...call, state: "output-available", output: 2 } as const;
  const closed: LangwireUIMessage = { id: "1", role: "assistant", parts: [done] };
  const open: LangwireUIMessage = {
    ...{ id: "2", role: "assistant" },
    parts: [
      text,
      { ...text, type: "reasoning" },
      { ...done, preliminary: true },
      { ...call, state: "input-streaming", input: undefined },
      { type: "tool-own", toolCallId: "c", state: "input-available", input: 1 },
      done,
    ],
  };
  const [first, second] = closeOpenParts([closed, open]);
  expect(first).toBe(closed);
  expect(second?.parts).toMatchObject([
    { ...text, state: "done" },
    { ...text, type: "reasoning", state: "done" },
    { ...call, state: "output-error" },
    { ...call, state: "output-error", input: {} },
    { type: "tool-own", toolCallId: "c", state: "output-error", input: 1 },
    done,
  ]);
});

const runId = crypto.randomUUID();
const at = "2026-01-01T00:00:00.000Z";
const inSpan = { runId, spanId: "s" };

test("what a tool says that never began makes no chunk", () => {
  const chunks = new UiChunks();
  const ends: ChatEvent[] = [
    { type: "toolProgress", ...inSpan, text: "x" },
    { type: "toolEnd", ...inSpan, at, output: "x" },
  ];
  expect(ends.flatMap((event) => chunks.add(event))).toEqual([]);
});

test("events and endings that this client has not learnt are no error in the AI SDK's chat", async () => {
  const start = { type: "runStart", conversationId: "c", botId: "b", userId: "u", message: "m" };
  const strange = { type: "dance", figure: { steps: [1, 2] } };
  const events = [
    { ...start, runId, at },
    { ...strange, runId },
    { type: "token", ...inSpan, text: "Hello" },
    { ...strange, ...inSpan },
    { type: "runEnd", runId, at, status: "postponed", text: "Hello" },
  ];
  const { client } = await startScriptedServer((asked) => {
    for (const [index, event] of events.entries()) asked.event(index + 1, event);
  });
  const transport = createChatTransport({ client, botId: "chat" });
  const chat = new Chat<LangwireUIMessage>({ id: crypto.randomUUID(), transport });
  await chat.sendMessage({ text: "Hi" });
  expect(chat.error).toBeUndefined();
  expect(chat.lastMessage).toMatchObject({
    parts: [{ type: "step-start" }, { type: "text", text: "Hello", state: "done" }],
    metadata: { status: "postponed" },
  });
});
