/** What one caller may use: every limit at its edge, with its error, and what comes after. */
import { randomUUID } from "node:crypto";
import { RunnableLambda } from "@langchain/core/runnables";
import { EventSource } from "eventsource";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineBot } from "../../src/bots/bot.ts";
import { admission } from "../../src/runs/admission/admission.ts";
import { memoryRateLimit } from "../../src/runs/admission/rate-limit.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/test-server.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { openRawSocket, textFrame } from "./raw-socket.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { codeOf, openSocket, request, subscription, type TestSocket } from "./socket.ts";

function start(options: Partial<TestServerOptions> = {}) {
  return startTestServer({ bots: [scriptedBot()], ...options });
}

function newRun(more: object = {}) {
  const ids = { runId: randomUUID(), conversationId: randomUUID() };
  return { ...ids, botId: "test", message: "hello", ...more };
}

function answer(socket: TestSocket, id: number) {
  return socket.frame((frame) => frame.id === id);
}

describe("frames", () => {
  test("a frame may have so many bytes, and not one more: 1009", async () => {
    await using server = await start({ connectionLimits: { maxFrameBytes: 1_000 } });
    using socket = await openSocket(server.url);
    const padded = (bytes: number) => {
      const frame = JSON.stringify(request(1, "bots.list"));
      return `${frame}${" ".repeat(bytes - frame.length)}`;
    };
    socket.sendText(padded(1_000));
    expect(await answer(socket, 1)).toHaveProperty("result");
    socket.sendText(padded(1_001));
    expect((await socket.closed).code).toBe(1009);
  });

  test("a request that is too large over HTTP: 413", async () => {
    await using server = await start({ connectionLimits: { maxFrameBytes: 1_000 } });
    const answer = await fetch(`${server.httpUrl}/chat.cancel`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ json: { runId: "x".repeat(1_000) } }),
    });
    expect(answer.status).toBe(413);
  });

  test("too many requests in one are each refused, over HTTP as well", async () => {
    const connectionLimits = { maxMessagesPerFrame: 4, maxSubscriptionsPerSocket: 2 };
    await using server = await start({ connectionLimits });
    using socket = await openSocket(server.url);
    const batch = (ids: number[]) => ids.map((id) => request(id, "bots.list"));
    socket.send(batch([1, 2, 3, 4]));
    expect(await answer(socket, 4)).toHaveProperty("result");
    socket.send(batch([11, 12, 13, 14, 15]));
    for (const id of [11, 12, 13, 14, 15]) {
      expect(codeOf(await answer(socket, id))).toBe("BAD_INPUT");
    }
    const paths = Array(5).fill("bots.list").join(",");
    expect((await fetch(`${server.httpUrl}/${paths}?batch=1`)).status).toBe(400);
  });

  test("a frame of 200,000 requests ends the socket, and nobody else notices", async () => {
    await using server = await start({ connectionLimits: { maxFrameBytes: 16 * 1024 * 1024 } });
    using honest = await openSocket(server.url);
    using socket = await openSocket(server.url);
    const one = JSON.stringify(request(1, "bots.list"));
    socket.sendText(`[${Array(200_000).fill(one).join(",")}]`);
    expect((await socket.closed).code).toBe(4429);
    expect(socket.frames).toHaveLength(1);
    honest.send(request(1, "bots.list"));
    expect(await answer(honest, 1)).toHaveProperty("result");
  });

  test("too many requests in a second: RATE_LIMITED with a time, then the socket's end", async () => {
    const connectionLimits = {
      maxRequestsPerSecond: 20,
      maxMessagesPerFrame: 10,
      maxSubscriptionsPerSocket: 5,
    };
    await using server = await start({ connectionLimits });
    using socket = await openSocket(server.url);
    for (let id = 1; id <= 21; id++) socket.send(request(id, "bots.list"));
    const refused = await answer(socket, 21);
    expect(codeOf(refused)).toBe("RATE_LIMITED");
    expect(refused.error?.json.message).toContain("20 requests on one connection in a second");
    expect(refused.error?.json.data.langwire.retryAfterMs).toBeGreaterThan(0);
    for (let id = 100; id < 200; id++) socket.send(request(id, "bots.list"));
    expect((await socket.closed).code).toBe(4429);
  });

  test("a flood of PING that nobody reads the answers of costs no memory", async () => {
    await using server = await start({ connectionLimits: { maxBacklogBytes: 16 * 1024 } });
    using socket = await openRawSocket(server.port);
    socket.socket.pause();
    const pings = Buffer.concat(Array<Buffer>(20_000).fill(textFrame("PING")));
    // Until the kernel's buffers are full in both directions, and the server reads no more.
    for (let rounds = 0; socket.socket.writableLength < 2 * pings.length; rounds++) {
      expect(rounds).toBeLessThan(500);
      socket.socket.write(pings);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [open] = server.server.app.websocketServer.clients;
    expect(open?.bufferedAmount).toBeLessThan(512 * 1024);
  });
});

describe("sockets", () => {
  test("in all: 503 before the upgrade, until one is free", async () => {
    await using server = await start({ connectionLimits: { maxSockets: 2 } });
    using first = await openSocket(server.url);
    using _second = await openSocket(server.url);
    await expect(openSocket(server.url)).rejects.toMatchObject({
      status: 503,
      headers: { "retry-after": "5" },
      body: expect.stringContaining("OVERLOADED"),
    });
    first.webSocket.close();
    await first.closed;
    await expect.poll(() => server.server.connections.size).toBe(1);
    using third = await openSocket(server.url);
    expect(third.webSocket.readyState).toBe(1);
  });

  test("from one address: 429, and another is let in; a proxy's word counts if it is trusted", async () => {
    await using server = await start({
      connectionLimits: { maxSocketsPerAddress: 1 },
      trustedProxies: ["127.0.0.1"],
    });
    const from = (address: string) =>
      openSocket(server.url, { headers: { "x-forwarded-for": address } });
    using _first = await from("203.0.113.1");
    await expect(from("203.0.113.1")).rejects.toMatchObject({
      status: 429,
      body: expect.stringMatching(/at most 1 connections from one address.*RATE_LIMITED/),
    });
    // Some proxies append the caller's port, which is another one with every connection.
    await expect(from("203.0.113.1:4711")).rejects.toMatchObject({ status: 429 });
    using second = await from("203.0.113.2");
    expect(second.webSocket.readyState).toBe(1);
    using _third = await from("[2001:db8:1:2::3]:80");
    await expect(from("[2001:db8:1:2::4]:81")).rejects.toMatchObject({ status: 429 });
    // Its own address, with a port, is no caller's.
    await expect(from("203.0.113.1, 127.0.0.1:80")).rejects.toMatchObject({ status: 429 });
  });

  test("nobody makes themselves another address without a trusted proxy", async () => {
    await using server = await start({ connectionLimits: { maxSocketsPerAddress: 1 } });
    using _first = await openSocket(server.url);
    const headers = { "x-forwarded-for": "203.0.113.2" };
    await expect(openSocket(server.url, { headers })).rejects.toMatchObject({ status: 429 });
  });

  test("many at the same moment get no more places than there are", async () => {
    await using server = await start({ connectionLimits: { maxSockets: 5 } });
    const opening = Array.from({ length: 40 }, () => openSocket(server.url));
    const settled = await Promise.allSettled(opening);
    const sockets = settled.flatMap((it) => (it.status === "fulfilled" ? [it.value] : []));
    expect(sockets.filter(({ webSocket }) => webSocket.readyState === 1)).toHaveLength(5);
    for (const socket of sockets) socket[Symbol.dispose]();
  });

  test("of one user: RATE_LIMITED and 4429; a subscription over HTTP counts like one", async () => {
    await using server = await start({ connectionLimits: { maxSocketsPerUser: 2 } });
    const socketOf = async (userId: string) => {
      const socket = await openSocket(`${server.url}?connectionParams=1`);
      socket.send({ method: "connectionParams", data: { userId } });
      return socket;
    };
    using first = await socketOf("ann");
    const conversation = newRun();
    first.send(request(1, "conversations.create", conversation, "mutation"));
    expect(await answer(first, 1)).toHaveProperty("result");
    const { conversationId } = conversation;
    const input = encodeURIComponent(JSON.stringify({ json: { conversationId } }));
    const params = encodeURIComponent(JSON.stringify({ userId: "ann" }));
    const url = `${server.httpUrl}/chat.watch?input=${input}&connectionParams=${params}`;
    const watching = new EventSource(url);
    await expect.poll(() => server.server.connections.subscriptions).toBe(1);
    using third = await socketOf("ann");
    expect((await third.closed).code).toBe(4429);
    expect(codeOf(third.frames[0] ?? {})).toBe("RATE_LIMITED");
    expect(third.frames[0]?.error?.json.message).toContain("2 connections of one user");
    const headers = { accept: "text/event-stream" };
    expect(await (await fetch(url, { headers })).text()).toContain("RATE_LIMITED");
    using other = await socketOf("ben");
    other.send(request(1, "bots.list"));
    expect(await answer(other, 1)).toHaveProperty("result");
    watching.close();
    await expect.poll(() => server.server.connections.subscriptions).toBe(0);
    using fourth = await socketOf("ann");
    fourth.send(request(1, "bots.list"));
    expect(await answer(fourth, 1)).toHaveProperty("result");
  });

  test("subscriptions on one: RATE_LIMITED, and a place is free again after each", async () => {
    const gate = Promise.withResolvers<void>();
    const bot = scriptedBot(() => ({ tokens: ["a"], until: gate.promise }));
    const connectionLimits = { maxSubscriptionsPerSocket: 2 };
    await using server = await start({ bots: [bot], connectionLimits });
    using socket = await openSocket(server.url);
    for (const id of [1, 2, 3]) socket.send(subscription(id, "chat.send", newRun()));
    const answers = await Promise.all([1, 2, 3].map((id) => answer(socket, id)));
    const refused = answers.filter((frame) => codeOf(frame) === "RATE_LIMITED");
    expect(refused).toHaveLength(1);
    expect(refused[0]?.error?.json.message).toContain("2 subscriptions on one connection");
    const open = answers.find((frame) => frame.error === undefined)?.id;
    socket.send({ id: open, method: "subscription.stop" });
    await socket.frame(({ id, result }) => id === open && result?.type === "stopped");
    socket.send(subscription(4, "chat.send", newRun()));
    expect(await answer(socket, 4)).toHaveProperty("result");
    expect(server.server.connections.subscriptions).toBe(2);
    gate.resolve();
    socket.webSocket.close();
    await expect.poll(() => server.server.connections.subscriptions).toBe(0);
  });

  test("subscriptions of one user on all sockets: RATE_LIMITED, and a place is free again after each", async () => {
    await using server = await start({ connectionLimits: { maxSubscriptionsPerUser: 3 } });
    const conversationId = randomUUID();
    const [one, two] = [await openSocket(server.url), await openSocket(server.url)];
    const create = { conversationId, botId: "test" };
    one.send(request(0, "conversations.create", create, "mutation"));
    await answer(one, 0);
    const watch = async (socket: TestSocket, id: number) => {
      socket.send(subscription(id, "chat.watch", { conversationId }));
      const frame = await answer(socket, id);
      const { message } = frame.error?.json ?? {};
      if (message !== undefined) expect(message).toContain("3 subscriptions of one user");
      return codeOf(frame);
    };
    expect([await watch(one, 1), await watch(one, 2), await watch(two, 3)]).toEqual(Array(3));
    expect(await watch(two, 4)).toBe("RATE_LIMITED");
    one.webSocket.close();
    await expect.poll(() => server.server.connections.subscriptions).toBe(1);
    expect([await watch(two, 5), await watch(two, 6), await watch(two, 7)]).toEqual([
      undefined,
      undefined,
      "RATE_LIMITED",
    ]);
    two[Symbol.dispose]();
  });

  test("HTTP requests of one address in a second: 429 with a time", async () => {
    await using server = await start({ connectionLimits: { maxHttpRequestsPerSecond: 5 } });
    const ask = () => fetch(`${server.httpUrl}/bots.list`);
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
    const health = `http://127.0.0.1:${server.port}/healthz`;
    expect((await fetch(health)).status).toBe(200);
  });
});

describe("half-open and idle sockets", () => {
  test("one whose other end is gone is cut; one that is only quiet stays", async () => {
    await using server = await start({ connectionLimits: { pingMs: 50 } });
    using quiet = await openSocket(server.url);
    using gone = await openSocket(server.url, { autoPong: false });
    expect((await gone.closed).code).toBe(1006);
    for (let pings = 0; pings < 6; pings++) {
      await new Promise((resolve) => quiet.webSocket.once("ping", resolve));
    }
    expect(quiet.webSocket.readyState).toBe(1);
    expect(server.server.connections.size).toBe(1);
  });

  test("one that takes nothing of what waits for it is closed with a code of its own", async () => {
    const text = "x".repeat(16 * 1024);
    const bot = scriptedBot(() => ({ tokens: Array<string>(2_000).fill(text) }));
    await using server = await start({
      bots: [bot],
      runLimits: { maxRunBytes: 64 * 1024 * 1024 },
      connectionLimits: { pingMs: 40, slowReaderMs: 200 },
    });
    using socket = await openSocket(server.url);
    socket.send(subscription(1, "chat.send", newRun()));
    await answer(socket, 1);
    socket.webSocket.pause();
    await expect.poll(() => server.server.connections.size).toBe(0);
    expect(server.server.connections.subscriptions).toBe(0);
  });
});

describe("runs", () => {
  const unlimited = memoryRateLimit({ what: "", times: Number.POSITIVE_INFINITY, perMs: 1 });

  async function refusal(server: { url: string }, userId: string, run = newRun()) {
    using client = wsClient(server.url, { userId });
    const reading = read((options) => client.api.chat.send.subscribe(run, options));
    return await reading.completed.then(
      () => undefined,
      ({ data, message }: { data: { langwire: object }; message: string }) => ({
        ...data.langwire,
        message,
      }),
    );
  }

  test("in progress of one user: RATE_LIMITED for the next, not for coming back, nor for others", async () => {
    const gate = Promise.withResolvers<void>();
    const bot = scriptedBot(() => ({ tokens: ["a"], until: gate.promise }));
    const admit = admission({ runsPerUser: unlimited, maxLiveRunsPerUser: 1 });
    await using server = await start({ bots: [bot], admit });
    using client = wsClient(server.url, { userId: "ann" });
    const run = newRun();
    const first = read((options) => client.api.chat.send.subscribe(run, options));
    await first.until(({ type }) => type === "token");
    expect(await refusal(server, "ann")).toMatchObject({
      ...{ code: "RATE_LIMITED", retryable: true },
      message: expect.stringContaining("at most 1 runs in progress at once"),
    });
    using again = wsClient(server.url, { userId: "ann" });
    const second = read((options) => again.api.chat.send.subscribe(run, options));
    await second.until(({ type }) => type === "token");
    const others = refusal(server, "ben");
    gate.resolve();
    expect(await others).toBeUndefined();
    expect(expectWholeRun(await first.completed).text).toBe("a");
    expectWholeRun(await second.completed);
    expect(await refusal(server, "ann")).toBeUndefined();
    expect(await refusal(server, "ann", run)).toBeUndefined();
  });

  test("being checked for a typed bot take no place of others", async () => {
    const gate = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const checking = defineBot({
      ...{ id: "checking", title: "Checking", description: "" },
      input: z.string().refine(async () => {
        asked.resolve();
        await gate.promise;
        return true;
      }),
      runnable: RunnableLambda.from((text: string) => text),
    });
    const bots = [scriptedBot(), checking];
    await using server = await start({ bots, runLimits: { maxLiveRuns: 1 } });
    const checked = refusal(server, "ann", newRun({ botId: "checking" }));
    await asked.promise;
    expect(await refusal(server, "ben")).toBeUndefined();
    gate.resolve();
    expect(await checked).toBeUndefined();
  });

  test("begun in a time by one user: RATE_LIMITED with a time, coming back is free", async () => {
    const runsPerUser = memoryRateLimit({
      what: "runs that you begin in a minute",
      times: 2,
      perMs: 60_000,
    });
    const admit = admission({ runsPerUser, maxLiveRunsPerUser: 10 });
    await using server = await start({ admit });
    const run = newRun();
    for (let count = 0; count < 5; count++)
      expect(await refusal(server, "ann", run)).toBeUndefined();
    expect(await refusal(server, "ann")).toBeUndefined();
    const refused = await refusal(server, "ann");
    expect(refused).toMatchObject({
      ...{ code: "RATE_LIMITED", retryAfterMs: expect.any(Number) },
      message: expect.stringContaining("at most 2 runs that you begin in a minute"),
    });
    expect(await refusal(server, "ann", run)).toBeUndefined();
    expect(await refusal(server, "ben")).toBeUndefined();
  });

  test("conversations created in a time by one user: RATE_LIMITED, once more the same is free", async () => {
    const userLimits = { maxLiveRuns: 10, maxRunsPerMinute: 10, maxConversationsPerMinute: 3 };
    await using server = await start({ userLimits });
    using ann = wsClient(server.url, { userId: "ann" });
    using ben = wsClient(server.url, { userId: "ben" });
    const create = ({ api }: typeof ann, conversationId = randomUUID()) =>
      api.conversations.create.mutate({ conversationId, botId: "test" });
    const first = randomUUID();
    for (const id of [first, first, first, first, randomUUID(), randomUUID()])
      await create(ann, id);
    await expect(create(ann)).rejects.toMatchObject({
      message: expect.stringContaining("at most 3 conversations that you create in a minute"),
      data: { langwire: { code: "RATE_LIMITED", retryAfterMs: expect.any(Number) } },
    });
    expect((await create(ann, first)).conversationId).toBe(first);
    await create(ben);
  });

  test("a run that is refused for something else holds no place", async () => {
    const admit = admission({ runsPerUser: unlimited, maxLiveRunsPerUser: 1 });
    await using server = await start({ admit });
    const bens = newRun();
    expect(await refusal(server, "ben", bens)).toBeUndefined();
    for (let count = 0; count < 3; count++) {
      const foreign = newRun({ conversationId: bens.conversationId });
      expect(await refusal(server, "ann", foreign)).toMatchObject({ code: "NOT_FOUND" });
    }
    expect(await refusal(server, "ann")).toBeUndefined();
  });

  test("on this server, and while its loop is late: OVERLOADED, but coming back is not", async () => {
    let late = false;
    const gate = Promise.withResolvers<void>();
    const bot = scriptedBot(() => ({ tokens: ["a"], until: gate.promise }));
    const admit = admission({
      runsPerUser: unlimited,
      maxLiveRunsPerUser: 10,
      overloaded: () => late,
    });
    await using server = await start({ bots: [bot], admit, runLimits: { maxLiveRuns: 1 } });
    using client = wsClient(server.url);
    const run = newRun();
    const reading = read((options) => client.api.chat.send.subscribe(run, options));
    await reading.until(({ type }) => type === "token");
    expect(await refusal(server, "ben")).toMatchObject({ code: "OVERLOADED", retryable: true });
    gate.resolve();
    await reading.completed;
    late = true;
    expect(await refusal(server, "ben")).toMatchObject({ code: "OVERLOADED", retryAfterMs: 1_000 });
    expect(await refusal(server, "local", run)).toBeUndefined();
    late = false;
    expect(await refusal(server, "ben")).toBeUndefined();
  });

  test("a message may have so many characters, and not one more", async () => {
    await using server = await start({ runLimits: { maxMessageLength: 10 } });
    expect(await refusal(server, "ann", newRun({ message: "x".repeat(10) }))).toBeUndefined();
    const refused = await refusal(server, "ann", newRun({ message: "x".repeat(11) }));
    expect(refused).toMatchObject({ code: "BAD_INPUT" });
  });
});
