import { expect, test } from "vitest";
import type { Span } from "../../client/src/react/index.ts";
import { isReady, open, texts, until } from "./open-chat.ts";
import { gate, setUp } from "./setting.ts";

const flat = (spans: readonly Span[]): Span[] =>
  spans.flatMap((span) => [span, ...flat(span.children)]);

test("a new conversation begins with its first message, which is shown at once", async () => {
  const { client } = await setUp([{ tokens: ["Hel", "lo"] }]);
  const { chat } = open(client);
  expect(chat.getState()).toMatchObject({ status: "loading", messages: [] });
  await until(chat, isReady);

  const ended = chat.send("Hi");
  expect(chat.getState()).toMatchObject({
    status: "submitted",
    messages: [{ role: "human", text: "Hi", status: "sending" }],
  });
  expect(await ended).toMatchObject({ status: "completed" });
  const state = await until(chat, isReady);
  expect(texts(state)).toEqual(["human: Hi", "ai: Hello"]);
  expect(state.messages).toMatchObject([
    { status: "sent", userId: "local" },
    { status: "completed", usage: { outputTokens: 2 }, spans: [{ kind: "llm", text: "Hello" }] },
  ]);
});

test("a message that is sent before the chat has loaded is no different", async () => {
  const { client } = await setUp([{ tokens: ["Hello"] }]);
  const { chat } = open(client);
  await chat.send("Hi");
  expect(texts(await until(chat, isReady))).toEqual(["human: Hi", "ai: Hello"]);
});

test("an answer is shown while it is made, and its messages keep their identity", async () => {
  const { passed, open: finish } = gate();
  const { client } = await setUp([{ tokens: ["One"], until: passed }, { tokens: ["Two"] }]);
  const { chat } = open(client);
  void chat.send("first");
  const streaming = await until(chat, ({ messages }) => messages[1]?.text === "One");
  expect(streaming).toMatchObject({
    status: "streaming",
    messages: [{ status: "sent" }, { status: "streaming", spans: [{ status: "running" }] }],
  });
  finish();
  const first = await until(chat, isReady);
  void chat.send("second");
  const second = await until(chat, (state) => isReady(state) && state.messages.length === 4);
  // What did not change is the same object, so that whoever draws it can leave it alone.
  expect(second.messages.slice(0, 2)).toEqual(first.messages);
  expect(second.messages[1]).toBe(first.messages[1]);
  expect(second.messages[0]).toBe(first.messages[0]);
});

test("a chat that opens in mid-answer has the history and the answer from its start", async () => {
  const { passed, open: finish } = gate();
  const { client, connect } = await setUp((call) =>
    call === 0 ? { tokens: ["Old"] } : { tokens: ["New", " answer"], until: passed },
  );
  const { chat } = open(client);
  const { conversationId } = chat;
  await chat.send("one");
  void chat.send("two");
  await until(chat, ({ messages }) => messages[3]?.text === "New answer");

  const later = open(connect(), { conversationId });
  const state = await until(later.chat, ({ messages }) => messages[3]?.text === "New answer");
  expect(texts(state)).toEqual(["human: one", "ai: Old", "human: two", "ai: New answer"]);
  expect(state.status).toBe("streaming");
  finish();
  await until(later.chat, isReady);
  expect(texts(later.chat.getState())).toEqual(texts(state));
});

test("what somebody else writes appears, and either may stop it", async () => {
  const { client, connect } = await setUp([{ tokens: ["Never"], until: new Promise(() => {}) }]);
  const { chat } = open(client);
  const { conversationId } = chat;
  await client.conversations.create({ conversationId, botId: "chat" });
  await client.conversations.share({ conversationId });
  const friend = connect({ userId: "friend" });
  await friend.conversations.join({ conversationId });
  const theirs = open(friend, { conversationId }).chat;
  await until(theirs, isReady);

  void chat.send("Hi");
  const seen = await until(theirs, ({ messages }) => messages[1]?.text === "Never");
  expect(seen.messages[0]).toMatchObject({ userId: "local" });
  await theirs.stop();
  const stopped = await until(chat, isReady);
  expect(stopped.messages[1]).toMatchObject({ status: "cancelled", text: "Never" });
  expect(stopped.error).toBeUndefined();
});

test("a message that is still on its way can be stopped", async () => {
  const { client } = await setUp([{ tokens: ["Never"], until: new Promise(() => {}) }]);
  const { chat } = open(client);
  const ended = chat.send("Hi");
  await chat.stop();
  expect(await ended).toMatchObject({ status: "cancelled" });
  expect((await until(chat, isReady)).error).toBeUndefined();
});

test("a refused message stays, with the reason, until it is sent again", async () => {
  const { client } = await setUp([{ tokens: ["Hello"] }]);
  const { chat } = open(client);
  await until(chat, isReady);
  await expect(chat.send("x".repeat(200_000))).rejects.toMatchObject({ code: "BAD_INPUT" });
  const refused = await until(chat, isReady);
  expect(refused).toMatchObject({
    messages: [{ role: "human", status: "refused", error: { code: "BAD_INPUT" } }],
    error: { code: "BAD_INPUT" },
  });
  await expect(chat.regenerate()).rejects.toMatchObject({ code: "BAD_INPUT" });
  expect(chat.getState().messages).toHaveLength(1);
});

test("a failed run says why, and the message can be sent once more", async () => {
  const { client } = await setUp((call) =>
    call === 0 ? { tokens: ["Half"], error: new Error("no") } : { tokens: ["Whole"] },
  );
  const { chat } = open(client);
  await chat.send("Hi");
  const failed = await until(chat, isReady);
  expect(failed).toMatchObject({
    error: { code: "PROVIDER_ERROR" },
    messages: [{}, { status: "failed", text: "Half", spans: [{ status: "failed" }] }],
  });
  await chat.regenerate();
  const state = await until(chat, (now) => isReady(now) && now.messages.length === 4);
  expect(texts(state)).toEqual(["human: Hi", "ai: Half", "human: Hi", "ai: Whole"]);
  expect(state.error).toBeUndefined();
});

test("an agent's run is a tree of spans, in their order, with what they took", async () => {
  const { client } = await setUp([
    { tokens: ["Hm."], toolCalls: [{ name: "calculator", args: { expression: "6*7" } }] },
    { tokens: ["42"] },
  ]);
  const { chat } = open(client, { botId: "agent" });
  await chat.send("6*7?");
  const { messages } = await until(chat, isReady);
  const answer = messages[1];
  if (answer?.role !== "ai") throw new Error("there is no answer");
  const spans = flat(answer.spans);
  expect(answer).toMatchObject({ text: "42", status: "completed" });
  expect(spans[0]).toMatchObject({ kind: "chain", status: "done" });
  const steps = spans.filter(({ kind }) => kind !== "chain");
  expect(steps).toMatchObject([
    { kind: "llm", status: "done", usage: { outputTokens: 2 } },
    { kind: "tool", status: "done", name: "calculator", output: expect.anything() },
    { kind: "llm", status: "done", text: "42" },
  ]);
});

test("many tokens are few notices", async () => {
  const words = Array.from({ length: 1_000 }, (_, index) => `w${index} `);
  const { client } = await setUp([{ tokens: words }]);
  const { chat, states } = open(client);
  await chat.send("Go");
  const { messages } = await until(chat, isReady);
  expect(messages[1]?.text).toBe(words.join(""));
  expect(states.length).toBeLessThan(words.length / 2);
});

test("who listens no more follows no more, and who comes back has missed nothing", async () => {
  const { passed, open: finish } = gate();
  const { client } = await setUp([{ tokens: ["Half"], until: passed }, { tokens: ["More"] }]);
  const { chat, close } = open(client);
  const { conversationId } = chat;
  const ended = chat.send("Hi");
  await until(chat, ({ messages }) => messages[1]?.text === "Half");
  close();
  finish();
  await ended;
  const run = client.send({ botId: "chat", conversationId, message: "Meanwhile" });
  await run.text;
  const state = await until(chat, ({ messages }) => messages[3]?.text === "More");
  expect(texts(state)).toEqual(["human: Hi", "ai: Half", "human: Meanwhile", "ai: More"]);
  expect(state.messages[1]).toMatchObject({ status: "completed" });
});

test("earlier messages come when they are asked for", async () => {
  const { client } = await setUp((_call, message) => ({ tokens: [message.toUpperCase()] }));
  const conversationId = crypto.randomUUID();
  for (let index = 0; index < 30; index++) {
    await client.send({ botId: "chat", conversationId, message: `m${index}` }).text;
  }
  const { chat } = open(client, { conversationId });
  const first = await until(chat, ({ status }) => status === "ready");
  expect(first).toMatchObject({ hasEarlier: true });
  expect(first.messages).toHaveLength(50);
  await chat.loadEarlier();
  const all = await until(chat, ({ hasEarlier }) => !hasEarlier);
  expect(all.messages.filter(({ role }) => role === "ai").map(({ text }) => text)).toEqual(
    Array.from({ length: 30 }, (_, index) => `M${index}`),
  );
});

test("a conversation that one is shut out of says so", async () => {
  const { client, connect } = await setUp([{ tokens: ["Hello"] }]);
  const { chat } = open(client);
  const { conversationId } = chat;
  await chat.send("Hi");
  await client.conversations.share({ conversationId });
  const friend = connect({ userId: "friend" });
  await friend.conversations.join({ conversationId });
  const theirs = open(friend, { conversationId }).chat;
  await until(theirs, ({ messages }) => messages.length === 2);
  await client.conversations.unshare({ conversationId });
  expect(await until(theirs, ({ error }) => error !== undefined)).toMatchObject({
    error: { code: "NOT_FOUND" },
    messages: [{ text: "Hi" }, { text: "Hello" }],
  });
});
