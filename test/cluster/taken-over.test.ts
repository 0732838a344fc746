/** Runs that somebody took over, or took for another's, while their owner is there: each ends, once. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Archiver } from "../../src/runs/archives/archiver.ts";
import type { NodeLease } from "../../src/runs/cluster/coordination.ts";
import { reap } from "../../src/runs/cluster/reaper.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import type { Store } from "../../src/store/store.ts";
import type { TestServer } from "../../src/testing/index.ts";
import type { SentRun } from "../faults/world.ts";
import { needsRedis } from "../support/redis.ts";
import { TestRedisLog } from "../support/redis-log.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { ended } from "./asking.ts";
import { ClusterWorld } from "./world.ts";

needsRedis("a run taken over while its owner is there", () => {
  let world: ClusterWorld;
  let node: TestServer;
  let store: Store;

  beforeAll(async () => {
    world = await ClusterWorld.start();
    node = await world.startNode({ runLimits: { reconcileMs: 250 } });
    store = node.langwire.store;
  });

  afterAll(async () => {
    await node[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const nodeId = () => node.langwire.cluster?.nodeId ?? "";
  const logOf = (nodeId: string) => TestRedisLog.open({ url: world.redis.url, nodeId });

  /** In progress in the store as the node's, which does not know of it: the answer to its claim was lost. */
  async function claimedUnheard(run: SentRun) {
    const claim = await store.runs.claim({ ...run, userId: "local", owner: nodeId() });
    if (claim.outcome !== "claimed") throw new Error(claim.outcome);
    return claim.run;
  }

  function watch(conversationId: string, lastEventId = "0") {
    const client = wsClient(node.url);
    const input = { conversationId, lastEventId };
    const watching = read((options) => client.api.chat.watch.subscribe(input, options));
    return { watching, [Symbol.dispose]: () => client[Symbol.dispose]() };
  }

  const stored = async (conversationId: string) =>
    (await store.runs.endedBetween(conversationId, 0, 1))[0];

  test("is not, where the owner came back and began it while a reaper was at work", async () => {
    const gate = Promise.withResolvers<void>();
    const run = world.newRun({ steps: ["one ", { until: gate.promise }, "two"] });
    using client = wsClient(node.url);
    const reading = read((options) => client.api.chat.send.subscribe(run, options));
    await reading.until(({ type }) => type === "token");
    await using log = await logOf("reaper");
    await using own = await openPostgresStore({ url: world.database.url });
    // What the reaper found when it asked: none of the owner's runs, and the owner gone.
    own.runs.ownedBy = async () => [];
    const lease: NodeLease = {
      held: true,
      othersRenew: async () => true,
      renew: async () => {},
      census: async () => ({ alive: new Set(), gone: [nodeId()] }),
      clear: async () => false,
      [Symbol.asyncDispose]: async () => {},
    };
    const archiver = new Archiver({ keepEventsMs: 0, observer: {} });
    await reap({ store: own, log, lease, mayLackEvents: () => false, observer: {}, archiver });
    gate.resolve();
    expect(expectWholeRun(await reading.completed)).toMatchObject({
      status: "completed",
      text: "one two",
    });
    expect(await stored(run.conversationId)).toMatchObject({ status: "completed" });
  });

  test("by somebody who never ended it is ended by its owner", async () => {
    const run = world.newRun({ steps: ["never"] });
    const { conversationId, runId } = run;
    {
      await using log = await logOf("died");
      await log.open({ conversationId, runId, after: 0, takeOver: true });
    }
    await claimedUnheard(run);
    using reader = watch(conversationId);
    const { event } = await reader.watching.until(({ type }) => type === "runEnd");
    expect(event).toMatchObject({ status: "failed", error: { code: "STORE_UNAVAILABLE" } });
    expect(await stored(conversationId)).toMatchObject({ status: "failed", runId, endSeq: 2 });
    await using looking = await logOf("looker");
    const logged = async () =>
      (await looking.readStored(conversationId, 0)).entries.map(({ type }) => type);
    await expect.poll(logged).toEqual(["runStart", "runEnd"]);
    // The conversation is free, and the same reader goes on.
    const next = world.newRun({ steps: ["next"] }, conversationId);
    using client = wsClient(node.url);
    await read((options) => client.api.chat.send.subscribe(next, options)).completed;
    await reader.watching.until((it) => it.type === "runEnd" && it.runId === next.runId);
    reader.watching.stop();
  });

  test.each(["nobody asks", "it is sent again"])(
    "whose end is in the log has that end, when %s",
    async (how) => {
      const run = world.newRun({ steps: ["never"] });
      const { conversationId, runId } = run;
      const [text, at] = ["whole", new Date().toISOString()];
      {
        await using log = await logOf(nodeId());
        const writer = await log.open({ conversationId, runId, after: 0 });
        writer.append({ type: "runStart", at, userId: "local", ...run });
        writer.append({ type: "runEnd", runId, at, status: "completed", text });
        await writer.flushed();
        writer.close();
        await expect.poll(() => log.openRunsOf(nodeId())).toEqual([]);
      }
      await claimedUnheard(run);
      if (how === "it is sent again") {
        using client = wsClient(node.url);
        const send = () => read((options) => client.api.chat.send.subscribe(run, options));
        expect(await ended(send)).toMatchObject({ status: "completed", text });
      }
      const end = { runId, status: "completed", text, endSeq: 2 };
      await expect.poll(() => stored(conversationId)).toMatchObject(end);
      using reader = watch(conversationId);
      const { event } = await reader.watching.until(({ type }) => type === "runEnd");
      expect(event).toMatchObject({ status: "completed", text });
      reader.watching.stop();
      // Nobody looks after it any more.
      await using log = await logOf("looker");
      await expect.poll(() => log.openRunsOf(nodeId())).toEqual([]);
    },
  );

  test("that the store has over is written again by nobody, where Redis has lost it", async () => {
    const isOurs = async () => false;
    await using log = await TestRedisLog.open({ url: world.redis.url, nodeId: "late", isOurs });
    const [conversationId, runId] = [randomUUID(), randomUUID()];
    const writer = await log.open({ conversationId, runId, after: 0 });
    const event = { type: "custom", runId, spanId: "s", name: "late" } as const;
    writer.append(event);
    await writer.flushed();
    for (const key of ["events", "pen", "ended"]) {
      await world.redis.command("DEL", `langwire:{${conversationId}}:${key}`);
    }
    writer.append(event);
    await writer.flushed();
    expect(writer.lost.reason).toMatchObject({ code: "OWNER_LOST" });
    expect(await log.readStored(conversationId, 0)).toMatchObject({ entries: [] });
  });
});
