/** How many of one user's calls ask the store at once. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { StartSlots } from "../../src/server/pacing/start-slots.ts";
import { startTestServer, type TestServer } from "../../src/testing/index.ts";
import { scriptedBot } from "../security/scripted-bot.ts";
import { type StockClient, sseClient, wsClient } from "../support/stock-client.ts";

describe("slots", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function takeMany(slots: StartSlots, count: number) {
    const begun: (() => void)[] = [];
    for (let index = 0; index < count; index++) {
      void slots.take().then((release) => (begun[index] = release));
    }
    return begun;
  }
  const turn = () => vi.advanceTimersByTimeAsync(0);

  test("are handed on in order, once each", async () => {
    const slots = new StartSlots();
    const begun = takeMany(slots, 7);
    await turn();
    expect(begun).toHaveLength(4);
    begun[0]?.();
    begun[0]?.();
    await turn();
    expect(begun).toHaveLength(5);
    for (const release of begun) release();
    await turn();
    for (const release of begun) release();
    expect(begun).toHaveLength(7);
    expect(slots.isIdle).toBe(true);
  });

  test("that are held for long are handed on", async () => {
    const slots = new StartSlots();
    const begun = takeMany(slots, 5);
    await turn();
    expect(begun).toHaveLength(4);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(begun).toHaveLength(5);
    for (const release of begun) release();
    expect(slots.isIdle).toBe(true);
  });
});

type Call = (server: TestServer, userId: string, conversationId: string) => Promise<unknown>;

/** A socket, another one, and HTTP. */
const renames: Call[] = [
  ...Array<Call>(2).fill(async ({ url }, userId, conversationId) => {
    using client = wsClient(url, { userId });
    await client.api.conversations.rename.mutate({ conversationId, title: "t" });
  }),
  async ({ httpUrl }, userId, conversationId) => {
    const headers = { "x-user-id": userId, "content-type": "application/json" };
    const body = JSON.stringify({ json: { conversationId, title: "t" } });
    const answer = await fetch(`${httpUrl}/conversations.rename`, {
      method: "POST",
      headers,
      body,
    });
    expect(answer.status).toBe(200);
  },
];

function watchBy(connect: (server: TestServer, userId: string) => StockClient): Call {
  return async (server, userId, conversationId) => {
    using client = connect(server, userId);
    await new Promise<void>((resolve, reject) => {
      const options = { onStarted: () => resolve(), onError: reject };
      client.api.chat.watch.subscribe({ conversationId }, options);
    });
  };
}

const watches: Call[] = [
  ...Array<Call>(2).fill(watchBy(({ url }, userId) => wsClient(url, { userId }))),
  watchBy(({ httpUrl }, userId) => sseClient(httpUrl, { userId })),
];

/** None is handed on for its time, however slow the machine is. */
function holdSlots(): void {
  const realTimeout = setTimeout;
  const held = (work: () => void, ms?: number) => realTimeout(work, ms === 1_000 ? 600_000 : ms);
  vi.spyOn(globalThis, "setTimeout").mockImplementation(held as never);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
}

test.each([
  ["mutations", "rename", renames],
  ["subscriptions", "isMember", watches],
] as const)(
  "%s of one user, over sockets and HTTP, do not keep others' waiting",
  async (_what, statement, ways) => {
    holdSlots();
    await using server = await startTestServer({ bots: [scriptedBot()] });
    const [conversationId, others] = [randomUUID(), randomUUID()];
    const { conversations } = server.langwire.store;
    await conversations.create({ conversationId, botId: "test", userId: "eve" });
    await conversations.create({ conversationId: others, botId: "test", userId: "ann" });
    const gate = Promise.withResolvers<void>();
    let asking = 0;
    const ask = conversations[statement].bind(conversations) as (
      ...args: unknown[]
    ) => Promise<never>;
    const spy = vi.spyOn(conversations, statement) as unknown as ReturnType<typeof vi.fn>;
    spy.mockImplementation(async (...args: unknown[]) => {
      if (args[1] === "eve") {
        asking += 1;
        await gate.promise;
      }
      return await ask(...args);
    });
    const waiting = ways.flatMap((call) =>
      Array.from({ length: 4 }, () => call(server, "eve", conversationId)),
    );
    await expect.poll(() => asking).toBe(4);
    await Promise.all(ways.map((call) => call(server, "ann", others)));
    expect(asking).toBe(4);
    gate.resolve();
    await Promise.all(waiting);
    expect(asking).toBe(12);
  },
);

test("calls of a socket begin in order, also where one waits for its slot", async () => {
  holdSlots();
  await using server = await startTestServer({ bots: [scriptedBot()] });
  const { conversations } = server.langwire.store;
  const conversationId = randomUUID();
  await conversations.create({ conversationId, botId: "test", userId: "eve" });
  const gate = Promise.withResolvers<void>();
  const rename = conversations.rename.bind(conversations);
  let renaming = 0;
  vi.spyOn(conversations, "rename").mockImplementation(async (...args) => {
    renaming += 1;
    if (args[2] === "old") await gate.promise;
    return await rename(...args);
  });
  const reading = vi.spyOn(conversations, "get");
  using before = wsClient(server.url, { userId: "eve" });
  const held = Array.from({ length: 4 }, () =>
    before.api.conversations.rename.mutate({ conversationId, title: "old" }),
  );
  await expect.poll(() => renaming).toBe(4);
  using after = wsClient(server.url, { userId: "eve" });
  const { api } = after;
  const last = api.conversations.rename.mutate({ conversationId, title: "new" });
  const read = api.conversations.get.query({ conversationId });
  using other = wsClient(server.url, { userId: "ann" });
  for (let asked = 0; asked < 3; asked++) await other.api.bots.list.query();
  expect(reading).not.toHaveBeenCalled();
  gate.resolve();
  await Promise.all([...held, last]);
  expect(await read).toMatchObject({ title: "new" });
});

test("a call that fails gives its slot back, over sockets and HTTP", async () => {
  holdSlots();
  await using server = await startTestServer({ bots: [scriptedBot()] });
  const conversationId = randomUUID();
  await server.langwire.store.conversations.create({
    conversationId,
    botId: "test",
    userId: "eve",
  });
  for (const call of [...renames, ...watches]) {
    for (let times = 0; times < 5; times++) {
      await expect(call(server, "eve", randomUUID())).rejects.toThrow();
    }
    await call(server, "eve", conversationId);
  }
});
