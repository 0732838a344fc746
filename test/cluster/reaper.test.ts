/** What a process leaves behind at each point at which it can be killed, and who it is taken for gone. */

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NodeLease } from "../../src/redis/node-lease.ts";
import type { Run, Store } from "../../src/store/store.ts";
import type { TestServer } from "../../src/testing/index.ts";
import type { SentRun } from "../faults/world.ts";
import { needsRedis } from "../support/redis.ts";
import { TestRedisLog } from "../support/redis-log.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { ClusterWorld, shortTimes as times } from "./world.ts";

needsRedis("reaper", () => {
  let world: ClusterWorld;
  let node: TestServer;
  let store: Store;

  beforeAll(async () => {
    world = await ClusterWorld.start();
    node = await world.startNode();
    store = node.langwire.store;
  });

  afterAll(async () => {
    await node[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** A process with a lease in the cluster, which can be killed. */
  async function startOwner() {
    const nodeId = randomUUID();
    const log = await TestRedisLog.open({ url: world.redis.url, nodeId });
    const { redis } = log;
    const lease = await NodeLease.take({
      redis,
      times,
      isAble: async () => true,
      onRenewed: () => {},
    });
    const kill = async () => {
      await log[Symbol.asyncDispose]();
      await lease[Symbol.asyncDispose]();
    };
    return { nodeId, log, kill };
  }

  /** A run that this process has claimed. */
  async function claimed(owner: string) {
    const input = {
      runId: randomUUID(),
      conversationId: randomUUID(),
      botId: "test",
      userId: "local",
      message: "hello",
    };
    const claim = await store.runs.claim({ ...input, owner });
    if (claim.outcome !== "claimed") throw new Error(`not claimed but ${claim.outcome}`);
    return { input, run: claim.run };
  }

  /** The run's first event, written. */
  async function begun(log: TestRedisLog, run: Run) {
    const { conversationId, runId, firstSeq, startedAt: at, botId, userId, message } = run;
    const writer = await log.open({ conversationId, runId, after: firstSeq - 1 });
    writer.append({ type: "runStart", runId, at, conversationId, botId, userId, message });
    await writer.flushed();
    return writer;
  }

  async function follow(input: SentRun) {
    using client = wsClient(node.url);
    return await read((options) => client.api.chat.send.subscribe(input, options)).completed;
  }

  test("killed after the claim, before a word", async () => {
    const { input } = await claimed("gone");
    const received = await follow(input);
    expect(expectWholeRun(received)).toMatchObject({
      status: "failed",
      text: "",
      error: { code: "OWNER_LOST" },
    });
    expect(received[0]?.event).toMatchObject({ type: "runStart", message: "hello" });
  });

  test("killed while Redis lost what readers had seen: no number is given out again", async () => {
    const owner = await startOwner();
    const { run } = await claimed(owner.nodeId);
    const { conversationId, runId } = run;
    const writer = await begun(owner.log, run);
    await world.redis.command("SAVE");
    for (const name of ["lost", "too"]) {
      writer.append({ type: "custom", runId, spanId: "span", name, data: {} });
    }
    await writer.flushed();
    using client = wsClient(node.url);
    const watching = read((options) =>
      client.api.chat.watch.subscribe({ conversationId, lastEventId: "0" }, options),
    );
    const { id: seen } = await watching.until((event) => "name" in event && event.name === "too");
    await world.redis.kill();
    await owner.kill();
    await world.redis.restart({ keepData: "saved" });
    const end = await watching.until(({ type }) => type === "runEnd");
    expect(end.event).toMatchObject({ status: "failed", error: { code: "OWNER_LOST" } });
    expect(Number(end.id)).toBeGreaterThan(Number(seen));
    const next = world.newRun({ steps: ["next"] }, conversationId);
    await follow(next);
    const start = await watching.until((it) => it.type === "runStart" && it.runId === next.runId);
    expect(Number(start.id)).toBeGreaterThan(Number(end.id));
    watching.stop();
  });

  test("killed after the end was stored, before it was in the log", async () => {
    const owner = await startOwner();
    const { run } = await claimed(owner.nodeId);
    const { conversationId, runId } = run;
    const writer = await begun(owner.log, run);
    await store.runs.finish({
      runId,
      status: "completed",
      text: "whole",
      endSeq: writer.lastSeq + 1,
      endedAt: new Date().toISOString(),
    });
    using client = wsClient(node.url);
    const watching = read((options) =>
      client.api.chat.watch.subscribe({ conversationId, lastEventId: "0" }, options),
    );
    await watching.until(({ type }) => type === "runStart");
    await owner.kill();
    const end = await watching.until(({ type }) => type === "runEnd");
    expect(end.event).toMatchObject({ status: "completed", text: "whole" });
    expect(watching.received).toHaveLength(2);
    // Not from the store alone: who reads the log has it too.
    await using looking = await TestRedisLog.open({ url: world.redis.url, nodeId: "looker" });
    const logged = async () =>
      (await looking.readStored(conversationId, 0)).entries.map(({ type }) => type);
    await expect.poll(logged).toEqual(["runStart", "runEnd"]);
    watching.stop();
  });

  test("killed after its readers were told the end, before the store was", async () => {
    const owner = await startOwner();
    const { run } = await claimed(owner.nodeId);
    const { conversationId, runId } = run;
    const writer = await begun(owner.log, run);
    const at = new Date().toISOString();
    writer.append({ type: "runEnd", runId, at, status: "completed", text: "whole" });
    await writer.flushed();
    using client = wsClient(node.url);
    const input = { conversationId, lastEventId: "0" };
    const watching = read((options) => client.api.chat.watch.subscribe(input, options));
    await watching.until(({ type }) => type === "runEnd");
    await owner.kill();
    const stored = async () => (await store.runs.endedBetween(conversationId, 0, 1))[0];
    await expect.poll(stored).toMatchObject({
      runId,
      status: "completed",
      text: "whole",
      endSeq: writer.lastSeq,
      endedAt: at,
    });
    // The same reader goes on, and is told of no second end.
    const next = world.newRun({ steps: ["next"] }, conversationId);
    expect(expectWholeRun(await follow(next)).text).toBe("next");
    await watching.until((event) => event.type === "runEnd" && event.runId === next.runId);
    const ends = watching.received.filter(({ event }) => event.type === "runEnd");
    expect(ends.map(({ event }) => event.runId)).toEqual([runId, next.runId]);
    watching.stop();
  });

  test("a run of which Redis has lost the beginning is its owner's still", async () => {
    // Its readers wait for the log alone, however long this machine takes to write it again.
    const clusterTimes = { ...times, lookAgainMs: 60_000 };
    await using patient = await world.startNode({ clusterTimes });
    const conversationId = randomUUID();
    const earlier = world.newRun({ steps: ["earlier"] }, conversationId);
    expectWholeRun(await follow(earlier));
    const gate = Promise.withResolvers<void>();
    const run = world.newRun({ steps: ["one ", { until: gate.promise }, "two"] }, conversationId);
    await world.redis.command("SAVE");
    using client = wsClient(patient.url);
    const reading = read((options) => client.api.chat.send.subscribe(run, options));
    await reading.until(({ type }) => type === "token");
    // As after a failover to a replica that lags: the earlier run is the last that it knows.
    await world.redis.restart({ keepData: "saved" });
    gate.resolve();
    expect(expectWholeRun(await reading.completed)).toMatchObject({
      status: "completed",
      text: "one two",
    });
    const [, stored] = await store.runs.endedBetween(conversationId, 0, 2);
    expect(stored).toMatchObject({ runId: run.runId, status: "completed", text: "one two" });
  });

  test("killed together with what Redis held: readers get the end at a number they have not seen", async () => {
    const owner = await startOwner();
    const { run } = await claimed(owner.nodeId);
    const { conversationId } = run;
    const writer = await begun(owner.log, run);
    for (const name of ["a", "b", "c"]) {
      writer.append({ type: "custom", runId: run.runId, spanId: "s", name });
    }
    await writer.flushed();
    using client = wsClient(node.url);
    const input = { conversationId, lastEventId: "0" };
    const watching = read((options) => client.api.chat.watch.subscribe(input, options));
    await watching.until((event) => event.type === "custom" && event.name === "c");
    await owner.kill();
    await world.redis.command("FLUSHALL");
    const end = await watching.until(({ type }) => type === "runEnd");
    expect(end.event).toMatchObject({ status: "failed", error: { code: "OWNER_LOST" } });
    // The conversation goes on, for the same reader too.
    const next = world.newRun({ steps: ["next"] }, conversationId);
    expect(expectWholeRun(await follow(next)).text).toBe("next");
    const last = await watching.until(
      ({ type, runId }) => type === "runEnd" && runId === next.runId,
    );
    expect(last.event).toMatchObject({ text: "next" });
    watching.stop();
  });

  test("two processes cannot write one run: the one that comes second is refused", async () => {
    const [first, second] = await Promise.all(
      ["a", "b"].map((nodeId) => TestRedisLog.open({ url: world.redis.url, nodeId })),
    );
    const run = { conversationId: randomUUID(), runId: randomUUID(), after: 0 };
    const writer = await first?.open(run);
    await expect(second?.open(run)).rejects.toMatchObject({ code: "OWNER_LOST" });
    const taken = await second?.open({ ...run, takeOver: true });
    writer?.append({ type: "custom", runId: run.runId, spanId: "s", name: "too late" });
    await writer?.flushed();
    expect(writer?.lost.reason).toMatchObject({ code: "OWNER_LOST" });
    expect(taken?.lost.aborted).toBe(false);
    expect(await second?.readStored(run.conversationId, 0)).toMatchObject({ entries: [] });
    for (const log of [first, second]) await log?.[Symbol.asyncDispose]();
  });

  test("an older run gets no write lease from a newer one, nor by taking over", async () => {
    await using log = await TestRedisLog.open({ url: world.redis.url, nodeId: "a" });
    const conversationId = randomUUID();
    const newer = await log.open({ conversationId, runId: randomUUID(), after: 10 });
    const older = { conversationId, runId: randomUUID(), after: 3 };
    for (const run of [older, { ...older, takeOver: true }]) {
      await expect(log.open(run)).rejects.toMatchObject({ code: "OWNER_LOST" });
    }
    newer.append({ type: "custom", runId: older.runId, spanId: "s", name: "still" });
    await newer.flushed();
    expect(newer.lost.aborted).toBe(false);
    expect((await log.readStored(conversationId, 10)).entries).toHaveLength(1);
  });
});
