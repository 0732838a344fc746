import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { collect } from "./collect.ts";
import { gate, hello, type Setting, setUp, untilState } from "./set-up.ts";

/** A run that is in the middle of its answer "ab". */
async function halfway({ client, provider }: Setting) {
  const middle = gate();
  provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
  const run = client.send(hello);
  for await (const event of run) if (event.type === "token") break;
  return { run, middle };
}

/** From now on nothing gets through on any connection there is; a new one is let through. */
async function goDark({ proxy }: Setting): Promise<void> {
  proxy.pause();
  await proxy.connected();
  proxy.resume();
}

test("what is asked on a socket that has died in silence is asked on another one, soon", async () => {
  // The times of an application: a ping after 20 s, its answer within a minute.
  const setting = await setUp({ client: { idleMs: 60_000 } });
  const { client } = setting;
  await client.bots.list();
  const dark = goDark(setting);
  expect(await client.send(hello).text).toBe("You said: hello");
  await dark;
});

test.each(["online", "pageshow", "visibilitychange"])(
  "on %s a silent socket is looked at, and replaced when it is dead",
  async (type) => {
    const page = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    vi.stubGlobal("document", document);
    onTestFinished(() => void vi.unstubAllGlobals());
    const setting = await setUp();
    const { run, middle } = await halfway(setting);
    const dark = goDark(setting);
    middle.open();
    (type === "visibilitychange" ? document : page).dispatchEvent(new Event(type));
    await dark;
    expect(await run.text).toBe("ab");
  },
);

test("coming back, a client does not wait for its next attempt", async () => {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  onTestFinished(() => void vi.unstubAllGlobals());
  const { client, proxy } = await setUp({ client: { backoff: { baseMs: 1e9, maxMs: 1e9 } } });
  proxy.refuse();
  const list = client.bots.list();
  await untilState(client, "connecting");
  await expect.poll(() => client.connection.error?.code).toBe("UNREACHABLE");
  proxy.accept();
  const online = setInterval(() => page.dispatchEvent(new Event("online")), 20);
  onTestFinished(() => clearInterval(online));
  expect(await list).toHaveLength(1);
});

test("a long answer on a slow link is no silence", async () => {
  const { client, proxy, provider } = await setUp({
    client: { pingAfterMs: 100, pongTimeoutMs: 600 },
  });
  const text = "langsam ".repeat(32_000);
  provider.answer({ steps: [text] });
  await client.bots.list();
  proxy.throttle(200_000);
  const run = client.send(hello);
  // Somebody asks while it is on its way: that is no reason to doubt it either.
  for await (const { type } of run) if (type === "runStart") break;
  const list = client.bots.list();
  expect(await run.text).toBe(text);
  expect(await list).toHaveLength(1);
  expect(proxy.connections).toBe(1);
});

test("text of every kind survives being cut into chunks", async () => {
  const { client, provider } = await setUp();
  const text = "ä€😀\u0001\n".repeat(20_000);
  provider.answer({ steps: [text] });
  const run = client.send(hello);
  const events = await collect(run);
  expect(await run.text).toBe(text);
  expect(events.at(-1)).toMatchObject({ type: "runEnd", status: "completed", text });
});

test("a socket of the package ws that dies in silence is replaced", async () => {
  const setting = await setUp({
    client: { WebSocket: WebSocket as never, pingAfterMs: 50, pongTimeoutMs: 100 },
  });
  const { run, middle } = await halfway(setting);
  middle.open();
  await goDark(setting);
  expect(await run.text).toBe("ab");
});

test("a class that cannot be made is told as it is", async () => {
  class Broken {
    constructor() {
      throw new TypeError("broken");
    }
  }
  const { client } = await setUp({ client: { WebSocket: Broken as never } });
  const refused = { code: "BAD_INPUT", message: "No socket can be made: broken" };
  await expect(client.send(hello).text).rejects.toMatchObject(refused);
  await expect(client.bots.list()).rejects.toMatchObject(refused);
});

test("a handshake that is not answered is given up for another one", async () => {
  const setting = await setUp({ client: { connectTimeoutMs: 100 } });
  const { client, proxy } = setting;
  proxy.pause();
  const list = client.bots.list();
  await expect.poll(() => proxy.connections).toBeGreaterThan(2);
  proxy.resume();
  expect(await list).toHaveLength(1);
});

test("pings are no use: a socket that only they keep alive closes", async () => {
  const { client } = await setUp({ client: { idleMs: 300, pingAfterMs: 50 } });
  await client.bots.list();
  await untilState(client, "idle");
  expect(await client.bots.list()).toHaveLength(1);
});

test.each([
  ["between two attempts", { baseMs: 20, maxMs: 100 }],
  ["in the middle of a long wait", { baseMs: 1e8, maxMs: 1e8 }],
])("a client that nobody reads any more stops knocking, %s", async (_when, backoff) => {
  const { client, proxy } = await setUp({ client: { backoff } });
  proxy.refuse();
  const run = client.send(hello);
  await expect.poll(() => client.connection.error?.code).toBe("UNREACHABLE");
  run.detach();
  await untilState(client, "idle");
  proxy.accept();
  expect(await client.send(hello).text).toBe("You said: hello");
});

test("an aborted question is no reason to go on knocking either", async () => {
  const { client, proxy } = await setUp();
  proxy.refuse();
  const leaving = new AbortController();
  const list = client.conversations.get(
    { conversationId: crypto.randomUUID() },
    { signal: leaving.signal },
  );
  await expect.poll(() => proxy.connections).toBeGreaterThan(1);
  leaving.abort();
  await expect(list).rejects.toMatchObject({ code: "CLOSED" });
  await untilState(client, "idle");
});

describe("a server that refuses sockets says why", () => {
  test("at a wrong address", async () => {
    const { connect, server } = await setUp();
    const client = connect({ url: server.url.replace("/trpc", "/api") });
    const nothing = { code: "NOT_FOUND", status: 404, retryable: false };
    await expect(client.send(hello).text).rejects.toMatchObject(nothing);
    await expect(client.bots.list()).rejects.toMatchObject(nothing);
    expect(client.connection).toMatchObject({ state: "idle", error: nothing });
  });

  test("and a slash at the end of the right one makes no difference", async () => {
    const { connect, server } = await setUp();
    expect(await connect({ url: `${server.url}/` }).bots.list()).toHaveLength(1);
  });

  test("while an address that has worked is tried again", async () => {
    const { connect, server } = await setUp();
    const replaced = await refuseWith({ status: 404 });
    const proxy = await startTcpProxy({ port: () => replaced.port });
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const client = connect({ url: `ws://127.0.0.1:${proxy.port}/trpc` });
    const real = replaced.port;
    replaced.port = server.port;
    await client.bots.list();
    replaced.port = real;
    proxy.cut();
    await untilState(client, "idle");
    const list = client.bots.list();
    await expect.poll(() => client.connection.error?.status).toBe(404);
    replaced.port = server.port;
    expect(await list).toHaveLength(1);
  });

  test.each([
    [403, undefined, { code: "UNAUTHORIZED", status: 403 }],
    [
      403,
      { code: "UNAUTHORIZED", retryable: false },
      { code: "UNAUTHORIZED", message: "Not from there. (HTTP 403)" },
    ],
    [410, undefined, { code: "UNREACHABLE", status: 410, retryable: false }],
  ])("with status %i and body %o", async (status, langwire, expected) => {
    const refusing = await refuseWith({ status, langwire });
    const { connect } = await setUp();
    const client = connect({ url: `ws://127.0.0.1:${refusing.port}/trpc` });
    await expect(client.send(hello).text).rejects.toMatchObject(expected);
  });

  test("and when it may be asked again: not before", async () => {
    const { connect } = await setUp();
    const refusing = await refuseWith({
      status: 429,
      langwire: { code: "RATE_LIMITED", retryable: true, retryAfterMs: 400 },
    });
    const client = connect({ url: `ws://127.0.0.1:${refusing.port}/trpc` });
    void client.bots.list().catch(() => {});
    await expect.poll(() => refusing.attemptsAtMs.length).toBeGreaterThan(2);
    expect(client.connection.error).toMatchObject({ code: "RATE_LIMITED", status: 429 });
    const [first = 0, second = 0] = refusing.attemptsAtMs;
    expect(second - first).toBeGreaterThanOrEqual(400);
  });

  test("by Retry-After alone, from a proxy that knows nothing of Langwire", async () => {
    const { connect } = await setUp();
    const refusing = await refuseWith({ status: 503, headers: { "retry-after": "1" } });
    const client = connect({ url: `ws://127.0.0.1:${refusing.port}/trpc` });
    void client.bots.list().catch(() => {});
    await expect.poll(() => refusing.attemptsAtMs.length).toBeGreaterThan(1);
    const [first = 0, second = 0] = refusing.attemptsAtMs;
    expect(second - first).toBeGreaterThanOrEqual(1_000);
  });
});

interface Refusal {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly langwire?: object | undefined;
}

/** A server that opens no socket, and says why to whoever asks. */
async function refuseWith({ status, headers = {}, langwire }: Refusal) {
  const attemptsAtMs: number[] = [];
  const json = { message: "Not from there.", code: -32_000, data: { langwire } };
  const body = langwire === undefined ? "no" : JSON.stringify({ error: { json } });
  const server = createServer((_request, response) => {
    response.writeHead(status, headers).end(body);
  });
  server.on("upgrade", (_request, socket) => {
    attemptsAtMs.push(performance.now());
    socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, attemptsAtMs };
}
