/** One UUID is one id, however it is spelt. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { startTestServer } from "../../src/testing/index.ts";
import { scriptedBot } from "../security/scripted-bot.ts";
import { read, sseClient, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";

function newRun() {
  return { runId: randomUUID(), botId: "test", conversationId: randomUUID(), message: "hello" };
}

test("a run that is sent again in capitals attaches, and is paid once", async () => {
  let calls = 0;
  const bot = scriptedBot(() => {
    calls += 1;
    return { tokens: ["a", "b"] };
  });
  await using server = await startTestServer({ bots: [bot] });
  using client = wsClient(server.url);
  const run = newRun();
  const shouted = {
    ...run,
    runId: run.runId.toUpperCase(),
    conversationId: run.conversationId.toUpperCase(),
  };
  const first = await read((options) => client.api.chat.send.subscribe(shouted, options)).completed;
  const again = await read((options) => client.api.chat.send.subscribe(run, options)).completed;
  expect(again).toEqual(first);
  expect(expectWholeRun(first)).toMatchObject({ text: "ab", runId: run.runId });
  expect(calls).toBe(1);
  const { runId, conversationId } = shouted;
  expect(await client.api.chat.cancel.mutate({ runId })).toMatchObject({ status: "completed" });
  using http = sseClient(server.httpUrl);
  for (const { api } of [client, http]) {
    const { items } = await api.conversations.messages.query({ conversationId });
    expect(items).toHaveLength(2);
    expect(await api.conversations.get.query({ conversationId })).toMatchObject({
      conversationId: run.conversationId,
    });
  }
});

test("what was stored in capitals before is still found under them", async () => {
  await using server = await startTestServer({ bots: [scriptedBot()] });
  using client = wsClient(server.url);
  const run = newRun();
  const old = { ...run, conversationId: run.conversationId.toUpperCase() };
  const { store } = server.langwire;
  await store.conversations.create({ ...old, userId: "local" });
  const events = await read((options) => client.api.chat.send.subscribe(old, options)).completed;
  expect(events[0]?.event).toMatchObject({ conversationId: old.conversationId });
  const { items } = await client.api.conversations.list.query({});
  expect(items.map((item) => item.conversationId)).toEqual([old.conversationId]);
});
