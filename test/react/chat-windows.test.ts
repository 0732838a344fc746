/** Several windows on one conversation, and one that was away: each shows what the server has, in its order. */

import { expect, onTestFinished, test, vi } from "vitest";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { isReady, open, texts, until } from "./open-chat.ts";
import { gate, setUp } from "./setting.ts";

test("a conversation that has not begun appears in every window when it begins", async () => {
  const { client, connect } = await setUp((_call, message) => ({ tokens: [`re ${message}`] }));
  const one = open(client).chat;
  const { conversationId } = one;
  const two = open(connect(), { conversationId }).chat;
  const stranger = open(connect({ userId: "stranger" }), { conversationId }).chat;
  for (const chat of [one, two, stranger]) await until(chat, isReady);
  await one.send("hi");
  const seen = await until(two, (state) => isReady(state) && state.messages.length === 2);
  expect(texts(seen)).toEqual(["human: hi", "ai: re hi"]);
  await two.send("and you?");
  const answered = await until(one, (state) => isReady(state) && state.messages.length === 4);
  expect(texts(answered).slice(2)).toEqual(["human: and you?", "ai: re and you?"]);
  for (const chat of [one, two]) expect(chat.getState().error).toBeUndefined();
  expect(stranger.getState()).toMatchObject({ status: "ready", messages: [], error: undefined });
});

test.each([
  ["is refused because it had not begun", true],
  ["is accepted only when its answer is over", false],
])("a first message, while the watch that was asked for before %s", async (_what, isEarly) => {
  const { client, server } = await setUp([{ tokens: ["Hello"] }]);
  const { runs } = server.langwire;
  const watch = runs.watch.bind(runs);
  const asked = gate();
  const accepted = gate();
  vi.spyOn(runs, "watch").mockImplementationOnce(async (...args) => {
    const early = isEarly ? watch(...args) : undefined;
    await Promise.allSettled([early]);
    asked.open();
    await accepted.passed;
    return early ?? watch(...args);
  });
  const { chat } = open(client);
  await asked.passed;
  const sent = chat.send("Hi");
  if (isEarly) await until(chat, ({ messages }) => messages[0]?.status === "sent");
  // Whatever the chat does meanwhile, it does not wait for this answer.
  else await sent;
  accepted.open();
  const state = await until(
    chat,
    ({ status, messages }) => status === "ready" && messages.length === 2,
  );
  expect(texts(state)).toEqual(["human: Hi", "ai: Hello"]);
  expect(state.error).toBeUndefined();
});

test("who was shut out and is back hears of an answer that was over before the new watch was accepted", async () => {
  const { client, connect, server } = await setUp([{ tokens: ["Hello"] }]);
  const { conversationId } = await client.conversations.create({ botId: "chat" });
  const friend = connect({ userId: "friend" });
  const enter = async () => {
    await client.conversations.share({ conversationId });
    await friend.conversations.join({ conversationId });
  };
  await enter();
  const { chat } = open(friend, { conversationId });
  await until(chat, isReady);
  await client.conversations.unshare({ conversationId });
  await until(chat, ({ error }) => error?.code === "NOT_FOUND");
  await enter();

  const { runs } = server.langwire;
  const watch = runs.watch.bind(runs);
  const asked = gate();
  const accepted = gate();
  vi.spyOn(runs, "watch").mockImplementationOnce(async (...args) => {
    asked.open();
    await accepted.passed;
    return watch(...args);
  });
  onTestFinished(chat.subscribe(() => {}));
  await asked.passed;
  await chat.send("Hi");
  accepted.open();
  const state = await until(
    chat,
    ({ messages, status }) => status === "ready" && messages.length === 2,
  );
  expect(texts(state)).toEqual(["human: Hi", "ai: Hello"]);
  expect(state.error).toBeUndefined();
});

test("who looks again hears of an answer that was over before the new watch was accepted", async () => {
  const { client, server } = await setUp([{ tokens: ["Hello"] }]);
  const { conversationId } = await client.conversations.create({ botId: "chat" });
  const { chat, close } = open(client, { conversationId });
  await until(chat, isReady);
  close();
  await expect.poll(() => server.server.connections.subscriptions).toBe(0);
  const { runs } = server.langwire;
  const watch = runs.watch.bind(runs);
  const asked = gate();
  const accepted = gate();
  vi.spyOn(runs, "watch").mockImplementationOnce(async (...args) => {
    asked.open();
    await accepted.passed;
    return watch(...args);
  });
  onTestFinished(chat.subscribe(() => {}));
  await asked.passed;
  await chat.send("Hi");
  accepted.open();
  const state = await until(chat, (now) => isReady(now) && now.messages.length === 2);
  expect(texts(state)).toEqual(["human: Hi", "ai: Hello"]);
});

test("what was said since the messages that a page began with is read", async () => {
  const { client } = await setUp((_call, message) => ({ tokens: [`re ${message}`] }));
  const conversationId = crypto.randomUUID();
  await client.send({ botId: "chat", conversationId, message: "1" }).ended;
  const { items: initialMessages } = await client.conversations.messages({ conversationId });
  await client.send({ botId: "chat", conversationId, message: "2" }).ended;
  const { chat } = open(client, { conversationId, initialMessages });
  const state = await until(chat, ({ messages }) => messages.length === 4);
  expect(texts(state)).toEqual(["human: 1", "ai: re 1", "human: 2", "ai: re 2"]);
});

test("the history is read when the watch is accepted, not before: a run between the two would be in neither", async () => {
  const { client, server } = await setUp(() => ({ tokens: ["Hello"] }));
  const { runs, store } = server.langwire;
  const { conversationId } = await client.conversations.create({ botId: "chat" });
  const watch = runs.watch.bind(runs);
  const asked = gate();
  const accepted = gate();
  vi.spyOn(runs, "watch").mockImplementationOnce(async (...args) => {
    asked.open();
    await accepted.passed;
    return watch(...args);
  });
  const read = vi.spyOn(store.conversations, "messages");
  const { chat } = open(client, { conversationId });
  await asked.passed;
  await client.send({ botId: "chat", conversationId, message: "Hi" }).ended;
  // By then a history that was asked for with the watch would have been read.
  await client.bots.list();
  expect(read).not.toHaveBeenCalled();
  accepted.open();
  expect(texts(await until(chat, isReady))).toEqual(["human: Hi", "ai: Hello"]);
});

test("after a reconnect messages stand as the log has them, not as they came", async () => {
  const { server, connect, client } = await setUp((_call, message) => ({
    tokens: [`re ${message}`],
  }));
  await using proxy = await startTcpProxy({ port: server.port });
  const away = connect({ url: `ws://127.0.0.1:${proxy.port}/trpc` });
  const { chat } = open(away);
  const { conversationId } = chat;
  await chat.send("0");
  await until(chat, isReady);
  proxy.refuse();
  proxy.cut();
  for (const message of ["1", "2"]) {
    await client.send({ botId: "chat", conversationId, message }).ended;
  }
  // The watch is answered only when what was written offline has been accepted, and has ended.
  const { runs } = server.langwire;
  const watch = runs.watch.bind(runs);
  const answered = gate();
  vi.spyOn(runs, "watch").mockImplementation(async (...args) => {
    await answered.passed;
    return watch(...args);
  });
  const sent = chat.send("3");
  proxy.accept();
  await sent;
  await until(
    chat,
    ({ messages }) => messages.at(-2)?.text === "3" || messages.at(-1)?.text === "3",
  );
  answered.open();
  const state = await until(chat, (now) => isReady(now) && now.messages.length === 8);
  const { items } = await client.conversations.messages({ conversationId });
  expect(texts(state)).toEqual(items.map(({ role, text }) => `${role}: ${text}`));
  expect(texts(state).filter((text) => text.startsWith("human"))).toEqual(
    ["0", "1", "2", "3"].map((message) => `human: ${message}`),
  );
});

test("a refused message stays below what was there when it was refused, and above what follows", async () => {
  const { client, connect } = await setUp((_call, message) => ({ tokens: [`re ${message}`] }));
  const { chat } = open(client);
  const { conversationId } = chat;
  await chat.send("1");
  await until(chat, isReady);
  await expect(chat.send("x".repeat(200_000))).rejects.toMatchObject({ code: "BAD_INPUT" });
  await connect().send({ botId: "chat", conversationId, message: "2" }).ended;
  const state = await until(chat, (now) => isReady(now) && now.messages.length === 5);
  expect(state.messages.map(({ text }) => text.slice(0, 4))).toEqual([
    "1",
    "re 1",
    "xxxx",
    "2",
    "re 2",
  ]);
});

test("earlier messages asked for twice at once come once", async () => {
  const { client } = await setUp(() => ({ tokens: ["x"] }));
  const conversationId = crypto.randomUUID();
  for (let index = 0; index < 52; index++) {
    await client.send({ botId: "chat", conversationId, message: `m${index}` }).text;
  }
  const { chat } = open(client, { conversationId });
  await until(chat, ({ hasEarlier }) => hasEarlier);
  const asked = vi.spyOn(client.conversations, "messages");
  await Promise.all([chat.loadEarlier(), chat.loadEarlier()]);
  expect(asked).toHaveBeenCalledTimes(1);
  const { messages } = await until(chat, (state) => state.messages.length > 50);
  expect(messages).toHaveLength(100);
  expect(new Set(messages.map(({ id }) => id)).size).toBe(100);
});
