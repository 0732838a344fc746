/** What a chat shows of a server that refuses to be read, for a moment or for longer. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, onTestFinished, test, vi } from "vitest";
import { Delay } from "../../client/src/connection/backoff.ts";
import { createClient, LangwireClientError } from "../../client/src/index.ts";
import { retry } from "../../client/src/react/retry.ts";
import { defineBot } from "../../src/bots/bot.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { isReady, open, texts, until } from "./open-chat.ts";
import { gate, setUp } from "./setting.ts";

const refusal = new LangwireError("STORE_UNAVAILABLE", { retryAfterMs: 20 });

/** A conversation of two messages, and a chat of it that nobody has opened. */
async function begin() {
  const script = [{ tokens: ["answer"] }, { tokens: ["more"] }];
  const { client, server } = await setUp(script);
  const conversationId = crypto.randomUUID();
  await client.send({ botId: "chat", conversationId, message: "earlier" }).ended;
  return { client, conversationId, langwire: server.langwire };
}

test("a watch that is refused once is shown to be, and asked for again", async () => {
  const { client, conversationId, langwire } = await begin();
  vi.spyOn(langwire.runs, "watch").mockRejectedValueOnce(refusal);
  const { chat, states } = open(client, { conversationId });
  await until(chat, ({ messages }) => messages.length === 2);
  expect(states.some(({ error }) => error?.code === "STORE_UNAVAILABLE")).toBe(true);
  expect(chat.getState().error).toBeUndefined();
  await chat.send("again");
  expect(texts(await until(chat, isReady)).slice(-2)).toEqual(["human: again", "ai: more"]);
});

test("a history that is refused again and again is shown to be, never as loading, until it comes", async () => {
  const { client, conversationId, langwire } = await begin();
  const messages = vi.spyOn(langwire.store.conversations, "messages");
  for (let times = 0; times < 3; times++) messages.mockRejectedValueOnce(refusal);
  const { chat, states } = open(client, { conversationId });
  await until(chat, (state) => state.messages.length === 2);
  expect(chat.getState()).toMatchObject({ status: "ready", error: undefined });
  const refused = states.findIndex(({ error }) => error?.code === "STORE_UNAVAILABLE");
  expect(refused).toBeGreaterThanOrEqual(0);
  expect(states.slice(refused).map(({ status }) => status)).not.toContain("loading");
});

test("a history that no later attempt brings is an error beside what is sent, and is tried with the next message", async () => {
  const { client, conversationId, langwire } = await begin();
  const messages = vi.spyOn(langwire.store.conversations, "messages");
  const broken = new LangwireError("INTERNAL");
  messages.mockRejectedValueOnce(broken);
  const { chat, states } = open(client, { conversationId });
  await until(chat, ({ error }) => error?.code === "INTERNAL");
  expect(chat.getState()).toMatchObject({ status: "ready", messages: [] });

  messages.mockRejectedValueOnce(broken);
  await chat.send("new");
  const answered = await until(chat, (state) => isReady(state) && state.messages.length === 2);
  expect(answered.error).toMatchObject({ code: "INTERNAL" });

  await chat.send("newer");
  const whole = await until(chat, (state) => isReady(state) && state.messages.length === 6);
  expect(whole.error).toBeUndefined();
  expect(texts(whole).slice(0, 3)).toEqual(["human: earlier", "ai: answer", "human: new"]);
  expect(states.slice(1).map(({ status }) => status)).not.toContain("loading");
});

test("earlier messages that are refused can be asked for again, and then nothing is said of it", async () => {
  const { client } = await setUp(() => ({ tokens: ["x"] }));
  const conversationId = crypto.randomUUID();
  for (let index = 0; index < 26; index++) {
    await client.send({ botId: "chat", conversationId, message: `m${index}` }).text;
  }
  const { chat } = open(client, { conversationId });
  await until(chat, ({ hasEarlier }) => hasEarlier);
  const failure = { code: "STORE_UNAVAILABLE", message: "No.", retryable: true } as const;
  const asked = vi.spyOn(client.conversations, "messages");
  asked.mockRejectedValueOnce(new LangwireClientError(failure));
  await chat.loadEarlier();
  expect(await until(chat, ({ error }) => error !== undefined)).toMatchObject({
    error: { code: "STORE_UNAVAILABLE" },
    hasEarlier: true,
  });
  // Nor is it said beside the next message.
  await chat.send("next");
  expect((await until(chat, isReady)).error).toBeUndefined();
  await chat.loadEarlier();
  const all = await until(chat, ({ hasEarlier }) => !hasEarlier);
  expect(all.messages).toHaveLength(54);
  expect(all.error).toBeUndefined();
});

test("an answer of which nothing more may be heard is not shown as being made for ever", async () => {
  const { passed, open: finish } = gate();
  const { client, connect } = await setUp([{ tokens: ["Half", "way"], until: passed }]);
  const conversationId = crypto.randomUUID();
  const { chat } = open(client, { conversationId });
  const other = open(connect(), { conversationId }).chat;
  chat.send("Hi").catch(() => {});
  for (const one of [chat, other]) await until(one, ({ status }) => status === "streaming");
  await client.conversations.delete({ conversationId });
  for (const one of [chat, other]) {
    const { messages } = await until(one, isReady);
    expect(messages.at(-1)).toMatchObject({ status: "failed", error: { code: "NOT_FOUND" } });
  }
  finish();
});

test("of a client that was closed, no answer and no message stays under way", async () => {
  const { passed, open: finish } = gate();
  const { connect } = await setUp([{ tokens: ["Half", "way"], until: passed }]);
  const client = connect();
  const { chat } = open(client);
  chat.send("Hi").catch(() => {});
  await until(chat, ({ status }) => status === "streaming");
  await client.close();
  const closed = await until(chat, isReady);
  expect(closed.messages.at(-1)).toMatchObject({ status: "failed", error: { code: "CLOSED" } });
  await expect(chat.send("More")).rejects.toMatchObject({ code: "CLOSED" });
  const refused = await until(chat, isReady);
  expect(refused.messages.at(-1)).toMatchObject({ status: "refused", error: { code: "CLOSED" } });
  finish();
});

test("nor does somebody else's answer, which only the watch tells of", async () => {
  const { passed, open: finish } = gate();
  const { connect, client } = await setUp([{ tokens: ["Half", "way"], until: passed }]);
  const watcher = connect();
  const { conversationId } = await client.conversations.create({ botId: "chat" });
  const { chat } = open(watcher, { conversationId });
  await until(chat, isReady);
  client.send({ botId: "chat", conversationId, message: "Hi" });
  await until(chat, ({ status }) => status === "streaming");
  await watcher.close();
  const closed = await until(chat, isReady);
  expect(closed.messages.at(-1)).toMatchObject({ status: "failed", error: { code: "CLOSED" } });
  finish();
});

test("nothing more is asked for when nobody looks, and the wait ends at once", async () => {
  const leaving = new AbortController();
  const failure = { code: "STORE_UNAVAILABLE", message: "No.", retryable: true } as const;
  const attempt = vi.fn(() => Promise.reject(new LangwireClientError(failure)));
  const refused = Promise.withResolvers<void>();
  const over = retry(attempt, {
    signal: leaving.signal,
    waitAfter: () => {
      refused.resolve();
      return new Delay(1_000_000);
    },
  });
  await refused.promise;
  leaving.abort();
  expect(await over).toBe(true);
  expect(attempt).toHaveBeenCalledTimes(1);
});

test("a page that comes back to the front asks again at once", async () => {
  const page = new EventTarget();
  vi.stubGlobal("document", Object.assign(page, { visibilityState: "visible" }));
  onTestFinished(() => void vi.unstubAllGlobals());
  const failure = { code: "STORE_UNAVAILABLE", message: "No.", retryable: true } as const;
  const attempt = vi.fn(async () => {});
  attempt.mockRejectedValueOnce(new LangwireClientError(failure));
  const { signal } = new AbortController();
  const waitAfter = () => {
    setTimeout(() => page.dispatchEvent(new Event("visibilitychange")));
    return new Delay(1_000_000);
  };
  expect(await retry(attempt, { signal, waitAfter })).toBe(true);
  expect(attempt).toHaveBeenCalledTimes(2);
});

test("a run that failed is an error with what was thrown: for people in development, for tests the error itself", async () => {
  const runnable = RunnableLambda.from(() => {
    throw new TypeError("no city");
  });
  const bots = [defineBot({ id: "chat", title: "Chat", description: "", runnable })];
  await using server = await startTestServer({ bots, observer: {}, dev: true });
  await using client = createClient({ url: server.url });
  const { chat } = open(client);
  await chat.send("hello");
  const { error, messages } = await until(chat, isReady);
  const detail = expect.stringMatching(/^TypeError: no city\n {4}at .*chat-refusals\.test\.ts:\d+/);
  expect(error).toMatchObject({ code: "BOT_FAILED", detail, cause: expect.any(TypeError) });
  expect(messages.at(-1)).toMatchObject({ role: "ai", error: { detail } });
});
