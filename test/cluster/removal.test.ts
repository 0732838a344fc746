/**
 * Somebody is removed on one node and reads on another. What tells the others may be lost, late or old;
 * what the store says counts.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Broadcast } from "../../src/redis/broadcast.ts";
import { Redis } from "../../src/redis/redis.ts";
import type { TestServer } from "../../src/testing/index.ts";
import { needsRedis } from "../support/redis.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { startNodeProcess } from "./node-process.ts";
import { ClusterWorld, shortTimes } from "./world.ts";

const notFound = { data: { langwire: { code: "NOT_FOUND" } } };

needsRedis("removal", () => {
  let world: ClusterWorld;
  let here: TestServer;
  let there: TestServer;

  beforeAll(async () => {
    world = await ClusterWorld.start();
    [here, there] = await Promise.all([world.startNode(), world.startNode()]);
  });

  afterAll(async () => {
    for (const node of [here, there]) await node[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** A conversation of ann's in which eve is a member, with a run that speaks until it is stopped. */
  async function shared({ speaks }: { speaks: boolean }) {
    const conversationId = randomUUID();
    const ann = wsClient(here.url, { userId: "ann" });
    await ann.api.conversations.create.mutate({ conversationId, botId: "test" });
    await ann.api.conversations.share.mutate({ conversationId });
    using eve = wsClient(there.url, { userId: "eve" });
    await eve.api.conversations.join.mutate({ conversationId });
    if (!speaks) return { ann, conversationId, stop: async () => {} };
    const steps = Array.from({ length: 2_000 }, (_, index) => `${index} `);
    const run = world.newRun({ steps, paceMs: 10 }, conversationId);
    const sending = read((options) => ann.api.chat.send.subscribe(run, options));
    await sending.until(({ type }) => type === "token");
    const stop = async () => {
      await ann.api.chat.cancel.mutate({ runId: run.runId });
    };
    return { ann, conversationId, stop };
  }

  test("is found by every node though nobody tells of it, in a busy conversation", async () => {
    const { ann, conversationId, stop } = await shared({ speaks: true });
    using eve = wsClient(there.url, { userId: "eve" });
    const watching = read((options) => eve.api.chat.watch.subscribe({ conversationId }, options));
    await watching.until(({ type }) => type === "token");
    // In the store alone: a node that died before it could tell the others.
    await here.langwire.store.conversations.unshare(conversationId, "ann");
    await expect(watching.completed).rejects.toMatchObject(notFound);
    await stop();
    ann[Symbol.dispose]();
  });

  test("is found by every node though nobody tells of it, in a quiet conversation", async () => {
    const { ann, conversationId } = await shared({ speaks: false });
    const watching = await there.langwire.runs.watch({ userId: "eve" }, { conversationId });
    const next = watching.next();
    await here.langwire.store.conversations.unshare(conversationId, "ann");
    await expect(next).rejects.toMatchObject({ code: "NOT_FOUND" });
    ann[Symbol.dispose]();
  });

  test("counts although the answer to it was lost, and whoever asks again is told the same", async () => {
    const { ann, conversationId, stop } = await shared({ speaks: true });
    using eve = wsClient(there.url, { userId: "eve" });
    const watching = read((options) => eve.api.chat.watch.subscribe({ conversationId }, options));
    await watching.until(({ type }) => type === "token");
    const { conversations } = here.langwire.store;
    const unshare = conversations.unshare.bind(conversations);
    conversations.unshare = async (...asked) => {
      await unshare(...asked);
      throw new Error("the connection is gone");
    };
    await expect(ann.api.conversations.unshare.mutate({ conversationId })).rejects.toThrow();
    conversations.unshare = unshare;
    await expect(watching.completed).rejects.toMatchObject(notFound);
    expect(await ann.api.conversations.unshare.mutate({ conversationId })).toMatchObject({
      shared: false,
    });
    await stop();
    ann[Symbol.dispose]();
  });

  test("that was taken back shuts nobody out, however late the others hear of it", async () => {
    const { ann, conversationId, stop } = await shared({ speaks: true });
    using eve = wsClient(there.url, { userId: "eve" });
    const watching = read((options) => eve.api.chat.watch.subscribe({ conversationId }, options));
    await watching.until(({ type }) => type === "token");
    await using redis = await Redis.open({ url: world.redis.url, nodeId: "late" });
    const name = "{nodes}:notices";
    await using broadcast = await Broadcast.open({ redis, name, onMessage: () => {} });
    broadcast.publish(JSON.stringify({ type: "revoke", conversationId, userIds: ["eve"] }));
    const before = watching.received.length;
    await expect.poll(() => watching.received.length).toBeGreaterThan(before + 20);
    await stop();
    watching.stop();
    ann[Symbol.dispose]();
  });

  test("is kept by a node that was asleep: it gives nothing before it has asked", async () => {
    const sleeper = await startNodeProcess(
      world.settings({ clusterTimes: { ...shortTimes, proofs: { renewMs: 300, validMs: 1_000 } } }),
    );
    const { ann, conversationId, stop } = await shared({ speaks: true });
    using eve = wsClient(sleeper.url, { userId: "eve" });
    const watching = read((options) => eve.api.chat.watch.subscribe({ conversationId }, options));
    await watching.until(({ type }) => type === "token");
    sleeper.signal("SIGSTOP");
    await ann.api.conversations.unshare.mutate({ conversationId });
    // What was said until then may be on its way to her.
    await delay(2_000);
    const said = watching.received.length;
    sleeper.signal("SIGCONT");
    await expect(watching.completed).rejects.toMatchObject(notFound);
    expect(watching.received.length - said).toBeLessThan(2);
    await stop();
    ann[Symbol.dispose]();
    await sleeper[Symbol.asyncDispose]();
  });
});
