/** What a chat shows of a caller's session: that there is none, that it ended, and that it is there again. */
import { Chat as AiSdkChat } from "@ai-sdk/react";
import { expect, onTestFinished, test } from "vitest";
import { createChatTransport } from "../../client/src/ai-sdk/index.ts";
import { createClient } from "../../client/src/index.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { socketWithCookies } from "../security/cookie-client.ts";
import { scriptedBot } from "../security/scripted-bot.ts";
import { isReady, open, texts, until } from "./open-chat.ts";

async function setUp(cookie?: string) {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const valid = new Set(["session=anna"]);
  const asked: string[] = [];
  let lastsMs: number | undefined;
  const server = stack.use(
    await startTestServer({
      bots: [scriptedBot(() => ({ tokens: ["answer"] }))],
      authenticate: ({ headers: { cookie: given = "" } }) => {
        asked.push(String(given));
        const expiresAt = lastsMs === undefined ? undefined : Date.now() + lastsMs;
        return valid.has(String(given)) ? { userId: "anna", expiresAt } : null;
      },
    }),
  );
  const jar: { cookie?: string | undefined } = { cookie };
  const WebSocket = socketWithCookies(jar);
  // Whoever is told only after another try is not told while the test lasts.
  const backoff = cookie === undefined ? { baseMs: 600_000 } : { baseMs: 10, maxMs: 50 };
  const connectTimeoutMs = 600_000;
  const client = stack.use(createClient({ url: server.url, WebSocket, backoff, connectTimeoutMs }));
  /** From now on a socket's session lasts as long; whose cookie is valid then has another one. */
  const last = (ms: number | undefined) => {
    lastsMs = ms;
  };
  return { client, jar, valid, asked, last };
}

test("a chat without a session says so at once, and asks again only with the next message", async () => {
  const { client, jar, asked } = await setUp();
  const { chat } = open(client, { botId: "test" });
  // Whoever listens anew asks anew, so this only looks.
  await expect.poll(() => chat.getState().error).toMatchObject({ code: "UNAUTHORIZED" });
  expect(asked).toHaveLength(1);

  await expect(chat.send("Hello?")).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  await expect
    .poll(() => chat.getState().messages)
    .toMatchObject([{ status: "refused", error: { code: "UNAUTHORIZED" } }]);
  expect(asked).toHaveLength(2);

  jar.cookie = "session=anna";
  await chat.send("Hello again");
  const answered = await until(chat, (state) => isReady(state) && state.messages.length === 3);
  expect(texts(answered).slice(1)).toEqual(["human: Hello again", "ai: answer"]);
  await until(chat, (state) => state.error === undefined);
});

test("a session that ends while the chat is open is told, and with the next one it goes on", async () => {
  const { client, valid, last } = await setUp("session=anna");
  last(200);
  const { chat } = open(client, { botId: "test" });
  await chat.send("Hello");
  await until(chat, (state) => isReady(state) && state.messages.length === 2);
  valid.clear();
  await until(chat, ({ error }) => error?.code === "UNAUTHORIZED");
  last(undefined);
  valid.add("session=anna");
  await chat.send("Again");
  const whole = await until(chat, (state) => isReady(state) && state.messages.length === 4);
  expect(texts(whole)).toEqual(["human: Hello", "ai: answer", "human: Again", "ai: answer"]);
});

test("the AI SDK's chat without a session has the error at once", async () => {
  const { client, asked } = await setUp();
  const transport = createChatTransport({ client, botId: "test" });
  const chat = new AiSdkChat({ id: crypto.randomUUID(), transport });
  onTestFinished(() => chat.dispose());
  await chat.sendMessage({ text: "Hello?" });
  expect(chat).toMatchObject({ status: "error", error: { code: "UNAUTHORIZED" } });
  expect(asked).toHaveLength(1);
});
