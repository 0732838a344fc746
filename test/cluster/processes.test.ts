/**
 * Three nodes as three processes: sockets that break and come back elsewhere, nodes that are killed,
 * nodes that sleep. With FAULTS=full, at the size and with the times of production.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestServer } from "../../src/testing/index.ts";
import { full, sized } from "../faults/form.ts";
import { needsRedis } from "../support/redis.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun, tokensOf } from "../support/transcript.ts";
import { type NodeProcess, startNodeProcess } from "./node-process.ts";
import { ClusterWorld, roamingReader, shortTimes } from "./world.ts";

const clusterTimes = full ? {} : shortTimes;
const sleepMs = sized({ short: 4_000, full: 30_000 });
/** Lease, renewal and sweep; then some for a busy machine. */
const endedWithinMs = sized({ short: 8_000, full: 20_000 });

needsRedis("node processes", () => {
  let world: ClusterWorld;
  /** A node in this process, which is never disturbed. */
  let steady: TestServer;
  let nodes: NodeProcess[] = [];

  beforeAll(async () => {
    world = await ClusterWorld.start();
    const settings = world.settings({ clusterTimes });
    steady = await world.startNode({ clusterTimes });
    nodes = await Promise.all(Array.from({ length: 3 }, () => startNodeProcess(settings)));
  });

  afterAll(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
    await steady[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** In place of one that a test has killed. */
  async function replace(node: NodeProcess): Promise<void> {
    await node[Symbol.asyncDispose]();
    nodes = nodes.filter((other) => other !== node);
    nodes.push(await startNodeProcess(world.settings({ clusterTimes })));
  }

  const firstNode = (): NodeProcess => {
    const [node] = nodes;
    if (node === undefined) throw new Error("there is no node");
    return node;
  };

  test("readers cut at random come back to any node, and have every run whole, once, in order", {
    timeout: 300_000,
  }, async () => {
    const runs = sized({ short: 24, full: 300 });
    const ports = () => nodes.map(({ port }) => port);
    const oneRun = async () => {
      const pieces = Array.from({ length: 30 }, (_, index) => `${index} `);
      const run = world.newRun({ steps: pieces, paceMs: 20 });
      await using sender = await roamingReader(ports);
      await using watcher = await roamingReader(ports);
      const reading = sender.send(run);
      await reading.until(({ type }) => type === "runStart");
      const second = watcher.send(run);
      const cuts = new AbortController();
      const cutting = (async () => {
        while (!cuts.signal.aborted) {
          await delay(50 + Math.random() * 300);
          (Math.random() < 0.5 ? sender : watcher).proxy.cut();
        }
      })();
      const [sent, watched] = await Promise.all([reading.completed, second.completed]);
      cuts.abort();
      await cutting;
      const end = await world.judge(steady, run, {
        readers: { sent, watched },
        text: pieces.join(""),
      });
      expect(end.status).toBe("completed");
    };
    let begun = 0;
    const lane = async () => {
      while (begun++ < runs) await oneRun();
    };
    await Promise.all(Array.from({ length: 20 }, lane));
  });

  test("a node killed in the middle: one end, on every reader, the partial answer in it", async () => {
    const owner = firstNode();
    const run = world.newRun({ steps: ["partial ", "answer", "stall"] });
    using sender = wsClient(owner.url);
    const sent = read((options) => sender.api.chat.send.subscribe(run, options));
    await sent.until(({ type }) => type === "token");
    const others = nodes.filter((node) => node !== owner).map(({ url }) => wsClient(url));
    const readings = others.flatMap(({ api }) => [
      read((options) => api.chat.send.subscribe(run, options)),
      read((options) => api.chat.watch.subscribe(run, options)),
    ]);
    const isWhole = () => readings.every(({ received }) => tokensOf(received) === "partial answer");
    while (!isWhole()) await delay(10);
    const killedAtMs = performance.now();
    owner.signal("SIGKILL");
    for (const reading of readings) await reading.until(({ type }) => type === "runEnd");
    expect(performance.now() - killedAtMs).toBeLessThan(endedWithinMs);
    for (const { received } of readings) {
      expect(expectWholeRun(received)).toMatchObject({
        status: "failed",
        text: "partial answer",
        error: { code: "OWNER_LOST", retryable: true },
      });
    }
    expect(world.callsOf(run.message)).toBe(1);
    const [other] = others;
    const late = await read((options) => {
      if (other === undefined) throw new Error("there is no other node");
      return other.api.chat.send.subscribe(run, options);
    }).completed;
    expect(late).toEqual(readings[0]?.received);
    for (const client of others) client[Symbol.dispose]();
    await replace(owner);
  });

  test("a node asleep for longer than its lease wakes up fenced: its call is aborted, and it is silent", async () => {
    const owner = firstNode();
    const gate = Promise.withResolvers<void>();
    const talks = world.newRun({ steps: ["before ", { until: gate.promise }, "after"] });
    // Never says a word again: only the lease itself can tell it.
    const waits = world.newRun({ steps: ["waiting", "stall"] });
    using sender = wsClient(owner.url);
    const runs = [talks, waits];
    using reader = wsClient(steady.url);
    const readings = [];
    for (const run of runs) {
      const sent = read((options) => sender.api.chat.send.subscribe(run, options));
      await sent.until(({ type }) => type === "token");
      const reading = read((options) => reader.api.chat.watch.subscribe(run, options));
      await reading.until(({ type }) => type === "token");
      readings.push(reading);
    }
    const calls = runs.map(({ message }) =>
      world.provider.calls.findLast(({ lastText }) => lastText === message),
    );
    owner.signal("SIGSTOP");
    const awake = delay(sleepMs).then(() => owner.signal("SIGCONT"));
    for (const reading of readings) await reading.until(({ type }) => type === "runEnd");
    await awake;
    gate.resolve();
    expect(await calls[1]?.closed).toBe("aborted");
    await calls[0]?.closed;
    // It serves on: what it wrote too late would be in the log by now.
    const next = world.newRun({ steps: ["next"] }, talks.conversationId);
    using again = wsClient(owner.url);
    const nextRun = await read((options) => again.api.chat.send.subscribe(next, options)).completed;
    expect(expectWholeRun(nextRun)).toMatchObject({ status: "completed", text: "next" });
    for (const [index, { received }] of readings.entries()) {
      const ofRun = received.filter(({ event }) => event.runId === runs[index]?.runId);
      expect(expectWholeRun(ofRun)).toMatchObject({
        status: "failed",
        error: { code: "OWNER_LOST" },
      });
    }
    for (const run of runs) expect(world.callsOf(run.message)).toBe(1);
    for (const reading of readings) reading.stop();
  });

  test("everybody killed at once: the next node to come ends what they left", async () => {
    const database = await world.postgres.createDatabase();
    const alone = { databaseUrl: database.url, redisPrefix: "alone", clusterTimes };
    const lonely = await startNodeProcess(world.settings(alone));
    const run = world.newRun({ steps: ["partial", "stall"] }, randomUUID());
    const sender = wsClient(lonely.url);
    const sent = read((options) => sender.api.chat.send.subscribe(run, options));
    await sent.until(({ type }) => type === "token");
    sender[Symbol.dispose]();
    await lonely[Symbol.asyncDispose]();
    {
      await using next = await world.startNode(alone);
      using client = wsClient(next.url);
      const received = await read((options) => client.api.chat.send.subscribe(run, options))
        .completed;
      expect(expectWholeRun(received)).toMatchObject({
        status: "failed",
        text: "partial",
        error: { code: "OWNER_LOST" },
      });
    }
    await database[Symbol.asyncDispose]();
  });
});
