/** Whoever is refused is told so: readable for a page that may call, by name, and on no other's cost. */
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { verifyTokens } from "../../src/server/access/auth.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/test-server.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { openSocket, request } from "./socket.ts";
import { secret } from "./tokens.ts";

function start(options: Partial<TestServerOptions> = {}) {
  return startTestServer({ bots: [scriptedBot()], ...options });
}

const origin = "https://chat.example";

describe("a page that may call can read", () => {
  const readable = { "access-control-allow-origin": origin };

  async function ask(url: string, init: RequestInit = {}) {
    const answer = await fetch(url, { ...init, headers: { origin, ...init.headers } });
    return { status: answer.status, headers: Object.fromEntries(answer.headers) };
  }

  test("that its token is missing or wrong, and that there is nothing at the address", async () => {
    await using server = await start({
      allowedOrigins: [origin],
      authenticate: verifyTokens({ key: { secret } }),
    });
    const { httpUrl, port } = server;
    const wrong = { headers: { authorization: "Bearer rubbish" } };
    const params = encodeURIComponent(JSON.stringify({ token: "rubbish" }));
    for (const [url, init, status] of [
      [`${httpUrl}/bots.list`, {}, 401],
      [`${httpUrl}/bots.list`, wrong, 401],
      [`${httpUrl}/bots.list?connectionParams=${params}`, {}, 401],
      [`${httpUrl}/nothing.there`, wrong, 401],
      [`http://127.0.0.1:${port}/elsewhere`, {}, 404],
      [httpUrl, wrong, 401],
    ] as const) {
      expect(await ask(url, init), url).toMatchObject({ status, headers: readable });
    }
  });

  test("that it asked too often, and it may go on asking whether it may ask", async () => {
    await using server = await start({
      allowedOrigins: [origin],
      connectionLimits: { maxHttpRequestsPerSecond: 1 },
    });
    const url = `${server.httpUrl}/bots.list`;
    await expect.poll(() => ask(url)).toMatchObject({ status: 429, headers: readable });
    const preflight = { "access-control-request-method": "GET" };
    const leave = await ask(url, { method: "OPTIONS", headers: preflight });
    expect(leave).toMatchObject({ status: 204, headers: readable });
  });
});

describe("addresses", () => {
  test("a slash too many changes nothing", async () => {
    await using server = await start();
    using socket = await openSocket(`${server.url}/`);
    socket.send(request(1, "bots.list"));
    expect(await socket.frame(({ id }) => id === 1)).toHaveProperty("result");
    for (const path of ["/bots.list/", "//bots.list"]) {
      expect((await fetch(`${server.httpUrl}${path}`)).status).toBe(200);
    }
  });

  test("the sockets' own says over HTTP what it is for", async () => {
    await using server = await start();
    const answer = await fetch(server.httpUrl);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("WebSockets open here");
  });

  test.each(["a@b", "user:password@localhost", "a/b", "a#b", "a?b", "a\\b", "a:1:2", "a:99999"])(
    "a Host of %s is none: 400",
    async (host) => {
      for (const options of [{}, { allowAnonymous: true }]) {
        await using server = await start(options);
        for (const path of ["/trpc/bots.list", "/healthz"]) {
          expect(await rawGet(server.port, path, host)).toMatch(/^HTTP\/1\.1 400 /);
        }
      }
    },
  );

  test.each(["chat.example", "chat_2.example:3000", "[::1]:3000", "xn--bcher-kva.example."])(
    "a Host of %s is one",
    async (host) => {
      await using server = await start({ allowAnonymous: true });
      expect(await rawGet(server.port, "/trpc/bots.list", host)).toMatch(/^HTTP\/1\.1 200 /);
    },
  );
});

async function rawGet(port: number, path: string, host: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
