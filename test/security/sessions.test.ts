/** Sessions in cookies, and whatever else an application authenticates by: who is let in, told, let back. */
import { Writable } from "node:stream";
import { EventSource } from "eventsource";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createClient, type LangwireClient } from "../../client/src/index.ts";
import { serverSentEvents } from "../../client/src/sse.ts";
import { type ErrorCode, LangwireError } from "../../src/protocol/errors.ts";
import type { AuthRequest } from "../../src/server/access/auth-request.ts";
import { readUserId } from "../../src/server/access/callers.ts";
import type { Authenticate } from "../../src/server/access/identify.ts";
import { createLogger } from "../../src/server/logging/logger.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/index.ts";
import { socketWithCookies } from "./cookie-client.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { openSocket } from "./socket.ts";

const message = { botId: "test", message: "hello" };
const refused = { code: "UNAUTHORIZED", retryable: false };

/** A server whose sessions are in a map, and a browser with a jar of cookies. */
async function setUp(options: Partial<TestServerOptions> = {}) {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const sessions = new Map<string, { userId: string; expiresAt?: Date }>([
    ["first", { userId: "anna" }],
  ]);
  const asked: string[] = [];
  const authenticate: Authenticate = ({ cookies: { session = "" } }) => {
    asked.push(session);
    return sessions.get(session);
  };
  const server = stack.use(
    await startTestServer({ bots: [scriptedBot()], authenticate, ...options }),
  );
  const jar: { cookie?: string | undefined } = {};
  const enter = (more: Partial<Parameters<typeof createClient>[0]> = {}): LangwireClient =>
    stack.use(
      createClient({
        url: server.url,
        WebSocket: socketWithCookies(jar),
        backoff: { baseMs: 10, maxMs: 50 },
        ...more,
      }),
    );
  return { server, sessions, asked, jar, enter };
}

const origin = { origin: "http://127.0.0.1" };

describe("a browser's socket that is refused opens, and says why it closes", () => {
  test.each<[string, object, { code: number; reason: string }]>([
    ["no cookie", origin, { code: 4401, reason: "UNAUTHORIZED" }],
    [
      "a header, as proxies add it",
      { ...origin, headers: { authorization: "Bearer x" } },
      { code: 4401, reason: "UNAUTHORIZED" },
    ],
    [
      "sessions that cannot be read",
      { ...origin, headers: { cookie: "session=down" } },
      { code: 1013, reason: "AUTH_UNAVAILABLE" },
    ],
    [
      "a refusal of the application's own",
      { ...origin, headers: { cookie: "session=many" } },
      { code: 4429, reason: "RATE_LIMITED" },
    ],
  ])("%s", async (_what, request, closed) => {
    const authenticate: Authenticate = ({ cookies: { session } }) => {
      if (session === "down") throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      if (session === "many") throw new LangwireError("RATE_LIMITED");
      return null;
    };
    const { server } = await setUp({ authenticate });
    using socket = await openSocket(server.url, request);
    expect(await socket.closed).toEqual(closed);
    expect(socket.frames).toMatchObject([
      { id: null, error: { json: { data: { langwire: { code: closed.reason } } } } },
    ]);
  });

  test("it holds its place for that moment, and no longer", async () => {
    const connectionLimits = { maxSocketsPerAddress: 2 };
    const { server } = await setUp({ connectionLimits });
    for (let index = 0; index < 5; index++) {
      using socket = await openSocket(server.url, origin);
      expect((await socket.closed).code).toBe(4401);
      await expect.poll(() => server.server.connections.size).toBe(0);
    }
  });

  test("a header that is no browser's is refused before, and so is a page from elsewhere", async () => {
    const { server } = await setUp();
    const headers = { authorization: "Bearer x" };
    await expect(openSocket(server.url, { headers })).rejects.toMatchObject({ status: 401 });
    const evil = openSocket(server.url, { origin: "https://evil.example" });
    await expect(evil).rejects.toMatchObject({ status: 403 });
  });
});

describe("without a session", () => {
  test.each(["WebSocket", "server-sent events"])(
    "the app is told at once, and nothing is tried again, over %s",
    async (way) => {
      const { asked, jar, enter, sessions, server } = await setUp();
      const overSse = { transport: serverSentEvents, EventSource, url: server.httpUrl };
      // Whoever is told only after another try is not told while the test lasts.
      const backoff = { baseMs: 600_000 };
      const client = enter({ backoff, ...(way !== "WebSocket" && overSse) });
      await expect(client.send(message).text).rejects.toMatchObject(refused);
      await expect(client.conversations.list()).rejects.toMatchObject(refused);
      await expect(client.bots.list()).rejects.toMatchObject(refused);
      const conversationId = crypto.randomUUID();
      await expect(client.watch({ conversationId }).started).rejects.toMatchObject(refused);
      const timesAsked = asked.length;
      if (way === "WebSocket") {
        expect(client.connection.error).toMatchObject(refused);
        expect(timesAsked).toBe(4);
        jar.cookie = "session=first";
        expect(await client.send(message).text).toBe("ab");
        expect(client.connection.error).toBeUndefined();
        expect(asked).toHaveLength(5);
        expect(sessions.size).toBe(1);
      }
    },
  );
});

describe("a session that ends in the middle of a run", () => {
  async function inTheMiddle() {
    const middle = Promise.withResolvers<void>();
    const bot = scriptedBot(() => ({ tokens: ["one ", "two"], until: middle.promise }));
    const s = await setUp({ bots: [bot] });
    s.sessions.set("short", { userId: "anna", expiresAt: new Date(Date.now() + 1_000) });
    s.jar.cookie = "session=short";
    const client = s.enter();
    const run = client.send(message);
    const events: string[] = [];
    const reading = (async () => {
      for await (const event of run) {
        events.push(event.type);
        if (event.type === "token") s.jar.cookie = "session=first";
      }
    })();
    reading.catch(() => {});
    return { ...s, client, run, events, reading, middle };
  }

  test("goes on with the next cookie, and misses nothing", async () => {
    const s = await inTheMiddle();
    await expect.poll(() => s.asked).toEqual(["short", "first"]);
    s.middle.resolve();
    expect(await s.run.text).toBe("one two");
    await s.reading;
    expect(s.events.filter((type) => type === "runStart" || type === "runEnd")).toHaveLength(2);
    const again = s.client.follow({ runId: s.run.id });
    expect(await again.text).toBe("one two");
    const whole: string[] = [];
    for await (const event of again) whole.push(event.type);
    expect(s.events.filter((type) => type !== "token")).toEqual(
      whole.filter((type) => type !== "token"),
    );
  });

  test("is told where there is no next one; the run goes on, and can be followed again", async () => {
    const s = await inTheMiddle();
    s.sessions.delete("first");
    await expect(s.run.text).rejects.toMatchObject({ ...refused, partialText: "one two" });
    expect(s.asked).toEqual(["short", "first"]);
    s.sessions.set("first", { userId: "anna" });
    s.middle.resolve();
    expect(await s.client.follow({ runId: s.run.id }).text).toBe("one two");
  });
});

describe("what authenticate is given", () => {
  test("of a socket and over HTTP: cookies, headers, parameters, address, URL, a Request", async () => {
    const given: AuthRequest[] = [];
    const authenticate: Authenticate = (request) => {
      given.push(request);
      return { userId: "anna" };
    };
    const { server, jar, enter } = await setUp({ authenticate });
    jar.cookie = 'theme=dark; session=a%20b; session=other; __proto__=x; quoted="q"; bad=%E0';
    await enter().bots.list();
    await enter({ userId: "ben" }).bots.list();
    const headers = { cookie: jar.cookie };
    await fetch(`${server.httpUrl}/bots.list`, { headers });
    expect(given).toHaveLength(3);
    for (const { cookies, address, url, webRequest, headers: all, signal } of given) {
      expect({ ...cookies }).toMatchObject({
        theme: "dark",
        session: "a b",
        quoted: "q",
        bad: "%E0",
      });
      expect(address).toBe("127.0.0.1");
      expect(new URL(url).host).toBe(`127.0.0.1:${server.port}`);
      expect(webRequest.url).toBe(url);
      expect(webRequest.headers.get("cookie")).toBe(jar.cookie);
      expect(all.cookie).toBe(jar.cookie);
      expect(signal.aborted).toBe(false);
    }
    expect(given.map(({ connectionParams }) => connectionParams)).toEqual([
      null,
      { userId: "ben" },
      null,
    ]);
    expect(given.map(({ url }) => new URL(url).pathname)).toEqual([
      "/trpc",
      "/trpc",
      "/trpc/bots.list",
    ]);
  });
});

describe("what authenticate throws", () => {
  async function throwing(authenticate: Authenticate, authTimeoutMs = 10_000) {
    const lines: string[] = [];
    const destination = new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    const logger = createLogger({ level: "info", destination });
    const s = await setUp({ authenticate, logger, connectionLimits: { authTimeoutMs } });
    return { ...s, lines };
  }

  test("a fault of its own is UNAUTHORIZED for the caller, and in the log with its line", async () => {
    const faulty: Authenticate = () => {
      throw new TypeError("Cannot read properties of undefined (reading 'user')");
    };
    const { enter, lines } = await throwing(faulty);
    await expect(enter().send(message).text).rejects.toMatchObject(refused);
    const line = lines.find((one) => one.includes("authenticate failed"));
    expect(line).toContain("sessions.test.ts");
    expect(line).toContain("TypeError");
  });

  test.each<[string, unknown]>([
    ["that is empty", ""],
    ["that is number", 7],
    ["that is undefined", undefined],
    ["longer than 200 characters", "a".repeat(201)],
    ["with characters that are not seen", "anna\nbob"],
    ["with characters that are not seen", "anna\u202e"],
  ])(
    "a userId %s is a fault of the application: refused, and in the log once",
    async (what, userId) => {
      const { server, lines } = await throwing(() => ({ userId }) as never);
      const statuses = await Promise.all(
        [1, 2, 3].map(async () => (await fetch(`${server.httpUrl}/bots.list`)).status),
      );
      expect(statuses).toEqual([401, 401, 401]);
      const told = lines.filter((line) => line.includes("authenticate failed"));
      expect(told).toHaveLength(1);
      expect(told[0]).toContain(`TypeError: authenticate gave a userId ${what}`);
      expect(JSON.parse(told[0] ?? "").level).toBe(50);
    },
  );

  test("a token's subject that is no user's id is its caller's doing, and no fault", async () => {
    const { server, lines } = await throwing(() => {
      readUserId("");
      return null;
    });
    expect((await fetch(`${server.httpUrl}/bots.list`)).status).toBe(401);
    expect(lines.join("")).not.toContain("authenticate failed");
  });

  test("a library without a logger has it on the console", async () => {
    const said = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => said.mockRestore());
    const { enter } = await setUp({
      authenticate: () => {
        throw new RangeError("No such shard");
      },
    });
    await expect(enter().send(message).text).rejects.toMatchObject(refused);
    const told = said.mock.calls.map(([what]) => String(what)).join();
    expect(told).toMatch(/authenticate failed.*RangeError: No such shard.*sessions\.test\.ts/s);
  });

  test("an outage is AUTH_UNAVAILABLE, from which a client comes back", async () => {
    let isDown = true;
    const outage = new TypeError("fetch failed", {
      cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
    });
    const { enter, lines } = await throwing(async () => {
      if (isDown) throw outage;
      return { userId: "anna" };
    });
    const client = enter();
    const run = client.send(message);
    await expect
      .poll(() => lines.filter((line) => line.includes("AUTH_UNAVAILABLE")).length)
      .toBeGreaterThan(0);
    isDown = false;
    expect(await run.text).toBe("ab");
  });

  describe.each<[ErrorCode, number]>([
    ["STORE_UNAVAILABLE", 503],
    ["OVERLOADED", 503],
    ["SERVER_RESTARTED", 503],
  ])("%s, which may pass", (code, status) => {
    const away = () => {
      const state = { isAway: true };
      const authenticate: Authenticate = () => {
        if (state.isAway) throw new LangwireError(code, { message: "Not now.", retryAfterMs: 5 });
        return { userId: "anna" };
      };
      return { state, authenticate };
    };

    test("is that error on a socket, which is told to come back", async () => {
      const { server } = await throwing(away().authenticate);
      using socket = await openSocket(server.url, origin);
      expect(await socket.closed).toEqual({ code: 1013, reason: code });
      const langwire = { code, retryable: true, retryAfterMs: 5, unheard: true };
      expect(socket.frames).toMatchObject([{ id: null, error: { json: { data: { langwire } } } }]);
    });

    test("is its status over HTTP", async () => {
      const { server } = await throwing(away().authenticate);
      expect((await fetch(`${server.httpUrl}/bots.list`)).status).toBe(status);
    });

    test.each([
      ["a WebSocket", {}],
      ["server-sent events", { transport: serverSentEvents, EventSource }],
    ])("over %s a client comes back from it", async (_way, more) => {
      const { state, authenticate } = away();
      const { enter, asked } = await throwing((request) => {
        asked.push("asked");
        return authenticate(request);
      });
      const run = enter(more).send(message);
      await expect.poll(() => asked.length).toBeGreaterThan(4);
      state.isAway = false;
      expect(await run.text).toBe("ab");
    });
  });

  test("a store of the application's own that is away is in the log, with its line", async () => {
    const { server, lines } = await throwing(() => {
      throw new LangwireError("STORE_UNAVAILABLE", { message: "Sessions are away." });
    });
    const told = () => lines.filter((line) => line.includes("request failed"));
    await fetch(`${server.httpUrl}/bots.list`);
    await fetch(`${server.httpUrl}/bots.list`, { headers: { authorization: "Bearer x" } });
    expect(told()).toHaveLength(2);
    for (const line of told()) {
      expect(line).toMatch(
        /LangwireError \(STORE_UNAVAILABLE\): Sessions are away.*sessions\.test\.ts/,
      );
    }
  });

  test("a socket that is refused is logged once, however much it asks for", async () => {
    const { server, lines } = await throwing(() => null);
    const calls = Array.from({ length: 50 }, (_, id) => ({
      id,
      method: "query",
      params: { path: "bots.list" },
    }));
    using socket = await openSocket(`${server.url}?connectionParams=1`, origin);
    socket.send({ method: "connectionParams", data: {} });
    socket.send(calls);
    expect(await socket.closed).toMatchObject({ code: 4401 });
    expect(socket.frames.filter(({ error }) => error !== undefined)).toHaveLength(51);
    expect(lines.filter((line) => line.includes("caller refused"))).toHaveLength(1);
  });

  test("one that takes too long is told so by its signal", async () => {
    const aborted = Promise.withResolvers<unknown>();
    const { server } = await throwing(({ signal }) => {
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      return new Promise<never>(() => {});
    }, 50);
    const answer = await fetch(`${server.httpUrl}/bots.list`);
    expect(answer.status).toBe(503);
    expect(await aborted.promise).toMatchObject({
      message: "authenticate took longer than 50 ms",
    });
  });
});
