/** Processes that share a Postgres and no log: one at a time, and none ends another's runs. */
import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { startChildServer, temporaryFolder } from "./child-server.ts";

function newRun(conversationId: string = randomUUID()) {
  return { runId: randomUUID(), botId: "chat", conversationId, message: "hello" };
}

await describeWithPostgres("processes on one database without Redis", (postgres) => {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    onTestFinished(() => stack.disposeAsync());
    const provider = stack.use(await startMockProvider());
    const database = stack.use(await postgres.createDatabase());
    const start = async () => {
      const folder = stack.use(await temporaryFolder());
      const server = await startChildServer({
        DATA_DIR: folder.path,
        DATABASE_URL: database.url,
        OPENAI_BASE_URL: provider.baseUrl,
        OPENAI_API_KEY: "test-key",
      });
      return stack.use(server);
    };
    return { provider, start, databaseUrl: database.url };
  }

  test("a second one is refused with the reason, and the first one's run goes on", async () => {
    const s = await setUp();
    const gate = Promise.withResolvers<void>();
    s.provider.answer({ steps: ["half ", { until: gate.promise }, "whole"] });
    const first = await s.start();
    using client = wsClient(first.url);
    const sent = read((options) => client.api.chat.send.subscribe(newRun(), options));
    await sent.until(({ type }) => type === "token");
    // In this process, which waits for less than a server does.
    const second = openPostgresStore({ url: s.databaseUrl, use: "alone", lockTimeoutMs: 1_000 });
    await expect(second).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/^another process uses this database; .*REDIS_URL/) },
    });
    gate.resolve();
    expect(expectWholeRun(await sent.completed)).toMatchObject({
      status: "completed",
      text: "half whole",
    });
    expect(first.complaints).toEqual([]);
  });

  test("a second one waits for a first one that is going, and follows a killed one at once", async () => {
    const s = await setUp();
    s.provider.answer({ steps: ["half ", "stall"] });
    const first = await s.start();
    using client = wsClient(first.url);
    const run = newRun();
    const sent = read((options) => client.api.chat.send.subscribe(run, options));
    await sent.until(({ type }) => type === "token");
    sent.stop();
    first.signal("SIGKILL");
    const second = await s.start();
    using next = wsClient(second.url);
    const ended = await read((options) => next.api.chat.send.subscribe(run, options)).completed;
    expect(ended.at(-1)?.event).toMatchObject({
      type: "runEnd",
      error: { code: "SERVER_RESTARTED" },
    });
    const third = s.start();
    second.signal("SIGTERM");
    using last = wsClient((await third).url);
    s.provider.answer({ steps: ["served"] });
    const again = read((options) => last.api.chat.send.subscribe(newRun(), options));
    expect(expectWholeRun(await again.completed)).toMatchObject({ text: "served" });
  });
});
