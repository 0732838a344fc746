import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { startTestServer } from "../../src/testing/index.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { openaiBot } from "../support/openai-bot.ts";
import { read, sseClient, wsClient } from "../support/stock-client.ts";
import { describeOnEveryStorage, type NewPlace } from "../support/storage.ts";
import { expectWholeRun, ofType, tokensOf } from "../support/transcript.ts";

async function setUpAt(newPlace: NewPlace) {
  const stack = new AsyncDisposableStack();
  const provider = stack.use(await startMockProvider());
  const { storage } = stack.use(await newPlace());
  const bots = [openaiBot(provider.baseUrl)];
  const server = stack.use(await startTestServer({ bots, ...storage }));
  const client = stack.use(wsClient(server.url));
  return { provider, server, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function newRun(message = "hello", conversationId: string = randomUUID()) {
  return { runId: randomUUID(), botId: "test", conversationId, message };
}

await describeOnEveryStorage("end to end", (newPlace) => {
  const setUp = () => setUpAt(newPlace);

  describe("chat.send", () => {
    test("streams a run from runStart to runEnd, and the tokens are the answer", async () => {
      await using s = await setUp();
      s.provider.answer({ steps: ["炭酸", "水は", "しゅわ", "しゅわ 🫧"] });
      const run = newRun("炭酸水についての歌詞を書いてください。");
      const reading = read((options) => s.client.api.chat.send.subscribe(run, options));
      const received = await reading.completed;
      const end = expectWholeRun(received);
      expect(received[0]?.event).toMatchObject({ ...run, type: "runStart", userId: "local" });
      expect(end).toMatchObject({ status: "completed", text: "炭酸水はしゅわしゅわ 🫧" });
      expect(tokensOf(received)).toBe(end.text);
      expect(end.usage?.outputTokens).toBeGreaterThan(0);
      const [root] = ofType(received, "chainStart");
      expect(root).toMatchObject({ input: { human_input: run.message } });
    });

    test("the same over HTTP, with server-sent events", async () => {
      await using s = await setUp();
      s.provider.answer({ steps: ["one ", "two"] });
      using client = sseClient(s.server.httpUrl);
      const received = await read((options) => client.api.chat.send.subscribe(newRun(), options))
        .completed;
      expect(expectWholeRun(received).text).toBe("one two");
      expect((await client.api.conversations.list.query({})).items).toHaveLength(1);
    });

    test("the same runId twice: one provider call, one transcript", async () => {
      await using s = await setUp();
      const gate = Promise.withResolvers<void>();
      s.provider.answer({ steps: ["a", { until: gate.promise }, "b"] });
      const run = newRun();
      const first = read((options) => s.client.api.chat.send.subscribe(run, options));
      await first.until(({ type }) => type === "token");
      using other = wsClient(s.server.url);
      const second = read((options) => other.api.chat.send.subscribe(run, options));
      await second.until(({ type }) => type === "token");
      gate.resolve();
      expect(await second.completed).toEqual(await first.completed);
      const late = await read((options) => other.api.chat.send.subscribe(run, options)).completed;
      expect(expectWholeRun(late).text).toBe("ab");
      expect(s.provider.calls).toHaveLength(1);
    });

    test("chat.cancel closes the provider's connection and keeps the partial answer", async () => {
      await using s = await setUp();
      s.provider.answer({ steps: ["partial", "stall"] });
      const run = newRun();
      const reading = read((options) => s.client.api.chat.send.subscribe(run, options));
      await reading.until(({ type }) => type === "token");
      const cancelled = await s.client.api.chat.cancel.mutate({ runId: run.runId });
      expect(cancelled).toEqual({ runId: run.runId, status: "cancelled" });
      expect(expectWholeRun(await reading.completed)).toMatchObject({
        status: "cancelled",
        text: "partial",
      });
      expect(await s.provider.calls[0]?.closed).toBe("aborted");
      const { items } = await s.client.api.conversations.messages.query(run);
      expect(items.map(({ role, text, status }) => [role, text, status])).toEqual([
        ["human", "hello", undefined],
        ["ai", "partial", "cancelled"],
      ]);
    });

    test("leaving does not stop the run", async () => {
      await using s = await setUp();
      const gate = Promise.withResolvers<void>();
      s.provider.answer({ steps: ["a", { until: gate.promise }, "b"] });
      const run = newRun();
      const reading = read((options) => s.client.api.chat.send.subscribe(run, options));
      await reading.until(({ type }) => type === "token");
      reading.stop();
      s.client[Symbol.dispose]();
      gate.resolve();
      using other = wsClient(s.server.url);
      const received = await read((options) => other.api.chat.send.subscribe(run, options))
        .completed;
      expect(expectWholeRun(received)).toMatchObject({ status: "completed", text: "ab" });
      expect(s.provider.calls).toHaveLength(1);
    });

    test("one run a conversation: the next is refused, or interrupts", async () => {
      await using s = await setUp();
      s.provider.answer({ steps: ["first", "stall"] });
      s.provider.answer({ steps: ["second"] });
      const first = newRun();
      const reading = read((options) => s.client.api.chat.send.subscribe(first, options));
      await reading.until(({ type }) => type === "token");
      const refused = newRun("again", first.conversationId);
      await expect(
        read((options) => s.client.api.chat.send.subscribe(refused, options)).completed,
      ).rejects.toMatchObject({
        data: { code: "CONFLICT", langwire: { code: "CONVERSATION_BUSY", retryable: true } },
      });
      const second = { ...newRun("again", first.conversationId), ifBusy: "interrupt" as const };
      const interrupted = read((options) => s.client.api.chat.send.subscribe(second, options));
      expect(expectWholeRun(await reading.completed).status).toBe("cancelled");
      expect(expectWholeRun(await interrupted.completed).text).toBe("second");
    });

    test("whoever has seen runEnd may send the next message at once, and the bot remembers", async () => {
      await using s = await setUp();
      s.provider.answerAll((call) => ({ steps: [`echo ${call.lastText}`] }));
      const conversationId = randomUUID();
      for (const message of ["one", "two", "three", "four"]) {
        const run = newRun(message, conversationId);
        const received = await read((options) => s.client.api.chat.send.subscribe(run, options))
          .completed;
        expect(expectWholeRun(received).text).toBe(`echo ${message}`);
      }
      const asked = s.provider.calls.at(-1)?.request.messages.map(({ content }) => content);
      expect(asked?.slice(1)).toEqual(["two", "echo two", "three", "echo three", "four"]);
    });

    test("`only` sends the types that were asked for, and the end", async () => {
      await using s = await setUp();
      s.provider.answer({ steps: ["a"] });
      const run = { ...newRun(), only: ["token" as const] };
      const received = await read((options) => s.client.api.chat.send.subscribe(run, options))
        .completed;
      expect(received.map(({ event }) => event.type)).toEqual(["token", "runEnd"]);
    });

    test("bad input is refused with the field's name", async () => {
      await using s = await setUp();
      const run = { ...newRun(), runId: "not a uuid" };
      await expect(
        read((options) => s.client.api.chat.send.subscribe(run, options)).completed,
      ).rejects.toMatchObject({
        message: expect.stringContaining("runId"),
        data: { code: "BAD_REQUEST", langwire: { code: "BAD_INPUT", retryable: false } },
      });
      const unknown = { ...newRun(), botId: "nobody" };
      await expect(
        read((options) => s.client.api.chat.send.subscribe(unknown, options)).completed,
      ).rejects.toMatchObject({ data: { langwire: { code: "NOT_FOUND" } } });
      const { conversations } = s.client.api;
      await expect(conversations.create.mutate(unknown)).rejects.toMatchObject({
        data: { langwire: { code: "NOT_FOUND" } },
      });
      expect((await conversations.list.query({})).items).toEqual([]);
    });
  });

  describe("chat.watch", () => {
    test("two watchers see the same events in the same order, from the run in progress on", async () => {
      await using s = await setUp();
      const gate = Promise.withResolvers<void>();
      s.provider.answer({ steps: ["a", { until: gate.promise }, "b"] });
      s.provider.answer({ steps: ["c"] });
      const run = newRun();
      const sending = read((options) => s.client.api.chat.send.subscribe(run, options));
      await sending.until(({ type }) => type === "token");
      using clientA = wsClient(s.server.url);
      using clientB = wsClient(s.server.url);
      const watchers = [clientA, clientB].map((client) =>
        read((options) => client.api.chat.watch.subscribe(run, options)),
      );
      for (const watcher of watchers) await watcher.until(({ type }) => type === "token");
      gate.resolve();
      await sending.completed;
      const next = newRun("next", run.conversationId);
      await read((options) => s.client.api.chat.send.subscribe(next, options)).completed;
      for (const watcher of watchers) {
        await watcher.until(({ type, runId }) => type === "runEnd" && runId === next.runId);
      }
      const [a, b] = watchers.map(({ received }) => received);
      expect(a).toEqual(b);
      expect(a?.[0]?.event).toMatchObject({ type: "runStart", runId: run.runId });
      for (const watcher of watchers) watcher.stop();
    });
  });
});
