/** Whoever is refused, or is done, holds no place that another could have. */
import { randomUUID } from "node:crypto";
import { expect, test, vi } from "vitest";
import { startTestServer, type TestServer } from "../../src/testing/test-server.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { codeOf, openSocket, request, subscription, type TestSocket } from "./socket.ts";

const more = 10;

function start(
  connectionLimits: NonNullable<Parameters<typeof startTestServer>[0]>["connectionLimits"],
) {
  return startTestServer({ bots: [scriptedBot()], ...(connectionLimits && { connectionLimits }) });
}

const newRun = () => ({
  runId: randomUUID(),
  conversationId: randomUUID(),
  botId: "test",
  message: "hello",
});

async function createFor(server: TestServer, userId: string): Promise<{ conversationId: string }> {
  const conversationId = randomUUID();
  await server.langwire.store.conversations.create({ conversationId, botId: "test", userId });
  return { conversationId };
}

/** @returns the refusal's text, or undefined and an open stream, to be left by the signal */
async function stream(
  server: TestServer,
  { userId, input, signal }: { userId: string; input: object; signal: AbortSignal },
): Promise<string | undefined> {
  const json = encodeURIComponent(JSON.stringify({ json: input }));
  const response = await fetch(`${server.httpUrl}/chat.watch?input=${json}`, {
    headers: { accept: "text/event-stream", "x-user-id": userId },
    signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = (await reader?.read()) ?? {};
  return value.includes("serialized-error") ? value : undefined;
}

test("an event stream that is refused for its user's limit takes nothing from its address", async () => {
  await using server = await start({ maxSocketsPerUser: 1, maxSocketsPerAddress: 3 });
  const [ann, ben] = [await createFor(server, "ann"), await createFor(server, "ben")];
  const leaving = new AbortController();
  const { signal } = leaving;
  expect(await stream(server, { userId: "ann", input: ann, signal })).toBeUndefined();
  for (let times = 0; times < more; times++) {
    const refusal = await stream(server, { userId: "ann", input: ann, signal });
    expect(refusal).toContain("at most 1 connections of one user");
  }
  expect(await stream(server, { userId: "ben", input: ben, signal })).toBeUndefined();
  expect(server.server.connections.subscriptions).toBe(2);
  leaving.abort();
  await expect.poll(() => server.server.connections.subscriptions).toBe(0);
  const again = { userId: "ann", input: ann, signal: new AbortController().signal };
  expect(await stream(server, again)).toBeUndefined();
});

test("an event stream that is refused for what it asks takes nothing from its user or its address", async () => {
  await using server = await start({ maxSocketsPerUser: 2, maxSocketsPerAddress: 2 });
  const ann = await createFor(server, "ann");
  const { signal } = new AbortController();
  for (let times = 0; times < more; times++) {
    const input = { conversationId: randomUUID() };
    expect(await stream(server, { userId: "ann", input, signal })).toContain("NOT_FOUND");
  }
  expect(await stream(server, { userId: "ann", input: ann, signal })).toBeUndefined();
});

async function socketOf(server: TestServer, userId: string): Promise<TestSocket> {
  const socket = await openSocket(`${server.url}?connectionParams=1`);
  socket.send({ method: "connectionParams", data: { userId } });
  return socket;
}

test("a subscription that is refused, or has ended, takes nothing from its socket", async () => {
  await using server = await start({ maxSubscriptionsPerSocket: 2 });
  using socket = await socketOf(server, "ann");
  let lastId = 0;
  for (let times = 0; times < more; times++) {
    const id = ++lastId;
    socket.send(subscription(id, "chat.watch", { conversationId: randomUUID() }));
    const refused = await socket.frame((frame) => frame.id === id && frame.error !== undefined);
    expect(codeOf(refused)).toBe("NOT_FOUND");
  }
  for (let times = 0; times < more; times++) {
    const id = ++lastId;
    socket.send(subscription(id, "chat.send", newRun()));
    const last = await socket.frame(
      ({ id: of, error, result }) =>
        of === id && (error !== undefined || result?.type === "stopped"),
    );
    expect(codeOf(last)).toBeUndefined();
  }
  await expect.poll(() => server.server.connections.subscriptions).toBe(0);
});

test("a socket that is refused for its user's limit takes nothing from its address", async () => {
  await using server = await start({ maxSocketsPerUser: 1, maxSocketsPerAddress: 3 });
  using first = await socketOf(server, "ann");
  first.send({ id: 1, method: "query", params: { path: "bots.list" } });
  await first.frame(({ id }) => id === 1);
  for (let times = 0; times < more; times++) {
    using refused = await socketOf(server, "ann");
    await refused.closed;
    expect(codeOf(refused.frames[0] ?? expect.fail())).toBe("RATE_LIMITED");
  }
  using other = await socketOf(server, "ben");
  other.send({ id: 1, method: "query", params: { path: "bots.list" } });
  expect(await other.frame(({ id }) => id === 1)).toHaveProperty("result");
});

test("event streams whose readers leave while they are looked up take nothing", async () => {
  const known = Promise.withResolvers<void>();
  let lookedUp = 0;
  await using server = await startTestServer({
    bots: [scriptedBot()],
    connectionLimits: { maxSocketsPerUser: 1 },
    authenticate: async () => {
      lookedUp += 1;
      await known.promise;
      return { userId: "ann" };
    },
  });
  const ann = await createFor(server, "ann");
  const leaving = new AbortController();
  const asked = { userId: "ann", input: ann };
  const left = Array.from({ length: more }, () =>
    stream(server, { ...asked, signal: leaving.signal }).catch(() => "left"),
  );
  await expect.poll(() => lookedUp).toBe(more);
  leaving.abort();
  expect(await Promise.all(left)).toEqual(Array(more).fill("left"));
  // The server has heard of it as well.
  const connections = () =>
    new Promise<number>((resolve, reject) => {
      server.server.app.server.getConnections((error, count) =>
        error ? reject(error) : resolve(count),
      );
    });
  await expect.poll(connections).toBe(0);
  known.resolve();
  expect(await stream(server, { ...asked, signal: new AbortController().signal })).toBeUndefined();
  expect(server.server.connections.subscriptions).toBe(1);
});

test("sockets that close while their caller is looked up take nothing from the user", async () => {
  const known = Promise.withResolvers<void>();
  let lookedUp = 0;
  await using server = await startTestServer({
    bots: [scriptedBot()],
    connectionLimits: { maxSocketsPerUser: 1 },
    authenticate: async () => {
      lookedUp += 1;
      await known.promise;
      return { userId: "ann" };
    },
  });
  const left = await Promise.all(Array.from({ length: more }, () => socketOf(server, "ann")));
  await expect.poll(() => lookedUp).toBe(more);
  for (const { webSocket } of left) webSocket.terminate();
  await expect.poll(() => server.server.connections.size).toBe(0);
  known.resolve();
  using socket = await socketOf(server, "ann");
  socket.send(request(1, "bots.list"));
  expect(await socket.frame(({ id }) => id !== undefined)).toHaveProperty("result");
});

test("a socket that closes takes its subscriptions along", async () => {
  await using server = await start({ maxSubscriptionsPerUser: 2 });
  const ann = await createFor(server, "ann");
  for (let times = 0; times < 3; times++) {
    using socket = await socketOf(server, "ann");
    for (const id of [1, 2]) {
      socket.send(subscription(id, "chat.watch", ann));
      expect(await socket.frame((frame) => frame.id === id)).toHaveProperty("result");
    }
    socket.webSocket.close();
    await socket.closed;
    await expect.poll(() => server.server.connections.subscriptions).toBe(0);
  }
});

test("a subscription that is over leaves its id to the next, however it ended", async () => {
  await using server = await start({});
  const ann = await createFor(server, "ann");
  using socket = await socketOf(server, "ann");
  const framesOf = (type: string) => () =>
    socket.frames.filter(({ id, result }) => id === 7 && result?.type === type).length;
  for (let times = 1; times <= 3; times++) {
    socket.send(subscription(7, "chat.watch", ann));
    await expect.poll(framesOf("started")).toBe(times);
    socket.send({ id: 7, method: "subscription.stop" });
    await expect.poll(framesOf("stopped")).toBe(times);
  }
  const refusals = () => socket.frames.filter((frame) => frame.error).map(codeOf);
  for (let times = 1; times <= 3; times++) {
    socket.send(subscription(7, "chat.watch", { conversationId: randomUUID() }));
    await expect.poll(refusals).toEqual(Array(times).fill("NOT_FOUND"));
  }
});

test("a subscription that is stopped while the store is asked never begins", async () => {
  await using server = await start({});
  const ann = await createFor(server, "ann");
  using socket = await socketOf(server, "ann");
  const { conversations } = server.langwire.store;
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const isMember = conversations.isMember.bind(conversations);
  vi.spyOn(conversations, "isMember").mockImplementation(async (...of) => {
    asked.resolve();
    await gate.promise;
    return await isMember(...of);
  });
  socket.send(subscription(7, "chat.watch", ann));
  await asked.promise;
  socket.send({ id: 7, method: "subscription.stop" });
  // Calls are taken in order.
  socket.send(request(8, "bots.list"));
  await socket.frame(({ id }) => id === 8);
  gate.resolve();
  await socket.frame(({ id, result }) => id === 7 && result?.type === "stopped");
  expect(socket.frames.filter(({ id }) => id === 7)).toHaveLength(1);
  expect(server.server.connections.subscriptions).toBe(0);
});
