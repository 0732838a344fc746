/** Postgres away: nothing new begins, what is in progress goes on, and is written afterwards. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { TestServer } from "../../src/testing/index.ts";
import { needsRedis } from "../support/redis.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { expectWholeRun, tokensOf } from "../support/transcript.ts";
import { ClusterWorld } from "./world.ts";

const runLimits = { storeTimeoutMs: 1_500 };

needsRedis("postgres away", () => {
  let world: ClusterWorld;
  let way: TcpProxy;
  let node: TestServer;
  let steady: TestServer;

  beforeAll(async () => {
    world = await ClusterWorld.start();
    way = await startTcpProxy({ port: world.postgres.port });
    const url = new URL(world.database.url);
    url.port = String(way.port);
    node = await world.startNode({ databaseUrl: url.href }, { runLimits });
    steady = await world.startNode();
  });

  afterAll(async () => {
    for (const server of [node, steady]) await server[Symbol.asyncDispose]();
    await way[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    way.accept();
    using client = wsClient(node.url);
    // The node looks for its store now and then, as long as it is away.
    const answer = () => {
      const run = world.newRun({ steps: ["here"] });
      const reading = read((options) => client.api.chat.send.subscribe(run, options));
      return reading.completed.then(tokensOf, () => "refused");
    };
    await expect.poll(answer).toBe("here");
  });

  function leave(): void {
    way.refuse();
    way.cut();
  }

  /** A run that waits in the middle, with a reader on either node. */
  async function halfWay() {
    const gate = Promise.withResolvers<void>();
    const run = world.newRun({ steps: ["one ", { until: gate.promise }, "two"] });
    const clients = [wsClient(node.url), wsClient(steady.url)] as const;
    const readings = [];
    for (const { api } of clients) {
      const reading = read((options) => api.chat.send.subscribe(run, options));
      await reading.until(({ type }) => type === "token");
      readings.push(reading);
    }
    return { run, gate, readings, close: () => clients.map((client) => client[Symbol.dispose]()) };
  }

  test("for a moment: the run in progress is completed, a new one refused", async () => {
    const { run, gate, readings, close } = await halfWay();
    leave();
    using client = wsClient(node.url);
    const refused = world.newRun({ steps: ["never"] });
    await expect(
      read((options) => client.api.chat.send.subscribe(refused, options)).completed,
    ).rejects.toMatchObject({ data: { langwire: { code: "STORE_UNAVAILABLE", retryable: true } } });
    expect(world.callsOf(refused.message)).toBe(0);
    gate.resolve();
    await world.provider.calls.findLast(({ lastText }) => lastText === run.message)?.closed;
    way.accept();
    for (const reading of readings) {
      expect(expectWholeRun(await reading.completed)).toMatchObject({
        status: "completed",
        text: "one two",
      });
    }
    const [stored] = await steady.langwire.store.runs.endedBetween(run.conversationId, 0, 1);
    expect(stored).toMatchObject({ status: "completed", text: "one two" });
    close();
  });

  test("for too long: the end is told to everybody, and so it is written afterwards", async () => {
    const { run, gate, readings, close } = await halfWay();
    leave();
    gate.resolve();
    const ended = { status: "completed", text: "one two" };
    for (const reading of readings) {
      expect(expectWholeRun(await reading.completed)).toMatchObject(ended);
    }
    way.accept();
    const { runs } = steady.langwire.store;
    const stored = async () => (await runs.endedBetween(run.conversationId, 0, 1))[0];
    await expect.poll(stored).toMatchObject(ended);
    close();
  });
});
