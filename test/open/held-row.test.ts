/** A conversation whose row somebody else holds in Postgres, such as a long transaction of an operator's. */
import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { expect, test } from "vitest";
import { startTestServer } from "../../src/testing/index.ts";
import { botSaying } from "../runs/run-bench.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { codeOf, read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";

await describeWithPostgres("a row that somebody holds", (postgres) => {
  test("refuses what needs it, and nobody else's", async () => {
    await using database = await postgres.createDatabase();
    const bots = [botSaying({ tokens: ["ok"] })];
    await using server = await startTestServer({ bots, databaseUrl: database.url });
    using client = wsClient(server.url);
    const { api } = client;
    const send = (conversationId: string) => {
      const run = { runId: randomUUID(), conversationId, botId: "test", message: "hi" };
      return read((options) => api.chat.send.subscribe(run, options)).completed;
    };
    const conversationId = randomUUID();
    await api.conversations.create.mutate({ conversationId, botId: "test" });
    const somebody = new Client({ connectionString: database.url });
    await somebody.connect();
    await somebody.query("begin");
    await somebody.query("select from conversations for update");
    const refused = await send(conversationId).catch(codeOf);
    // At once: nothing is wrong with the store.
    const other = await send(randomUUID());
    expect(refused).toBe("STORE_UNAVAILABLE");
    expect(expectWholeRun(other).text).toBe("ok");
    await somebody.end();
    expect(expectWholeRun(await send(conversationId)).text).toBe("ok");
  });
});
