import { EventSource } from "eventsource";
import { expect, onTestFinished, test, vi } from "vitest";
import { credentials } from "../../client/src/connection/transport.ts";
import { serverSentEvents } from "../../client/src/sse.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { verifyTokens } from "../../src/server/access/auth.ts";
import type { Authenticate } from "../../src/server/access/identify.ts";
import { audience, issuer, startKeyServer } from "../security/tokens.ts";
import { gate, hello, setUp } from "./set-up.ts";

/** Takes the tokens that are in the set, over WebSocket and over HTTP. */
function guard(...accepted: string[]) {
  const valid = new Set(accepted);
  const seen: unknown[] = [];
  const authenticate: Authenticate = ({ connectionParams, headers }) => {
    const bearer = String(headers.authorization ?? "").replace("Bearer ", "");
    const token = String(connectionParams?.token ?? bearer);
    seen.push(token);
    if (!valid.has(token)) throw new LangwireError("UNAUTHORIZED");
    return { userId: "somebody" };
  };
  return { valid, seen, authenticate };
}

test("a token is shown to the server", async () => {
  const { authenticate } = guard("secret");
  const { client } = await setUp({ server: { authenticate }, client: { token: "secret" } });
  expect(await client.send(hello).text).toBe("You said: hello");
});

test("a fixed token that is refused is not tried again", async () => {
  const { authenticate, seen } = guard();
  const { client } = await setUp({ server: { authenticate }, client: { token: "wrong" } });
  const list = client.conversations.list();
  list.catch(() => {});
  const run = client.send(hello);
  await expect(run.text).rejects.toMatchObject({ code: "UNAUTHORIZED", retryable: false });
  await expect(list).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  expect(seen).toEqual(["wrong"]);
});

test("each connection asks for a token, and a fresh one resumes the run", async () => {
  const { authenticate, valid, seen } = guard("first");
  let token = "first";
  const { client, provider, proxy } = await setUp({
    server: { authenticate },
    client: { token: async () => token },
  });
  const middle = gate();
  provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
  const run = client.send(hello);
  for await (const event of run) if (event.type === "token") break;
  valid.clear();
  valid.add("second");
  token = "second";
  proxy.cut();
  middle.open();
  expect(await run.text).toBe("ab");
  expect(seen).toEqual(["first", "second"]);
});

test("a token that has just expired gets one more chance, and only one", async () => {
  const { authenticate, seen } = guard("good");
  const tokens = ["expired", "good", "expired", "expired"];
  const { client, proxy } = await setUp({
    server: { authenticate },
    client: { token: () => tokens.shift() ?? "none left" },
  });
  expect(await client.send(hello).text).toBe("You said: hello");
  expect(seen).toEqual(["expired", "good"]);
  proxy.cut();
  await expect(client.send(hello).text).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  expect(tokens).toEqual([]);
});

test.each([
  ["a WebSocket", {}],
  ["server-sent events", { transport: serverSentEvents, EventSource }],
])("over %s, a good token waits while the server cannot check it", async (_way, transport) => {
  const keys = await startKeyServer();
  onTestFinished(() => keys[Symbol.asyncDispose]());
  const authenticate = verifyTokens({ key: { jwksUrl: keys.url }, issuer, audience });
  const token = await keys.sign("ann");
  await keys.stop();
  const refused = Promise.withResolvers<void>();
  const { client } = await setUp({
    server: {
      authenticate: async (credentials) => {
        try {
          return await authenticate(credentials);
        } catch (cause) {
          refused.resolve();
          throw cause;
        }
      },
    },
    client: { ...transport, token },
  });
  const run = client.send(hello);
  const list = client.conversations.list();
  await refused.promise;
  await keys.restart();
  expect(await run.text).toBe("You said: hello");
  expect(await list).toHaveProperty("items");
});

test.each([
  ["a WebSocket", {}],
  ["server-sent events", { transport: serverSentEvents, EventSource }],
])("over %s, a token that never comes is given up in time", async (_way, transport) => {
  const token = () => new Promise<string>(() => {});
  const { client } = await setUp({ client: { ...transport, token, connectTimeoutMs: 100 } });
  const message = "There is no token to show: it did not come in time.";
  const refused = { code: "UNAUTHORIZED", message };
  await expect(client.send(hello).text).rejects.toMatchObject(refused);
  await expect(client.bots.list()).rejects.toMatchObject(refused);
});

test("a token that came leaves no timer that keeps a program", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const shown = credentials({ url: "ws://x", token: async () => "t", userId: "u" });
  expect(await shown?.()).toEqual({ token: "t", userId: "u" });
  expect(vi.getTimerCount()).toBe(0);
  expect(credentials({ url: "ws://x" })).toBeUndefined();
});

test("without authentication, userId names the caller", async () => {
  const { connect } = await setUp();
  const [one, two] = [connect({ userId: "one" }), connect({ userId: "two" })];
  const run = one.send(hello);
  await run.ended;
  expect((await one.conversations.list()).items).toHaveLength(1);
  expect((await two.conversations.list()).items).toHaveLength(0);
});
