/**
 * A run of long ago: its log is gone, its process too, and whoever reads it gets each of its events, from
 * any number on, as those who read it live.
 */
import { randomUUID } from "node:crypto";
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import { RunnableLambda } from "@langchain/core/runnables";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineBot } from "../../src/index.ts";
import type { LogEntry } from "../../src/log/entry.ts";
import type { LangwireOptions } from "../../src/open/open-langwire.ts";
import { startTestServer, type TestServer } from "../../src/testing/index.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { temporaryFolder } from "../faults/child-server.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { needsRedis, startRedis } from "../support/redis.ts";
import {
  codeOf,
  type Received,
  read,
  type StockClient,
  sseClient,
  wsClient,
} from "../support/stock-client.ts";
import { expectWholeRun, tokensOf } from "../support/transcript.ts";

/** More than a reader is given at once. */
const steps = 300;

function stepsBot() {
  const model = scriptedModel([{ tokens: ["It ", "took ", "a ", "while."] }]);
  const runnable = RunnableLambda.from(async (input: string, config) => {
    for (let step = 1; step <= steps; step++) await dispatchCustomEvent("step", step, config);
    return await model.invoke(input, config);
  });
  return defineBot({
    id: "test",
    title: "Test",
    description: "",
    runnable,
    input: ({ message }) => message,
  });
}

type Options = Omit<LangwireOptions, "bots">;

/** What is left when the process that worked on a run is gone, and its log's time is over. */
interface Place extends AsyncDisposable {
  readonly options: Options;
}

async function onSqlite(): Promise<Place> {
  const folder = await temporaryFolder();
  return {
    options: { dataDir: folder.path },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const start = (options: Options) => startTestServer({ bots: [stepsBot()], ...options });

const follow = ({ api }: StockClient, runId: string, rest: { lastEventId?: string } = {}) =>
  read((options) => api.chat.follow.subscribe({ runId, ...rest }, options));

/** All that the log has of it, while it has it. */
async function entriesIn(
  { langwire }: TestServer,
  { conversationId, after }: { conversationId: string; after: number },
): Promise<LogEntry[]> {
  const all: LogEntry[] = [];
  for (;;) {
    const { entries } = await langwire.log.read(conversationId, all.at(-1)?.seq ?? after);
    if (entries.length === 0) return all;
    all.push(...entries);
  }
}

/** A run that was read live, by whom it was sent. */
async function send(server: TestServer, conversationId: string = randomUUID()) {
  using client = wsClient(server.url);
  const run = { runId: randomUUID(), botId: "test", conversationId, message: "hello" };
  const live = await read((options) => client.api.chat.send.subscribe(run, options)).completed;
  const after = Number(live[0]?.id ?? 1) - 1;
  return { run, live, entries: await entriesIn(server, { conversationId, after }) };
}

const others = (received: readonly Received[]) =>
  received.filter(({ event }) => event.type !== "token");

/** As the log had it: neighbouring tokens may come as one, under the last one's number. */
function expectRest(received: readonly Received[], entries: readonly LogEntry[], after: number) {
  const rest = entries
    .filter(({ seq }) => seq > after)
    .map(({ seq, event }): Received => ({ id: `${seq}`, event }));
  expect(others(received)).toEqual(others(rest));
  expect(tokensOf(received)).toBe(tokensOf(rest));
  expect(received.at(-1)?.id).toBe(rest.at(-1)?.id);
}

function describeLongAgo(name: string, newPlace: () => Promise<Place>): void {
  describe(name, () => {
    const stack = new AsyncDisposableStack();
    const conversationId = randomUUID();
    let sent: Awaited<ReturnType<typeof send>>[];
    let server: TestServer;

    beforeAll(async () => {
      const { options } = stack.use(await newPlace());
      sent = [
        await sentAndGone(options),
        await sentAndGone(options, conversationId),
        await sentAndGone(options, conversationId),
        await sentAndGone({ ...options, keepEventsMs: 0 }),
      ];
      server = stack.use(await start(options));
    });
    afterAll(() => stack.disposeAsync());
    const sentAt = (index: number) => sent[index] ?? expect.fail("not sent");

    test.each([
      ["WebSocket", () => wsClient(server.url)],
      ["server-sent events", () => sseClient(server.httpUrl)],
    ])("over %s: every event, once, in order, from any number", async (_name, connect) => {
      const { run, live, entries } = sentAt(0);
      expect((await server.langwire.log.read(run.conversationId, 0)).entries).toEqual([]);
      using client = connect();
      const whole = await follow(client, run.runId).completed;
      expect(expectWholeRun(whole)).toEqual(expectWholeRun(live));
      expectRest(whole, entries, 0);
      const last = entries.at(-1)?.seq ?? 0;
      for (const after of [0, 1, 2, 255, 256, 257, last - 3, last - 1]) {
        const lastEventId = `${after}`;
        expectRest(await follow(client, run.runId, { lastEventId }).completed, entries, after);
      }
      expect(await follow(client, run.runId, { lastEventId: `${last}` }).completed).toEqual([]);
      const again = read((options) => client.api.chat.send.subscribe(run, options));
      expectRest(await again.completed, entries, 0);
      const ends = read((options) =>
        client.api.chat.follow.subscribe({ runId: run.runId, only: ["llmEnd"] }, options),
      );
      const types = (await ends.completed).map(({ event }) => event.type);
      expect(types).toEqual(["llmEnd", "runEnd"]);
    });

    test("a watcher who comes back gets each run that went by, and then what comes", async () => {
      const [first, second] = [sentAt(1), sentAt(2)];
      using client = wsClient(server.url);
      const watching = read((options) =>
        client.api.chat.watch.subscribe({ conversationId, lastEventId: "150" }, options),
      );
      const isEnd = (runId: string) =>
        watching.until((it) => it.type === "runEnd" && it.runId === runId);
      await isEnd(second.run.runId);
      expectRest(watching.received, [...first.entries, ...second.entries], 150);
      const third = await send(server, conversationId);
      await isEnd(third.run.runId);
      expectRest(watching.received, [...first.entries, ...second.entries, ...third.entries], 150);
      watching.stop();
    });

    test("without an archive, its start and its end stand in for it", async () => {
      const { run, live } = sentAt(3);
      using client = wsClient(server.url);
      const told = await follow(client, run.runId).completed;
      expect(told.map(({ event }) => event)).toEqual([live[0]?.event, live.at(-1)?.event]);
    });

    test("is read by members alone, and by nobody once its conversation is deleted", async () => {
      const { run } = sentAt(2);
      const { runId } = run;
      using owner = wsClient(server.url);
      using guest = wsClient(server.url, { userId: "guest" });
      const asGuest = () => follow(guest, runId).completed.catch(codeOf);
      expect(await asGuest()).toBe("NOT_FOUND");
      await owner.api.conversations.share.mutate({ conversationId });
      await guest.api.conversations.join.mutate({ conversationId });
      expect(await asGuest()).toHaveLength((await follow(owner, runId).completed).length);
      await owner.api.conversations.unshare.mutate({ conversationId });
      expect(await asGuest()).toBe("NOT_FOUND");
      await owner.api.conversations.delete.mutate({ conversationId });
      expect(await follow(owner, runId).completed.catch(codeOf)).toBe("NOT_FOUND");
      expect(await server.langwire.store.archives.get(runId)).toEqual([]);
    });
  });
}

async function sentAndGone(options: Options, conversationId?: string) {
  await using server = await start(options);
  const sent = await send(server, conversationId);
  const through = sent.entries.at(-1)?.seq;
  await server.langwire.log.forget([{ conversationId: sent.run.conversationId, through }]);
  return sent;
}

describeLongAgo("on SQLite, after a restart", onSqlite);

await describeWithPostgres("on Postgres", (postgres) => {
  needsRedis("with Redis", () => {
    describeLongAgo("on another node", async () => {
      const stack = new AsyncDisposableStack();
      const database = stack.use(await postgres.createDatabase());
      const redis = stack.use(await startRedis());
      return {
        options: { databaseUrl: database.url, redisUrl: redis.url },
        [Symbol.asyncDispose]: () => stack.disposeAsync(),
      };
    });
  });
});
