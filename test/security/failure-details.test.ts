/** What the store threw at a call is in development alone, on whichever way the call came. */
import { randomUUID } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFetchHandler } from "../../src/index.ts";
import { startTestServer, type TestServer } from "../../src/testing/test-server.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { openSocket, request, subscription } from "./socket.ts";

const canary = "no such column canary-41b7";
const json = { conversationId: randomUUID() };
const input = `input=${encodeURIComponent(JSON.stringify({ json }))}`;

async function overSocket(server: TestServer, call: object): Promise<string> {
  using socket = await openSocket(server.url);
  socket.send(call);
  return JSON.stringify(await socket.frame(({ id }) => id === 1));
}

async function over(url: string, init: RequestInit = {}): Promise<string> {
  return await (await fetch(url, init)).text();
}

const post = {
  ...{ method: "POST", headers: { "content-type": "application/json" } },
  body: JSON.stringify({ json }),
};
const events = { headers: { accept: "text/event-stream" } };

const ways: Record<string, (server: TestServer, dev: boolean) => Promise<string>> = {
  "a query of a socket": (server) => overSocket(server, request(1, "conversations.get", json)),
  "a mutation of a socket": (server) =>
    overSocket(server, request(1, "conversations.leave", json, "mutation")),
  "a subscription of a socket": (server) => overSocket(server, subscription(1, "chat.watch", json)),
  "a query over HTTP": ({ httpUrl }) => over(`${httpUrl}/conversations.get?${input}`),
  "a mutation over HTTP": ({ httpUrl }) => over(`${httpUrl}/conversations.leave`, post),
  "a batch": ({ httpUrl }) =>
    over(`${httpUrl}/conversations.get?batch=1&${input.replace("%7B", "%7B%220%22%3A%7B")}%7D`),
  "an event stream": ({ httpUrl }) => over(`${httpUrl}/chat.watch?${input}`, events),
  "a route handler": async ({ langwire }, dev) => {
    const handle = createFetchHandler({ langwire, dev });
    return (await handle(new Request(`http://localhost/conversations.get?${input}`))).text();
  },
};

describe.each(Object.entries(ways))("%s", (_way, ask) => {
  test.each([
    ["in production", false],
    ["in development", true],
  ])("%s", async (_where, dev) => {
    const server = await startTestServer({ bots: [scriptedBot()], dev });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const fails = () => Promise.reject(new TypeError(canary));
    const { conversations } = server.langwire.store;
    Object.assign(conversations, { get: fails, leave: fails, isMember: fails });
    const answer = await ask(server, dev);
    expect(answer).toContain('"code":"INTERNAL"');
    expect(answer.includes('"detail"')).toBe(dev);
    expect(answer.includes(canary)).toBe(dev);
  });
});
