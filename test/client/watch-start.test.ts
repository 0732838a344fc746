/** A watch that loses its connection before it has had an event: it goes on where it began. */
import { EventSource } from "eventsource";
import { expect, onTestFinished, test } from "vitest";
import type { ClientOptions, Watch } from "../../client/src/index.ts";
import { Chat } from "../../client/src/react/index.ts";
import { serverSentEvents } from "../../client/src/sse.ts";
import { read, type StockClient, sseClient, wsClient } from "../support/stock-client.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import { hello, type Setting, setUp } from "./set-up.ts";

const sse = { transport: serverSentEvents, EventSource };

/** Loses every connection through the proxy, and holds a run before another one is let through. */
async function missedRun({ proxy, connect, server }: Setting, conversationId: string) {
  proxy.refuse();
  proxy.cut();
  const ended = await runBeside({ connect, server }, conversationId);
  proxy.accept();
  return ended;
}

function runBeside(
  { connect, server }: Pick<Setting, "connect" | "server">,
  conversationId: string,
) {
  const beside = connect({ url: server.url });
  return beside.send({ ...hello, conversationId }).ended;
}

async function firstAndLast(watch: Watch) {
  const { value: first } = await watch.next();
  for await (const event of watch) if (event.type === "runEnd") return [first, event];
  throw new Error("the watch ended before a runEnd");
}

const waysOfOurs: [string, Partial<ClientOptions>][] = [
  ["a WebSocket", {}],
  ["server-sent events", sse],
];

test.each(waysOfOurs)("over %s, a run in between is not missed", async (_, client) => {
  const setting = await setUp({ client });
  const { conversationId } = await setting.client.conversations.create({ botId: "test" });
  // An earlier run: where the watch begins is a number of its own.
  await setting.client.send({ ...hello, conversationId }).ended;
  const watch = setting.client.watch({ conversationId });
  await watch.started;
  const { lastEventId } = watch;
  expect(Number(lastEventId)).toBeGreaterThan(0);
  const ended = await missedRun(setting, conversationId);
  expect(await firstAndLast(watch)).toMatchObject([{ type: "runStart" }, ended]);
  const again = setting.client.watch({ conversationId, lastEventId });
  expect(await firstAndLast(again)).toMatchObject([{ type: "runStart" }, ended]);
});

test.each(waysOfOurs)("over %s, nor are runs between several losses", async (_, client) => {
  const setting = await setUp({ client });
  const { conversationId } = await setting.client.conversations.create({ botId: "test" });
  const watch = setting.client.watch({ conversationId });
  await watch.started;
  setting.proxy.cut();
  await setting.proxy.connected();
  const ended = await missedRun(setting, conversationId);
  expect(await firstAndLast(watch)).toMatchObject([{ type: "runStart" }, ended]);
});

const asleep = { pingAfterMs: 100, pongTimeoutMs: 200, connectTimeoutMs: 200 };

test.each(waysOfOurs)("over %s that died without a word, neither", async (_, client) => {
  const setting = await setUp({ client: { ...client, ...asleep } });
  const { conversationId } = await setting.client.conversations.create({ botId: "test" });
  const watch = setting.client.watch({ conversationId });
  await watch.started;
  setting.proxy.pause();
  const ended = await runBeside(setting, conversationId);
  await setting.proxy.connected();
  setting.proxy.cut();
  setting.proxy.resume();
  expect(await firstAndLast(watch)).toMatchObject([{ type: "runStart" }, ended]);
});

test.each(waysOfOurs)("over %s, a chat of React's shows it", async (_, client) => {
  const setting = await setUp({ client });
  const { conversationId } = await setting.client.conversations.create({ botId: "test" });
  const chat = new Chat({ client: () => setting.client, botId: "test", conversationId });
  const loaded = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const look = () => {
    const { status, messages } = chat.getState();
    if (status === "ready") loaded.resolve();
    if (messages.length === 2 && status === "ready") answered.resolve();
  };
  onTestFinished(chat.subscribe(look));
  await loaded.promise;
  const ended = await missedRun(setting, conversationId);
  await answered.promise;
  expect(chat.getState().messages.at(-1)).toMatchObject({ role: "ai", text: ended.text });
});

const waysOfStock: [string, (proxy: TcpProxy) => StockClient][] = [
  ["a WebSocket", ({ port }) => wsClient(`ws://127.0.0.1:${port}/trpc`)],
  ["server-sent events", ({ port }) => sseClient(`http://127.0.0.1:${port}/trpc`)],
];

test.each(waysOfStock)(
  "a stock client over %s begins at the number that it asked for",
  async (_, connect) => {
    const setting = await setUp();
    const { conversationId } = await setting.client.conversations.create({ botId: "test" });
    await setting.client.send({ ...hello, conversationId }).ended;
    using stock = connect(setting.proxy);
    const { lastEventId } = await stock.api.conversations.get.query({ conversationId });
    const started = Promise.withResolvers<void>();
    const reading = read((callbacks) =>
      stock.api.chat.watch.subscribe(
        { conversationId, lastEventId },
        { ...callbacks, onStarted: () => started.resolve() },
      ),
    );
    await started.promise;
    const ended = await missedRun(setting, conversationId);
    await reading.until(({ type }) => type === "runEnd");
    expect(reading.received[0]?.event).toMatchObject({ type: "runStart" });
    expect(reading.received.at(-1)?.event).toEqual(ended);
    reading.stop();
  },
);
