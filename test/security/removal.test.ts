/** What a removal does to runs and readers, also where the store's answer to it is lost. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { startTestServer } from "../../src/testing/test-server.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { scriptedBot } from "./scripted-bot.ts";

/** A conversation of ann's that eve has joined, with a run in progress that both read. */
async function setUp() {
  const stack = new AsyncDisposableStack();
  const gate = Promise.withResolvers<void>();
  stack.defer(gate.resolve);
  const bot = scriptedBot(() => ({ tokens: ["a"], until: gate.promise }));
  // Far apart: the sweep would make up for what is to happen at once.
  const runLimits = { reconcileMs: 3_600_000 };
  const server = stack.use(await startTestServer({ bots: [bot], runLimits }));
  const ann = stack.use(wsClient(server.url, { userId: "ann" }));
  const eve = stack.use(wsClient(server.url, { userId: "eve" }));
  const ids = { runId: randomUUID(), conversationId: randomUUID() };
  const run = { ...ids, botId: bot.id, message: "hello" };
  const sent = read((options) => ann.api.chat.send.subscribe(run, options));
  await sent.until(({ type }) => type === "token");
  await ann.api.conversations.share.mutate(ids);
  await eve.api.conversations.join.mutate(ids);
  const watch = read((options) => eve.api.chat.watch.subscribe(ids, options));
  await watch.until(({ type }) => type === "token");
  const { runs, store } = server.langwire;
  return { ...ids, ann, eve, sent, watch, gate, runs, store, stack };
}

/** In whole, as of a call that is refused: a client of tRPC's own goes by its code and the status. */
const notFound = {
  data: { code: "NOT_FOUND", httpStatus: 404, langwire: { code: "NOT_FOUND" } },
};

test("deleting a conversation stops the run in progress there", async () => {
  const s = await setUp();
  await using _stack = s.stack;
  const ended = s.runs.live.get(s.runId)?.ended;
  await s.ann.api.conversations.delete.mutate({ conversationId: s.conversationId });
  // The model waits for its gate: nothing but a stop ends the run.
  expect(await ended).toMatchObject({ status: "cancelled" });
  await expect(s.sent.completed).rejects.toMatchObject(notFound);
});

test.each(["unshare", "leave", "delete"] as const)(
  "whoever was removed by a %s that was answered to nobody reads on no further",
  async (how) => {
    const s = await setUp();
    await using _stack = s.stack;
    const { conversations } = s.store;
    const remove = conversations[how].bind(conversations) as (
      ...args: [string, string]
    ) => Promise<unknown>;
    Object.assign(conversations, {
      [how]: async (...args: [string, string]) => {
        await remove(...args);
        throw new LangwireError("STORE_UNAVAILABLE");
      },
    });
    const { api } = how === "leave" ? s.eve : s.ann;
    await expect(
      api.conversations[how].mutate({ conversationId: s.conversationId }),
    ).rejects.toMatchObject({
      data: { langwire: { code: "STORE_UNAVAILABLE" } },
    });
    await expect(s.watch.completed).rejects.toMatchObject(notFound);
  },
);
