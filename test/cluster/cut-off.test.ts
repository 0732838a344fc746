/** A node that cannot reach Postgres where others can: its runs' ends are told, and its clients go there. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { TestServer } from "../../src/testing/index.ts";
import { needsRedis } from "../support/redis.ts";
import { codeOf, type Received, read, sseClient, wsClient } from "../support/stock-client.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { ClusterWorld, shortTimes } from "./world.ts";

const list = `conversations.list?input=${encodeURIComponent('{"json":{}}')}`;

needsRedis("a node cut off from Postgres", () => {
  let world: ClusterWorld;
  /** The ways of `node` and of `steady` to Postgres. */
  let way: TcpProxy;
  let steadyWay: TcpProxy;
  let node: TestServer;
  let steady: TestServer;

  beforeAll(async () => {
    world = await ClusterWorld.start();
    way = await startTcpProxy({ port: world.postgres.port });
    steadyWay = await startTcpProxy({ port: world.postgres.port });
    node = await startNode(way);
    steady = await startNode(steadyWay);
  });

  afterAll(async () => {
    for (const each of [way, steadyWay]) each.accept();
    for (const server of [node, steady]) await server[Symbol.asyncDispose]();
    for (const each of [way, steadyWay]) await each[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    for (const each of [way, steadyWay]) each.accept();
    for (const server of [node, steady]) {
      await expect.poll(() => readiness(server)).toBe(200);
      await expect.poll(() => listing(server)).toBe(200);
      // What it could not store in the test before is stored, and it takes runs.
      await expect.poll(() => exchange(server)).toBe("completed");
    }
  });

  function startNode({ port }: TcpProxy): Promise<TestServer> {
    const url = new URL(world.database.url);
    url.port = String(port);
    const clusterTimes = { ...shortTimes, proofs: { renewMs: 300, validMs: 2_000 } };
    // Longer than any test: who is told an end was not told because it was over.
    const runLimits = { storeTimeoutMs: 120_000 };
    return world.startNode({ databaseUrl: url.href, clusterTimes }, { runLimits });
  }

  function cutOff(...ways: readonly TcpProxy[]): void {
    for (const each of ways) {
      each.refuse();
      each.cut();
    }
  }

  /** While this is held, nobody takes over the runs of a process whose lease has run out. */
  function withoutReaper(): Disposable {
    const finding = vi.spyOn(steady.langwire.store.runs, "ownedBy");
    return finding.mockRejectedValue(new Error("no reaper"));
  }

  async function exchange({ url }: TestServer): Promise<string> {
    using client = wsClient(url);
    const run = world.newRun({ steps: ["ready"] });
    const reading = read((options) => client.api.chat.send.subscribe(run, options));
    const status = (entries: Received[]) => expectWholeRun(entries).status;
    return await reading.completed.then(status, codeOf);
  }

  const readiness = ({ port }: TestServer) =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(({ status }) => status);
  const listing = ({ httpUrl }: TestServer) =>
    fetch(`${httpUrl}/${list}`).then(({ status }) => status);

  test.each(["ws", "sse"] as const)("sends its readers over %s to another", async (transport) => {
    // The first connection goes to the node that will be cut off, those after it to the other one.
    let port = node.port;
    await using balancer = await startTcpProxy({ port: () => port });
    const at = `127.0.0.1:${balancer.port}/trpc`;
    using reader = transport === "ws" ? wsClient(`ws://${at}`) : sseClient(`http://${at}`);
    using sender = wsClient(steady.url);
    const conversationId = randomUUID();
    await sender.api.conversations.create.mutate({ conversationId, botId: "test" });
    const before = world.newRun({ steps: ["before"] }, conversationId);
    const watching = read((options) =>
      reader.api.chat.watch.subscribe({ conversationId }, options),
    );
    await expect.poll(() => node.server.connections.subscriptions).toBe(1);
    await read((options) => sender.api.chat.send.subscribe(before, options)).completed;
    await watching.until(({ type }) => type === "runEnd");
    port = steady.port;
    cutOff(way);
    await expect.poll(() => steady.server.connections.subscriptions).toBe(1);
    const after = world.newRun({ steps: ["after"] }, conversationId);
    await read((options) => sender.api.chat.send.subscribe(after, options)).completed;
    await watching.until(({ type, runId }) => type === "runEnd" && runId === after.runId);
    watching.stop();
    const seen = watching.received.filter(({ event }) => event.runId === after.runId);
    expect(expectWholeRun(seen)).toMatchObject({ status: "completed", text: "after" });
    await expect.poll(() => node.server.connections.subscriptions).toBe(0);
  });

  test("tells the end of its run at once, and another one stores it", async () => {
    const gate = Promise.withResolvers<void>();
    const run = world.newRun({ steps: ["one ", { until: gate.promise }, "two"] });
    using here = wsClient(node.url);
    const reading = read((options) => here.api.chat.send.subscribe(run, options));
    await reading.until(({ type }) => type === "token");
    cutOff(way);
    gate.resolve();
    const end = { status: "completed", text: "one two" };
    expect(expectWholeRun(await reading.completed)).toMatchObject(end);
    // Nobody waits for its lease to run out: the next message finds the conversation free.
    using there = wsClient(steady.url);
    using _ = withoutReaper();
    const next = world.newRun({ steps: ["three"] }, run.conversationId);
    const sent = read((options) => there.api.chat.send.subscribe(next, options));
    expect(expectWholeRun(await sent.completed)).toMatchObject({ text: "three" });
    const { runs } = steady.langwire.store;
    const stored = async () => (await runs.endedBetween(run.conversationId, 0, 1))[0];
    await expect.poll(stored).toMatchObject(end);
  });

  test("has told its run's end, which whoever cancels the run elsewhere is answered", async () => {
    const gate = Promise.withResolvers<void>();
    const run = world.newRun({ steps: ["one ", { until: gate.promise }, "two"] });
    using here = wsClient(node.url);
    const reading = read((options) => here.api.chat.send.subscribe(run, options));
    await reading.until(({ type }) => type === "token");
    cutOff(way);
    gate.resolve();
    await reading.completed;
    using there = wsClient(steady.url);
    const { runId } = run;
    using _ = withoutReaper();
    expect(await there.api.chat.cancel.mutate({ runId })).toEqual({ runId, status: "completed" });
    // With all of it: the node may never come back.
    const { archives, conversations } = steady.langwire.store;
    expect(await archives.get(runId)).toHaveLength(1);
    const { items } = await conversations.messages(run.conversationId, { limit: 10 });
    expect(items.at(-1)?.parts).toEqual([{ type: "text", text: "one two", final: true }]);
  });

  test("closes its sockets with 1013, and takes no calls until it is back", async () => {
    const socket = new WebSocket(node.url);
    await once(socket, "open");
    cutOff(way);
    const [code] = await once(socket, "close");
    expect(code).toBe(1013);
    const refused = await fetch(`${node.httpUrl}/${list}`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).not.toBeNull();
    expect(refused.headers.get("connection")).toBe("close");
    expect(await refused.json()).toMatchObject({
      error: { json: { data: { langwire: { code: "STORE_UNAVAILABLE", retryable: true } } } },
    });
    const again = new WebSocket(node.url);
    again.on("error", () => {});
    const [, response] = await once(again, "unexpected-response");
    expect(response.statusCode).toBe(503);
    again.terminate();
    expect(await readiness(node)).toBe(503);
    expect((await fetch(`http://127.0.0.1:${node.port}/healthz`)).status).toBe(200);
    way.accept();
    await expect.poll(() => listing(node)).toBe(200);
    const back = new WebSocket(node.url);
    await once(back, "open");
    back.terminate();
  });

  test("keeps its clients where no other node reaches Postgres either", async () => {
    using client = wsClient(node.url);
    await client.api.conversations.list.query({});
    cutOff(way, steadyWay);
    const key = "langwire:{nodes}:renewed";
    /** Leases that were renewed on Redis's clock since this one can have run out. */
    const held = async () => {
      const [seconds = "0"] = await world.redis.command<string[]>("TIME");
      const border = String(Number(seconds) * 1_000 - 2 * shortTimes.leaseMs);
      return (await world.redis.command<string[]>("ZRANGEBYSCORE", key, border, "+inf")).length;
    };
    await expect.poll(held).toBe(0);
    // Asked on the socket that it had: it was not closed.
    const [refused] = await Promise.allSettled([client.api.conversations.list.query({})]);
    expect(refused.status === "rejected" && codeOf(refused.reason)).toBe("STORE_UNAVAILABLE");
    expect(node.server.connections.size).toBe(1);
    expect((await fetch(`http://127.0.0.1:${node.port}/readyz`)).status).toBe(503);
  });
});
