/**
 * The database fails over to a standby that lagged behind: what it had answered last is gone. A run in
 * progress ends for its readers, for the history and for the log in the same way, or fails, and the
 * operator hears of it.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LangwireOptions } from "../../src/open/open-langwire.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { botWaiting } from "../runs/run-bench.ts";
import { administer, describeWithPostgres, type TestPostgres } from "../support/postgres.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { codeOf, read, wsClient } from "../support/stock-client.ts";

async function setUp(
  postgres: TestPostgres,
  { reconcileMs = 600_000, ...storage }: Partial<LangwireOptions> & { reconcileMs?: number } = {},
) {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await postgres.createDatabase());
  const gate = Promise.withResolvers<void>();
  const failures: string[] = [];
  const server = stack.use(
    await startTestServer({
      ...storage,
      bots: [botWaiting(gate.promise)],
      databaseUrl: database.url,
      runLimits: { reconcileMs },
      observer: { failed: (what) => void failures.push(what) },
    }),
  );
  const { api } = stack.use(wsClient(server.url));
  const { api: others } = stack.use(wsClient(server.url, { userId: "ann" }));
  const send = (conversationId: string = randomUUID()) => {
    const run = { ...{ runId: randomUUID(), conversationId }, ...{ botId: "test", message: "hi" } };
    return { run, ...read((options) => api.chat.send.subscribe(run, options)) };
  };
  return {
    ...{ api, others, send, failures, gate },
    /** What the standby does not have: the run, and what began with it. */
    async lose({ runId, conversationId }: { runId: string; conversationId: string }) {
      const whole = `where conversation_id = '${conversationId}'
        and not exists (select from runs where conversation_id = '${conversationId}')`;
      // One transaction, as one query is: no process sees a part of it.
      await administer(
        database.url,
        `delete from runs where run_id = '${runId}';
         delete from members ${whole}; delete from conversations ${whole}`,
      );
    },
    query: (statement: string) => administer(database.url, statement),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const putBack = "the database had lost a run in progress; it was put back";
const fails = "the database has lost a run in progress, and its place is taken; it fails";

function describeFailover(postgres: TestPostgres, storage: () => Partial<LangwireOptions>): void {
  test("a run that began a conversation ends as it would have", async () => {
    await using s = await setUp(postgres, storage());
    const { run, until, completed } = s.send();
    await until(({ type }) => type === "token");
    await s.lose(run);
    s.gate.resolve();
    expect((await completed).at(-1)?.event).toMatchObject({ status: "completed", text: "a" });
    const { items } = await s.api.conversations.messages.query(run);
    expect(items).toMatchObject([{ text: "hi" }, { text: "a", status: "completed" }]);
    expect(s.failures).toEqual([putBack]);
    // The conversation goes on.
    const next = await s.send(run.conversationId).completed;
    expect(next.at(-1)?.event).toMatchObject({ status: "completed" });
  });

  test("what is sent meanwhile finds the conversation busy, and the same run begun once", async () => {
    await using s = await setUp(postgres, storage());
    const { run, until, completed } = s.send();
    await until(({ type }) => type === "token");
    await s.lose(run);
    const second = s.send(run.conversationId);
    expect(codeOf(await second.completed.catch((cause: unknown) => cause))).toBe(
      "CONVERSATION_BUSY",
    );
    const again = read((options) => s.api.chat.send.subscribe(run, options));
    s.gate.resolve();
    expect(await again.completed).toEqual(await completed);
    const { items } = await s.api.conversations.messages.query(run);
    expect(items).toHaveLength(2);
  });

  test("one whose place is taken fails, and its operator hears of it", async () => {
    await using s = await setUp(postgres, storage());
    const first = s.send();
    await first.until(({ type }) => type === "token");
    await s.lose(first.run);
    const { runId, conversationId } = first.run;
    // As another process begins one that is asked for there.
    await s.query(
      `insert into conversations (conversation_id, bot_id, owner_id, title, created_at, updated_at)
       values ('${conversationId}', 'test', 'local', '', '', '')`,
    );
    await s.query(
      `insert into runs (run_id, conversation_id, bot_id, user_id, message, status, first_seq, started_at)
       values ('${randomUUID()}', '${conversationId}', 'test', 'local', 'other', 'running', 1, '')`,
    );
    s.gate.resolve();
    const end = (await first.completed).at(-1)?.event;
    expect(end).toMatchObject({ runId, status: "failed", text: "a" });
    expect(end).toMatchObject({ error: { code: "STORE_UNAVAILABLE" } });
    expect(s.failures).toEqual([fails]);
  });

  test("one that was the first in another's conversation does not make it its sender's", async () => {
    await using s = await setUp(postgres, storage());
    const conversationId = randomUUID();
    await s.others.conversations.create.mutate({ conversationId, botId: "test" });
    await s.others.conversations.share.mutate({ conversationId });
    await s.api.conversations.join.mutate({ conversationId });
    const { run, until, completed } = s.send(conversationId);
    await until(({ type }) => type === "token");
    await s.lose(run);
    s.gate.resolve();
    expect((await completed).at(-1)?.event).toMatchObject({ status: "failed", text: "a" });
    expect(s.failures).toEqual([fails]);
    const mine = await s.api.conversations.get.query({ conversationId }).catch(codeOf);
    expect(mine).toBe("NOT_FOUND");
    const made = await s.others.conversations.create.mutate({ conversationId, botId: "test" });
    expect(made).toMatchObject({ owned: true });
  });

  test("a long one is put back while it goes on", async () => {
    await using s = await setUp(postgres, { ...storage(), reconcileMs: 100 });
    const { run, until, completed } = s.send();
    await until(({ type }) => type === "token");
    await s.lose(run);
    await expect.poll(() => s.failures).toEqual([putBack]);
    s.gate.resolve();
    expect((await completed).at(-1)?.event).toMatchObject({ status: "completed" });
  });
}

await describeWithPostgres("a failover", (postgres) => {
  describe("under one process", () => describeFailover(postgres, () => ({})));
  needsRedis("under processes that share a Redis", () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis[Symbol.asyncDispose]());
    describeFailover(postgres, () => ({ redisUrl: redis.url, redisPrefix: randomUUID() }));
  });
});
