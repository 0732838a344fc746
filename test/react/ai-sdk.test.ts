/** The transport under the AI SDK's own `Chat`, which is what its `useChat` is made of. */
import { Chat } from "@ai-sdk/react";
import { createElement, Fragment, StrictMode } from "react";
import { expect, onTestFinished, test } from "vitest";
import {
  createChatTransport,
  type LangwireUIMessage,
  toUIMessages,
} from "../../client/src/ai-sdk/index.ts";
import type { LangwireClient } from "../../client/src/index.ts";
import { createClient } from "../../client/src/index.ts";
import { defineBot } from "../../src/bots/bot.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { mount } from "./browser.ts";
import { gate, type Setting, setUp } from "./setting.ts";

function open(client: LangwireClient, options: { id?: string; botId?: string } = {}) {
  const { id = crypto.randomUUID(), botId = "chat" } = options;
  const transport = createChatTransport({ client, botId });
  const chat = new Chat<LangwireUIMessage>({ id, transport });
  onTestFinished(() => chat.dispose());
  return chat;
}

const textOf = (message: LangwireUIMessage | undefined) =>
  message?.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");

const typesOf = (message: LangwireUIMessage | undefined) =>
  message?.parts.map(({ type }) => type) ?? [];

test("a message is answered; its parts and what it cost are where the AI SDK has them", async () => {
  const { client } = await setUp([{ tokens: ["Hel", "lo"] }]);
  const chat = open(client);
  await chat.sendMessage({ text: "Hi" });
  expect(chat.error).toBeUndefined();
  expect(chat.status).toBe("ready");
  expect(chat.messages).toMatchObject([
    { role: "user", parts: [{ text: "Hi" }] },
    {
      role: "assistant",
      parts: [{ type: "step-start" }, { type: "text", text: "Hello", state: "done" }],
      metadata: { status: "completed", usage: { outputTokens: 2 } },
    },
  ]);
});

test("a tool call is a part of its own, between what was said", async () => {
  const { client } = await setUp([
    { tokens: ["Hm."], toolCalls: [{ name: "calculator", args: { expression: "6*7" } }] },
    { tokens: ["It is 42."] },
  ]);
  const chat = open(client, { botId: "agent" });
  await chat.sendMessage({ text: "6*7?" });
  const answer = chat.lastMessage;
  expect(typesOf(answer)).toEqual(["step-start", "text", "dynamic-tool", "text"]);
  expect(answer?.parts[2]).toMatchObject({
    toolName: "calculator",
    state: "output-available",
    input: expect.anything(),
    output: expect.anything(),
  });
});

test("an answer that was made is the one that the history gives", async () => {
  const { client } = await setUp([
    { tokens: ["Hm."], toolCalls: [{ name: "calculator", args: { expression: "6*7" } }] },
    { tokens: ["It is ", "42."] },
  ]);
  const chat = open(client, { botId: "agent" });
  await chat.sendMessage({ text: "6*7?" });
  const { items } = await client.conversations.messages({ conversationId: chat.id });
  const [human, answer] = toUIMessages(items);
  expect(answer).toEqual(chat.lastMessage);
  expect(human?.parts).toEqual(chat.messages[0]?.parts);
});

test("a tool that fails says so", async () => {
  const { tool } = await import("langchain");
  const { createAgent } = await import("langchain");
  const { scriptedModel } = await import("../../src/testing/index.ts");
  const broken = tool(
    () => {
      throw new Error("out of order");
    },
    { name: "broken", description: "Fails." },
  );
  const model = scriptedModel([{ toolCalls: [{ name: "broken", args: {} }] }, { tokens: ["Ah."] }]);
  const bot = defineBot({
    id: "chat",
    title: "Chat",
    description: "Has a broken tool.",
    runnable: createAgent({ model, tools: [broken] }),
    expose: "tools",
  });
  await using server = await startTestServer({ bots: [bot] });
  await using client = createClient({ url: server.url });
  const chat = open(client);
  await chat.sendMessage({ text: "Try" });
  const part = chat.lastMessage?.parts.find(({ type }) => type === "dynamic-tool");
  expect(part).toMatchObject({ state: "output-error", errorText: expect.any(String) });
});

test("cancelling stops the run for everybody, and what was said stays", async () => {
  const { client } = await setUp([{ tokens: ["Half"], until: new Promise(() => {}) }]);
  const transport = createChatTransport({ client, botId: "chat" });
  const chat = new Chat<LangwireUIMessage>({ id: crypto.randomUUID(), transport });
  onTestFinished(() => chat.dispose());
  const sent = chat.sendMessage({ text: "Hi" });
  await expect.poll(() => textOf(chat.lastMessage)).toBe("Half");
  await transport.cancel(chat.id);
  await sent;
  expect(chat.status).toBe("ready");
  expect(textOf(chat.lastMessage)).toBe("Half");
  const { items } = await client.conversations.messages({ conversationId: chat.id });
  expect(items.at(-1)).toMatchObject({ role: "ai", status: "cancelled", text: "Half" });
  await transport.cancel(chat.id);
});

test("whoever stops reading leaves the run running: a component that goes away stops as well", async () => {
  const { passed, open: finish } = gate();
  const { client } = await setUp([{ tokens: ["Half"], until: passed }]);
  const chat = open(client);
  const sent = chat.sendMessage({ text: "Hi" });
  await expect.poll(() => textOf(chat.lastMessage)).toBe("Half");
  await chat.stop();
  await sent;
  expect(chat.status).toBe("ready");
  expect(textOf(chat.lastMessage)).toBe("Half");
  const { runningRunId = "" } = await client.conversations.get({ conversationId: chat.id });
  finish();
  expect(await client.follow({ runId: runningRunId }).ended).toMatchObject({ status: "completed" });
});

test("a failed run is an error with its code, after what was said", async () => {
  const { client } = await setUp([{ tokens: ["Half"], error: new Error("no") }]);
  const chat = open(client);
  await chat.sendMessage({ text: "Hi" });
  expect(chat.status).toBe("error");
  expect(chat.error).toMatchObject({ code: "PROVIDER_ERROR", partialText: "Half" });
  expect(textOf(chat.lastMessage)).toBe("Half");
});

test("a refused message is an error with its code", async () => {
  const { client } = await setUp([{ tokens: ["Hello"] }]);
  const chat = open(client, { botId: "nobody" });
  await chat.sendMessage({ text: "Hi" });
  expect(chat.error).toMatchObject({ code: "NOT_FOUND" });
});

test("regenerating is a new run in place of the old answer", async () => {
  const { client } = await setUp([{ tokens: ["One"] }, { tokens: ["Two"] }]);
  const chat = open(client);
  await chat.sendMessage({ text: "Hi" });
  const first = chat.lastMessage?.id;
  await chat.regenerate();
  expect(chat.messages.map(textOf)).toEqual(["Hi", "Two"]);
  expect(chat.lastMessage?.id).not.toBe(first);
});

/** A chat in another window, on a conversation in mid-answer. */
async function openElsewhere({ client, connect }: Setting) {
  const id = crypto.randomUUID();
  const run = client.send({ botId: "chat", conversationId: id, message: "Hi" });
  for await (const { type } of run) if (type === "token") break;
  const other = connect();
  const { items } = await other.conversations.messages({ conversationId: id });
  const transport = createChatTransport({ client: other, botId: "chat" });
  const chat = new Chat<LangwireUIMessage>({ id, transport, messages: toUIMessages(items) });
  onTestFinished(() => chat.dispose());
  return { chat, run, transport };
}

test("resuming in mid-answer brings all of it, twice in a row as well", async () => {
  const { passed, open: finish } = gate();
  const setting = await setUp([{ tokens: ["Half"], until: passed }]);
  const { chat, run } = await openElsewhere(setting);
  const first = chat.resumeStream();
  await expect.poll(() => textOf(chat.lastMessage)).toBe("Half");
  const second = chat.resumeStream();
  await first;
  finish();
  await second;
  expect(chat.messages.map(textOf)).toEqual(["Hi", "Half"]);
  expect(chat.lastMessage).toMatchObject({ id: run.id, metadata: { status: "completed" } });

  await chat.resumeStream();
  expect(chat.status).toBe("ready");
});

test("a run that a chat has left can still be cancelled by it", async () => {
  const { client } = await setUp([{ tokens: ["Half"], until: new Promise(() => {}) }]);
  const transport = createChatTransport({ client, botId: "chat" });
  const chat = new Chat<LangwireUIMessage>({ id: crypto.randomUUID(), transport });
  onTestFinished(() => chat.dispose());
  const sent = chat.sendMessage({ text: "Hi" });
  await expect.poll(() => textOf(chat.lastMessage)).toBe("Half");
  await chat.stop();
  await sent;
  await transport.cancel(chat.id);
  const { items } = await client.conversations.messages({ conversationId: chat.id });
  expect(items.at(-1)).toMatchObject({ role: "ai", status: "cancelled" });
});

test("an answer that was resumed can be cancelled", async () => {
  const setting = await setUp([{ tokens: ["Half"], until: new Promise(() => {}) }]);
  const { chat, run, transport } = await openElsewhere(setting);
  const resumed = chat.resumeStream();
  await expect.poll(() => textOf(chat.lastMessage)).toBe("Half");
  await transport.cancel(chat.id);
  await resumed;
  expect(await run.ended).toMatchObject({ status: "cancelled" });
});

test("a reset takes back one model's text and leaves the others'", async () => {
  const { UiChunks } = await import("../../client/src/ai-sdk/ui-chunks.ts");
  const runId = crypto.randomUUID();
  const at = new Date().toISOString();
  const chunks = new UiChunks();
  const model = (spanId: string) =>
    ({ type: "llmStart", runId, spanId, at, name: "model" }) as const;
  const says = (spanId: string, text: string) => ({ type: "token", runId, spanId, text }) as const;
  const events = [model("a"), model("b"), says("a", "wrong"), says("b", "right")] as const;
  for (const event of events) chunks.add(event);
  expect(chunks.add({ type: "reset", runId, spanId: "a" })).toEqual([
    { type: "reset-step" },
    { type: "text-start", id: "0" },
    { type: "text-delta", id: "0", delta: "right" },
  ]);
  expect(chunks.add(says("a", "better"))[0]).toEqual({ type: "text-start", id: "1" });
});

test("a tool's progress is a preliminary output with all that it has said so far", async () => {
  const { UiChunks } = await import("../../client/src/ai-sdk/ui-chunks.ts");
  const runId = crypto.randomUUID();
  const at = new Date().toISOString();
  const inTool = { runId, spanId: "tool" } as const;
  const chunks = new UiChunks();
  chunks.add({ type: "toolStart", ...inTool, at, name: "work", toolCallId: "call" });
  const outputs = (
    [
      { type: "toolProgress", ...inTool, text: "Nearly " },
      { type: "toolProgress", ...inTool, text: "there." },
      { type: "toolProgress", ...inTool, data: { percent: 75 } },
      { type: "toolUpdate", ...inTool, data: { percent: 80 } },
    ] as const
  ).flatMap((event) => chunks.add(event));
  expect(outputs).toMatchObject(
    ["Nearly ", "Nearly there.", { percent: 75 }, { percent: 80 }].map((output) => ({
      type: "tool-output-available",
      toolCallId: "call",
      preliminary: true,
      output,
    })),
  );
});

test.each([
  ["what no model said", "It is 42.", ["text-start", "text-delta", "text-end"]],
  ["what the newest model said", "Two.", []],
  ["what another one said", "One.", []],
])("an answer at the end that is %s", async (_what, text, expected) => {
  const { UiChunks } = await import("../../client/src/ai-sdk/ui-chunks.ts");
  const runId = crypto.randomUUID();
  const at = new Date().toISOString();
  const chunks = new UiChunks();
  chunks.add({ type: "token", runId, spanId: "a", text: "One." });
  chunks.add({ type: "llmEnd", runId, spanId: "a", at });
  chunks.add({ type: "token", runId, spanId: "b", text: "Two." });
  chunks.add({ type: "llmEnd", runId, spanId: "b", at });
  const end = chunks.add({ type: "runEnd", runId, at, status: "completed", text });
  expect(end.map(({ type }) => type)).toEqual([...expected, "finish"]);
});

test("an event that this client has not learnt makes no chunk", async () => {
  const { UiChunks } = await import("../../client/src/ai-sdk/ui-chunks.ts");
  const unknown = { type: "dance", runId: crypto.randomUUID(), spanId: "a" };
  expect(new UiChunks().add(unknown as never)).toEqual([]);
});

test("useChat itself, in strict mode, takes up the answer that is being made", async () => {
  const { passed, open: finish } = gate();
  const { client, connect } = await setUp([{ tokens: ["Half"], until: passed }]);
  const id = crypto.randomUUID();
  const run = client.send({ botId: "chat", conversationId: id, message: "Hi" });
  for await (const { type } of run) if (type === "token") break;

  const { useChat } = await import("@ai-sdk/react");
  const transport = createChatTransport({ client: connect(), botId: "chat" });
  function View() {
    const { messages, status } = useChat<LangwireUIMessage>({ id, transport, resume: true });
    return createElement(Fragment, null, `<${status}> ${messages.map(textOf).join(" | ")}`);
  }
  const page = mount(createElement(StrictMode, null, createElement(View)));
  await page.shows("<streaming> Half");
  finish();
  await page.shows("<ready> Half");
  expect(await run.ended).toMatchObject({ status: "completed" });
});
