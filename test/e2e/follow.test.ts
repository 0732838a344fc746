/** `chat.follow`: reading a run that was sent before, by whomever, without ever starting one. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { startTestServer } from "../../src/testing/index.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { openaiBot } from "../support/openai-bot.ts";
import { read, type StockClient, sseClient, wsClient } from "../support/stock-client.ts";
import { describeOnEveryStorage, type NewPlace } from "../support/storage.ts";
import { expectWholeRun } from "../support/transcript.ts";

async function setUpAt(newPlace: NewPlace) {
  const stack = new AsyncDisposableStack();
  const provider = stack.use(await startMockProvider());
  const { storage } = stack.use(await newPlace());
  const bots = [openaiBot(provider.baseUrl)];
  const server = stack.use(await startTestServer({ bots, ...storage }));
  const sender = stack.use(wsClient(server.url));
  const newRun = () => ({
    runId: randomUUID(),
    botId: "test",
    conversationId: randomUUID(),
    message: "hello",
  });
  const send = (run: ReturnType<typeof newRun>) =>
    read((options) => sender.api.chat.send.subscribe(run, options));
  return { provider, server, newRun, send, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

type Following = { runId: string; lastEventId?: string; only?: ["token"] };
const follow = ({ api }: StockClient, input: Following) =>
  read((options) => api.chat.follow.subscribe(input, options));

const transports = [
  ["WebSocket", ({ url }: { url: string }) => wsClient(url)],
  ["server-sent events", ({ httpUrl }: { httpUrl: string }) => sseClient(httpUrl)],
] as const;

await describeOnEveryStorage("following", (newPlace) => {
  describe.each(transports)("over %s", (_name, connect) => {
    test("a run in progress: all of it, and one provider call", async () => {
      await using s = await setUpAt(newPlace);
      const gate = Promise.withResolvers<void>();
      s.provider.answer({ steps: ["so ", { until: gate.promise }, "far"] });
      const run = s.newRun();
      const sent = s.send(run);
      await sent.until(({ type }) => type === "token");
      using client = connect(s.server);
      const following = follow(client, { runId: run.runId });
      await following.until(({ type }) => type === "token");
      gate.resolve();
      expect(expectWholeRun(await following.completed).text).toBe("so far");
      expect((await sent.completed).at(-1)).toEqual(following.received.at(-1));
      expect(s.provider.calls).toHaveLength(1);
    });

    test("a run that has ended: all of it, the rest of it, and parts of it", async () => {
      await using s = await setUpAt(newPlace);
      const { runId, ...run } = s.newRun();
      const sent = await s.send({ runId, ...run }).completed;
      using client = connect(s.server);
      const whole = await follow(client, { runId }).completed;
      expect(expectWholeRun(whole)).toEqual(expectWholeRun(sent));
      const place = whole.findIndex(({ event }) => event.type === "token");
      const lastEventId = whole[place]?.id ?? expect.fail("no token");
      expect(await follow(client, { runId, lastEventId }).completed).toEqual(
        whole.slice(place + 1),
      );
      const parts = await follow(client, { runId, only: ["token"] }).completed;
      expect(new Set(parts.map(({ event }) => event.type))).toEqual(new Set(["token", "runEnd"]));
    });

    test("an unknown run is NOT_FOUND, whoever asks, and nothing starts", async () => {
      await using s = await setUpAt(newPlace);
      using client = connect(s.server);
      const { runId } = s.newRun();
      const code = await s.server.langwire.runs
        .follow({ userId: "local" }, { runId })
        .catch((cause: { code: string }) => cause.code);
      expect(code).toBe("NOT_FOUND");
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const subscription = client.api.chat.follow.subscribe(
        { runId },
        {
          onError: ({ data }) => resolve(data?.langwire.code),
          // tRPC's link for server-sent events takes some refusals for something that may pass.
          onConnectionStateChange: ({ error }) => {
            if (error !== null) resolve(error.data?.langwire.code);
          },
        },
      );
      expect(await promise).toBe("NOT_FOUND");
      subscription.unsubscribe();
      expect(s.server.langwire.runs.live.size).toBe(0);
      expect(s.provider.calls).toHaveLength(0);
      expect((await client.api.conversations.list.query({})).items).toEqual([]);
    });
  });

  test("a server that takes no more runs lets those that it has be followed", async () => {
    await using s = await setUpAt(newPlace);
    const gate = Promise.withResolvers<void>();
    s.provider.answer({ steps: ["a", { until: gate.promise }, "b"] });
    const run = s.newRun();
    await s.send(run).until(({ type }) => type === "token");
    using client = wsClient(s.server.url);
    await client.api.bots.list.query();
    const draining = s.server.langwire.runs.drain(10_000);
    const following = follow(client, { runId: run.runId });
    gate.resolve();
    expect(expectWholeRun(await following.completed).text).toBe("ab");
    await draining;
  });
});
