/** Who is let in: before the upgrade, at the first message, and for how long. */
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import {
  createTRPCClient,
  createWSClient,
  httpSubscriptionLink,
  retryLink,
  wsLink,
} from "@trpc/client";
import { EventSource } from "eventsource";
import superjson from "superjson";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { ChatRouter } from "../../src/api/router.ts";
import { verifyTokens } from "../../src/server/access/auth.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/test-server.ts";
import { read } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { codeOf, type Frame, openSocket, request } from "./socket.ts";
import { audience, issuer, secret, sharedSecretToken, startKeyServer } from "./tokens.ts";

function start(options: Partial<TestServerOptions> = {}) {
  return startTestServer({ bots: [scriptedBot()], ...options });
}

function startWithTokens(options: Partial<TestServerOptions> = {}) {
  return start({ authenticate: verifyTokens({ key: { secret } }), ...options });
}

const evil = { origin: "https://evil.example" };

function newRun() {
  return { runId: randomUUID(), botId: "test", conversationId: randomUUID(), message: "hello" };
}

describe("before the upgrade", () => {
  test.each([
    ["a page from elsewhere", { headers: evil }, 403],
    ["a sandboxed page", { headers: { origin: "null" } }, 403],
    ["a page whose name resembles", { headers: { origin: "http://127.0.0.1.evil.example" } }, 403],
    [
      "a request that a browser calls foreign",
      { headers: { "sec-fetch-site": "cross-site" } },
      403,
    ],
    ["a name that is not this machine's", { headers: { host: "evil.example" } }, 403],
  ])("%s is refused", async (_what, options, status) => {
    await using server = await start();
    const refused = openSocket(server.url, options);
    await expect(refused).rejects.toMatchObject({ status });
    await expect(refused).rejects.toMatchObject({ body: expect.stringContaining("FORBIDDEN") });
    expect(server.server.connections.size).toBe(0);
  });

  test("the host that a page asked for is a trusted proxy's to say, and nobody else's", async () => {
    const headers = { origin: "https://chat.example", "x-forwarded-host": "chat.example" };
    await using trusting = await start({ trustedProxies: ["127.0.0.1"] });
    using socket = await openSocket(trusting.url, { headers });
    expect(socket.webSocket.readyState).toBe(1);
    const elsewhere = { ...headers, origin: "https://chat.example:8443" };
    await expect(openSocket(trusting.url, { headers: elsewhere })).rejects.toMatchObject({
      status: 403,
    });
    await using other = await start();
    await expect(openSocket(other.url, { headers })).rejects.toMatchObject({ status: 403 });
  });

  test.each([
    ["no page", {}],
    ["the server's own page", { headers: { origin: "http://127.0.0.1:PORT" } }],
    ["a page of this machine", { headers: { origin: "http://localhost:5173" } }],
  ])("%s is let in", async (_what, { headers = {} }: { headers?: { origin?: string } }) => {
    await using server = await start();
    const origin = headers.origin?.replace("PORT", String(server.port));
    using socket = await openSocket(server.url, origin === undefined ? {} : { origin });
    socket.send(request(1, "bots.list"));
    expect(await socket.frame(({ id }) => id === 1)).toHaveProperty("result");
  });

  test("only listed pages are let in where there is a list", async () => {
    await using server = await start({ allowedOrigins: ["https://chat.example"] });
    using socket = await openSocket(server.url, { origin: "https://chat.example" });
    expect(socket.webSocket.readyState).toBe(1);
    for (const origin of ["http://localhost:5173", "https://chat.example.evil.example"]) {
      await expect(openSocket(server.url, { origin })).rejects.toMatchObject({ status: 403 });
    }
  });

  test("a token is asked for: 401 for a wrong one that is no browser's", async () => {
    await using server = await startWithTokens();
    const expired = await sharedSecretToken("ann", { expiresInS: -60 });
    for (const authorization of ["Bearer rubbish", "Basic YTpi", `Bearer ${expired}`, ""]) {
      const refused = openSocket(`${server.url}?connectionParams=1`, {
        headers: { authorization },
      });
      await expect(refused).rejects.toMatchObject({
        status: 401,
        headers: { "www-authenticate": "Bearer" },
        body: expect.stringContaining('"code":"UNAUTHORIZED"'),
      });
    }
    const headers = { authorization: `Bearer ${await sharedSecretToken("ann")}` };
    using socket = await openSocket(server.url, { headers });
    socket.send(request(1, "conversations.list", {}));
    expect(await socket.frame(({ id }) => id === 1)).toHaveProperty("result");
  });

  test("sockets open at the API's address alone", async () => {
    await using server = await start();
    for (const path of ["/healthz", "/trpc/bots.list", "/nowhere", "/"]) {
      const refused = openSocket(`ws://127.0.0.1:${server.port}${path}`);
      await expect(refused).rejects.toMatchObject({ status: 404 });
    }
  });
});

describe("while the issuer's keys cannot be fetched", () => {
  async function startWithKeys() {
    await using starting = new AsyncDisposableStack();
    const keys = starting.use(await startKeyServer());
    const authenticate = verifyTokens({ key: { jwksUrl: keys.url }, issuer, audience });
    const server = starting.use(await start({ authenticate }));
    const token = await keys.sign("ann");
    const started = starting.move();
    return { keys, server, token, [Symbol.asyncDispose]: () => started.disposeAsync() };
  }
  const again = {
    status: 503,
    headers: { "retry-after": "1" },
    body: expect.stringContaining('"code":"AUTH_UNAVAILABLE","retryable":true'),
  };

  test("a socket opened with a header is told to come back, and let in when they can be", async () => {
    await using s = await startWithKeys();
    await s.keys.stop();
    const headers = { authorization: `Bearer ${s.token}` };
    await expect(openSocket(s.server.url, { headers })).rejects.toMatchObject(again);
    await s.keys.restart();
    using socket = await openSocket(s.server.url, { headers });
    expect(socket.webSocket.readyState).toBe(1);
  });

  test("a socket that brings parameters is closed with a code to come back from", async () => {
    await using s = await startWithKeys();
    await s.keys.stop();
    using socket = await openSocket(`${s.server.url}?connectionParams=1`);
    socket.send({ method: "connectionParams", data: { token: s.token } });
    expect(await socket.closed).toEqual({ code: 1013, reason: "AUTH_UNAVAILABLE" });
    expect(socket.frames.map((frame) => codeOf(frame))).toEqual(["AUTH_UNAVAILABLE"]);
  });

  test("a question over HTTP gets 503 and the time to try again", async () => {
    await using s = await startWithKeys();
    await s.keys.stop();
    const params = JSON.stringify({ token: s.token });
    const inUrl = `connectionParams=${encodeURIComponent(params)}`;
    const authorization = `Bearer ${s.token}`;
    const asked: [string, RequestInit][] = [
      ["bots.list", { headers: { authorization } }],
      [`bots.list?${inUrl}`, {}],
    ];
    for (const [path, init] of asked) {
      const response = await fetch(`${s.server.httpUrl}/${path}`, init);
      const { status } = response;
      const retryAfter = response.headers.get("retry-after") ?? "";
      const body = await response.text();
      expect({ status, headers: { "retry-after": retryAfter }, body }).toEqual(again);
    }
  });
});

describe("the first message", () => {
  test.each([
    ["a wrong token", { method: "connectionParams", data: { token: "rubbish" } }, 4401],
    ["no token", { method: "connectionParams", data: null }, 4401],
    ["a name instead of a token", { method: "connectionParams", data: { userId: "ann" } }, 4401],
    ["a request", request(1, "bots.list"), 4400],
    ["what is no connection parameters", { method: "connectionParams", data: { a: 1 } }, 4400],
    ["a list", [], 4400],
  ])("%s: an error, and the socket closes", async (_what, message, code) => {
    await using server = await startWithTokens();
    using socket = await openSocket(`${server.url}?connectionParams=1`);
    socket.send(message);
    socket.send(request(2, "conversations.list", {}));
    expect((await socket.closed).code).toBe(code);
    const answers = socket.frames.map((frame) => codeOf(frame));
    expect(answers[0]).toBe(code === 4401 ? "UNAUTHORIZED" : "BAD_INPUT");
    expect(socket.frames.every((frame) => codeOf(frame) !== undefined)).toBe(true);
  });

  test("what is not JSON closes it, too", async () => {
    await using server = await startWithTokens();
    using socket = await openSocket(`${server.url}?connectionParams=1`);
    socket.sendText("{");
    expect((await socket.closed).code).toBe(4400);
  });

  test("silence closes it in time, and so does a caller who is never found out", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const asked = Promise.withResolvers<void>();
    const authenticate = () => {
      asked.resolve();
      return new Promise<never>(() => {});
    };
    const connectionLimits = { authTimeoutMs: 600_000 };
    await using server = await start({ authenticate, connectionLimits });
    using silent = await openSocket(`${server.url}?connectionParams=1`);
    using unknown = await openSocket(`${server.url}?connectionParams=1`);
    unknown.send({ method: "connectionParams", data: { token: "x" } });
    await asked.promise;
    vi.advanceTimersByTime(600_000);
    expect((await silent.closed).code).toBe(4400);
    expect(await unknown.closed).toEqual({ code: 1013, reason: "AUTH_UNAVAILABLE" });
    expect(unknown.frames.map((frame) => codeOf(frame))).toEqual(["AUTH_UNAVAILABLE"]);
  });

  test("nothing is read while the caller is looked up", async () => {
    const gate = Promise.withResolvers<void>();
    const authenticate = async () => {
      await gate.promise;
      return { userId: "ann" };
    };
    await using server = await start({ authenticate });
    using socket = await openSocket(`${server.url}?connectionParams=1`);
    socket.send({ method: "connectionParams", data: { token: "x" } });
    const big = "x".repeat(200_000);
    for (let id = 1; id <= 50; id++)
      socket.send(request(id, "conversations.list", { cursor: big }));
    await expect.poll(() => socket.webSocket.bufferedAmount).toBeGreaterThan(1_000_000);
    gate.resolve();
    expect(codeOf(await socket.frame(({ id }) => id === 50))).toBe("BAD_INPUT");
  });
});

describe("what an application's authenticate gives is no caller", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["no id", { userId: undefined }],
    ["an empty one", { userId: "" }],
    ["a number", { userId: 5 }],
    ["an object", { userId: { id: "ann" } }],
    ["one without an end", { userId: "x".repeat(100_000) }],
    ["one that is not seen", { userId: "ann\u200b" }],
    ["one that has expired", { userId: "ann", expiresAt: new Date(Date.now() - 1) }],
    ["one that expires in seconds", { userId: "ann", expiresAt: Date.now() / 1_000 + 60 }],
    ["one that expires at no time", { userId: "ann", expiresAt: "soon" }],
  ])("%s", async (_what, identity) => {
    await using server = await start({ authenticate: (async () => identity) as never });
    const headers = { authorization: "Bearer x" };
    const answer = await fetch(`${server.httpUrl}/conversations.list`, { headers });
    const { error } = (await answer.json()) as { error: { json: { data: unknown } } };
    expect(error.json.data).toMatchObject({ langwire: { code: "UNAUTHORIZED" } });
    using socket = await openSocket(`${server.url}?connectionParams=1`);
    socket.send({ method: "connectionParams", data: { token: "x" } });
    socket.send(request(1, "bots.list"));
    expect(await socket.closed).toEqual({ code: 4401, reason: "UNAUTHORIZED" });
    expect(socket.frames.some((frame) => "result" in (frame as object))).toBe(false);
    expect(server.langwire.runs.storeAway).toBe(false);
  });
});

describe.concurrent("a token's end", () => {
  test("closes the socket, and a fresh token resumes", async () => {
    const gate = Promise.withResolvers<void>();
    const bot = scriptedBot(() => ({ tokens: ["one ", "two"], until: gate.promise }));
    await using server = await startWithTokens({ bots: [bot] });
    const codes: unknown[] = [];
    const tokens = [await sharedSecretToken("ann", { expiresInS: -3 })];
    const webSocket = createWSClient({
      url: server.url,
      retryDelayMs: () => 10,
      connectionParams: async () => ({ token: tokens.pop() ?? (await sharedSecretToken("ann")) }),
      onClose: (cause) => codes.push(cause?.code),
    });
    const client = createTRPCClient<ChatRouter>({
      links: [wsLink({ client: webSocket, transformer: superjson })],
    });
    const run = newRun();
    const reading = read((options) => client.chat.send.subscribe(run, options));
    await reading.until(({ type }) => type === "token");
    await expect.poll(() => codes).toEqual([4401]);
    gate.resolve();
    expect(expectWholeRun(await reading.completed).text).toBe("one two");
    await webSocket.close();
  });

  test("ends a subscription over HTTP, and a fresh token resumes", async () => {
    const gate = Promise.withResolvers<void>();
    const bot = scriptedBot(() => ({ tokens: ["one ", "two"], until: gate.promise }));
    await using server = await startWithTokens({ bots: [bot] });
    const asked: string[] = [];
    const client = createTRPCClient<ChatRouter>({
      links: [
        // An EventSource comes back with the token that it had; it takes a new one to get a new one.
        retryLink({
          retry: ({ error, attempts }) => error.data?.code === "UNAUTHORIZED" && attempts < 3,
        }),
        httpSubscriptionLink({
          url: server.httpUrl,
          transformer: superjson,
          EventSource,
          connectionParams: async () => {
            const expiresInS = asked.length === 0 ? -3 : 60;
            const token = await sharedSecretToken("ann", { expiresInS });
            asked.push(token);
            return { token };
          },
        }),
      ],
    });
    const reading = read((options) => client.chat.send.subscribe(newRun(), options));
    await reading.until(({ type }) => type === "token");
    expect(server.server.connections.subscriptions).toBe(1);
    await expect.poll(() => server.server.connections.subscriptions).toBe(0);
    gate.resolve();
    expect(expectWholeRun(await reading.completed).text).toBe("one two");
  });
});

describe("over HTTP", () => {
  test("the same access", async () => {
    await using server = await startWithTokens();
    const url = `${server.httpUrl}/conversations.list?input=${encodeURIComponent('{"json":{}}')}`;
    const token = await sharedSecretToken("ann");
    const authorization = `Bearer ${token}`;
    const params = encodeURIComponent(JSON.stringify({ token }));
    const statuses = await Promise.all(
      [
        fetch(url),
        fetch(url, { headers: { authorization: "Bearer rubbish" } }),
        fetch(url, { headers: { authorization, ...evil } }),
        fetch(url, { headers: { "x-user-id": "ann" } }),
        fetch(url, { headers: { authorization } }),
        fetch(`${url}&connectionParams=${params}`),
      ].map(async (answer) => (await answer).status),
    );
    expect(statuses).toEqual([401, 401, 403, 401, 200, 200]);
  });

  test("another spelling of the address is no way round", async () => {
    await using server = await start();
    for (const path of ["/%74rpc/bots.list", "/trpc/%62ots.list", "//trpc/bots.list"]) {
      const url = `http://127.0.0.1:${server.port}${path}`;
      expect([403, 404]).toContain((await fetch(url, { headers: evil })).status);
    }
  });

  test("pages from elsewhere may neither read nor ask first; those on the list may", async () => {
    await using server = await start({ allowedOrigins: ["https://chat.example"] });
    const ask = (origin: string, method: string) =>
      fetch(`${server.httpUrl}/bots.list`, {
        method,
        headers: { origin, "access-control-request-method": "POST" },
      });
    const allow = "access-control-allow-origin";
    expect((await ask("https://evil.example", "OPTIONS")).headers.has(allow)).toBe(false);
    expect((await ask("https://evil.example", "GET")).headers.has(allow)).toBe(false);
    expect((await ask("https://chat.example", "OPTIONS")).headers.get(allow)).toBe(
      "https://chat.example",
    );
    expect((await ask("https://chat.example", "GET")).status).toBe(200);
  });

  test("a form on a page elsewhere, which needs no leave to be sent, starts nothing", async () => {
    await using server = await start();
    const body = JSON.stringify({ json: { conversationId: randomUUID(), botId: "test" } });
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const headers = { "content-type": type };
      const answer = await fetch(`${server.httpUrl}/conversations.create`, {
        method: "POST",
        headers,
        body,
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
    const { items } = await server.langwire.store.conversations.list("local", { limit: 10 });
    expect(items).toEqual([]);
  });

  test("a name that leads here from elsewhere gets nothing, not even the page", async () => {
    await using server = await start();
    for (const path of ["/", "/healthz", "/trpc/bots.list"]) {
      const answer = await rawGet(server.port, path, "rebound.example");
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    }
    expect(await rawGet(server.port, "/healthz", "localhost")).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("without authentication it answers to every name where that is wanted", async () => {
    await using server = await start({ allowAnonymous: true });
    expect(await rawGet(server.port, "/trpc/bots.list", "chat.lan")).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("browsers are told to load nothing from elsewhere", async () => {
    await using server = await start();
    const { headers } = await fetch(`http://127.0.0.1:${server.port}/healthz`);
    expect(headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(headers.get("content-security-policy")).not.toContain("unsafe-eval");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-powered-by")).toBeNull();
  });

  test("every refusal has the same shape", async () => {
    await using server = await start({ connectionLimits: { maxFrameBytes: 1_000 } });
    const json = { "content-type": "application/json" };
    const post = { method: "POST", headers: json };
    const answers = await Promise.all([
      fetch(`${server.httpUrl}/nothing.here`),
      fetch(`http://127.0.0.1:${server.port}/nowhere`),
      fetch(`${server.httpUrl}/chat.cancel`),
      fetch(`${server.httpUrl}/bots.list`, { method: "DELETE" }),
      fetch(`${server.httpUrl}/chat.cancel`, { ...post, body: "{" }),
      fetch(`${server.httpUrl}/chat.cancel`, { ...post, body: `"${"x".repeat(2_000)}"` }),
      fetch(`${server.httpUrl}/chat.cancel`, { method: "POST", body: "x" }),
      fetch(`${server.httpUrl}/${"a,".repeat(200)}?batch=1`),
      fetch(`${server.httpUrl}/%`),
    ]);
    const shapes = await Promise.all(
      answers.map(async (answer) => {
        const [body] = [(await answer.json()) as Frame | Frame[]].flat();
        const { json } = body?.error ?? expect.fail("no error");
        return [answer.status, json.data.httpStatus, json.data.langwire.code];
      }),
    );
    expect(shapes).toEqual([
      [404, 404, "NOT_FOUND"],
      [404, 404, "NOT_FOUND"],
      [405, 405, "BAD_INPUT"],
      [405, 405, "BAD_INPUT"],
      [400, 400, "BAD_INPUT"],
      [413, 413, "BAD_INPUT"],
      [415, 415, "BAD_INPUT"],
      [400, 400, "BAD_INPUT"],
      [400, 400, "BAD_INPUT"],
    ]);
  });
});

/** `fetch` sets the Host header itself. */
async function rawGet(port: number, path: string, host: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
