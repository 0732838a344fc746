/** What the page at `/` is told of its user. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LangwireError, verifyTokens } from "../../src/index.ts";
import { minSecretBytes } from "../../src/server/access/auth.ts";
import type { Authenticate } from "../../src/server/access/identify.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/index.ts";
import { scriptedBot } from "../security/scripted-bot.ts";

async function start(options: Partial<TestServerOptions>) {
  const pageDir = await mkdtemp(join(tmpdir(), "langwire-session-"));
  onTestFinished(() => rm(pageDir, { recursive: true }));
  await writeFile(join(pageDir, "index.html"), "<!doctype html>");
  const server = await startTestServer({ bots: [scriptedBot()], pageDir, ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return async (headers: Record<string, string> = {}) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/session`, { headers });
    return {
      status: answer.status,
      cache: answer.headers.get("cache-control"),
      body: await answer.json(),
    };
  };
}

const pages = { signInUrl: "/login?next={url}", signOutUrl: "https://app.example/logout" };

test("who asks, and the application's pages; of a context, nothing", async () => {
  const ask = await start({
    ...pages,
    authenticate: ({ cookies: { session } }) => {
      if (session === "away") throw new LangwireError("AUTH_UNAVAILABLE");
      if (session !== "anna") return null;
      return { userId: "anna", name: "Anna", context: { tenant: "acme" } };
    },
  });
  expect(await ask({ cookie: "session=anna" })).toEqual({
    status: 200,
    cache: "no-store",
    body: { ...pages, user: { userId: "anna", name: "Anna" }, takesTokens: false },
  });
  expect(await ask()).toEqual({
    status: 200,
    cache: "no-store",
    body: { ...pages, takesTokens: false },
  });
  expect((await ask({ cookie: "session=away" })).status).toBe(503);
});

test.each<[string, Authenticate]>([
  ["verifyTokens", verifyTokens({ key: { secret: "s".repeat(minSecretBytes) } })],
  ["a token of the application's own", ({ connectionParams }) => connectionParams && null],
  ["a copy of the request", (request) => void { ...request }],
])("of a server that looks for %s, nothing against one", async (_what, authenticate) => {
  const ask = await start({ authenticate });
  expect((await ask()).body).toEqual({});
});

test("to a caller with a header, who may have been looked at by that alone, nothing of tokens", async () => {
  const authenticate: Authenticate = ({ headers, connectionParams }) =>
    headers.authorization !== undefined ? null : connectionParams && null;
  const ask = await start({ authenticate });
  expect((await ask({ authorization: "Bearer expired" })).body).toEqual({});
});

test("of a server that takes callers at their word, nothing", async () => {
  const ask = await start({});
  expect((await ask({ "x-user-id": "anna" })).body).toEqual({});
});

test.each(["javascript:alert(1)", "//elsewhere.example", "login", "/\\\\elsewhere.example"])(
  "%s is no page",
  async (signInUrl) => {
    await expect(start({ signInUrl })).rejects.toThrow(TypeError);
    await expect(start({ signOutUrl: signInUrl })).rejects.toThrow("signOutUrl must be");
  },
);
