/** Calls to a server that takes them and says nothing: none hangs for ever, nor when nobody waits any more. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { EventSource } from "eventsource";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type ClientOptions, createClient } from "../../client/src/index.ts";
import { serverSentEvents } from "../../client/src/sse.ts";
import { hello, setUp } from "./set-up.ts";

const sse = { transport: serverSentEvents, EventSource };
const impatient = { connectTimeoutMs: 200, pingAfterMs: 100, pongTimeoutMs: 200 };
const ways: [string, Partial<ClientOptions>][] = [
  ["a WebSocket", {}],
  ["HTTP", sse],
];

async function startServer(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/trpc`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe.each(ways)("over %s", (_way, way) => {
  test("a question is asked again until it is answered", async () => {
    const { client, proxy } = await setUp({ client: { ...way, ...impatient } });
    proxy.pause();
    const list = client.conversations.list();
    await proxy.connected();
    await proxy.connected();
    proxy.resume();
    expect(await list).toEqual({ items: [] });
  });

  test("a change fails, and what became of it is not known", async () => {
    const { client, proxy } = await setUp({ client: { ...way, ...impatient } });
    await client.bots.list();
    proxy.pause();
    await expect(client.conversations.create({ botId: "test" })).rejects.toMatchObject({
      code: "UNREACHABLE",
      retryable: true,
    });
  });

  test("so is one that is not heard of at all, until the client is closed", async () => {
    const { client, proxy } = await setUp({ client: way });
    proxy.pause();
    const calls = [client.bots.list(), client.conversations.create({ botId: "test" })];
    await proxy.arrival("toServer");
    await client.close();
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("a call is over with its signal", async () => {
    const { client, proxy } = await setUp({ client: way });
    proxy.pause();
    const stop = new AbortController();
    const list = client.bots.list({ signal: stop.signal });
    await proxy.arrival("toServer");
    stop.abort();
    await expect(list).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("nor does a wait for the next attempt outlast the client or the signal", async () => {
    const backoff = { baseMs: 100_000_000, maxMs: 100_000_000 };
    const { client, connect, proxy } = await setUp({ client: { ...way, backoff } });
    proxy.refuse();
    const stop = new AbortController();
    const calls = [connect().bots.list({ signal: stop.signal }), client.bots.list()];
    await expect.poll(() => proxy.connections).toBeGreaterThanOrEqual(2);
    stop.abort();
    await client.close();
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "CLOSED" });
  });
});

test("an answer over HTTP that stops in the middle is asked for again", async () => {
  const body = JSON.stringify([{ result: { data: { json: [] } } }]);
  let requests = 0;
  await using server = await startServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    if (++requests === 1) response.write(body.slice(0, 10));
    else response.end(body);
  });
  const { url } = server;
  await using client = createClient({ url, ...sse, ...impatient, backoff: { baseMs: 20 } });
  expect(await client.bots.list()).toEqual([]);
  expect(requests).toBe(2);
});

test("a question over HTTP that a sleep left behind is asked again when the network is back", async () => {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  onTestFinished(() => void vi.unstubAllGlobals());
  const { client, proxy } = await setUp({ client: { ...sse, connectTimeoutMs: 600_000 } });
  proxy.pause();
  const list = client.conversations.list();
  await proxy.connected();
  const online = setInterval(() => page.dispatchEvent(new Event("online")), 100);
  await proxy.connected();
  clearInterval(online);
  proxy.resume();
  expect(await list).toEqual({ items: [] });
});

test("an answer that takes long and goes on is waited for", async () => {
  const { connect, proxy } = await setUp({ client: sse });
  await using client = connect({ transport: undefined });
  const { conversationId } = await client.conversations.create({ botId: "test" });
  await client.send({ ...hello, message: "m".repeat(30_000), conversationId }).ended;
  const slow = connect({ pingAfterMs: 200, pongTimeoutMs: 300 });
  proxy.throttle(30_000);
  const { items } = await slow.conversations.messages({ conversationId });
  expect(items[0]?.text).toHaveLength(30_000);
});

test("a message that is too long for an address is refused, by this client or by what is in between", async () => {
  const { client } = await setUp({ client: sse });
  const tooLong = { code: "BAD_INPUT", message: expect.stringContaining("too long") };
  const long = client.send({ ...hello, message: "m".repeat(15_000) });
  await expect(long.text).rejects.toMatchObject(tooLong);
  await using proxy = await startServer(({ url = "" }, response) => {
    const body = JSON.stringify([{ result: { data: { json: [] } } }]);
    response.writeHead(url.length > 8_000 ? 414 : 200, { "content-type": "application/json" });
    response.end(url.length > 8_000 ? "Request-URI Too Large" : body);
  });
  await using behind = createClient({ url: proxy.url, ...sse, backoff: { baseMs: 20 } });
  const longish = behind.send({ ...hello, message: "m".repeat(9_000) });
  await expect(longish.text).rejects.toMatchObject(tooLong);
});
