import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultRedisTimes } from "../../src/redis/connection.ts";
import { KnownServers } from "../../src/redis/known-servers.ts";
import { connectToRedis } from "../../src/redis/server-cluster.ts";
import { freePort } from "../support/free-port.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { startRedisCluster, type TestRedisCluster } from "../support/redis-cluster.ts";
import { TestRedisLog } from "../support/redis-log.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { describeLog } from "./log-contract.ts";

needsRedis("redis cluster", () => {
  let redis: TestRedisCluster;

  beforeAll(async () => {
    redis = await startRedisCluster();
  });

  afterAll(() => redis[Symbol.asyncDispose]());

  describeLog("redis cluster", (bounds) =>
    TestRedisLog.open({ url: redis.url, nodeId: randomUUID(), bounds, times: { checkMs: 20 } }),
  );

  describe("redis cluster: its servers", () => {
    /** What a server says of the connections of one process. */
    async function connectionsOf(nodeId: string, server: Pick<TestRedis, "command">) {
      const clients = await server.command<string>("CLIENT", "LIST");
      return clients.split("\n").filter((line) => line.includes(` name=langwire-${nodeId} `));
    }

    test("all know a process as the user of its URL, and are left when it goes", async () => {
      for (const { command } of [...redis.shards, redis.replica]) {
        await command("ACL", "SETUSER", "alice", "on", ">p@ss", "~*", "&*", "+@all");
      }
      const url = new URL(redis.url);
      url.username = "alice";
      url.password = "p@ss";
      const nodeId = randomUUID();
      const log = await TestRedisLog.open({ url: url.href, nodeId });
      for (const shard of redis.shards) {
        const users = (await connectionsOf(nodeId, shard)).map((it) => / user=(\w+)/.exec(it)?.[1]);
        expect(users).toContain("alice");
        expect(users).not.toContain("default");
      }
      await log[Symbol.asyncDispose]();
      for (const shard of redis.shards) {
        await expect.poll(() => connectionsOf(nodeId, shard)).toEqual([]);
      }
    });

    test("are found again without waiting for one that says nothing", async () => {
      await using proxy = await startTcpProxy({ port: redis.shards[0].port });
      const nodeId = randomUUID();
      await using log = await TestRedisLog.open({
        url: `redis://127.0.0.1:${proxy.port}`,
        nodeId,
        // Longer than anything here is waited for.
        times: { pingMs: 100, pingTimeoutMs: 600_000 },
      });
      proxy.pause();
      const [shard] = redis.shards;
      const idsNow = async () =>
        (await connectionsOf(nodeId, shard)).map((line) => /^id=(\d+)/.exec(line)?.[1] ?? "");
      // Each time it begins with another of the four that it knows.
      for (let times = 0; times < 4; times++) {
        const before = await idsNow();
        for (const id of before) await shard.command("CLIENT", "KILL", "ID", id);
        const isBack = async () => {
          const ids = await idsNow();
          return log.redis.link.ready && ids.length > 0 && !ids.some((id) => before.includes(id));
        };
        await expect.poll(isBack).toBe(true);
      }
    });

    test("one that has left its cluster is not taken for it", async () => {
      await using alone = await startRedis([
        ...["--cluster-enabled", "yes"],
        // Its own choice, 10000 above its port, may be another server's.
        ...["--cluster-port", String(await freePort())],
      ]);
      // One attempt and its own end: a link would give up after a while, with what it had found by then.
      const attempt = {
        times: defaultRedisTimes,
        signal: new AbortController().signal,
        failures: 0,
      };
      const connecting = connectToRedis(new KnownServers(alone.url), { ...attempt, name: "test" });
      await expect(connecting).rejects.toThrow("a Redis Cluster without shards");
    });
  });
});
