import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { RedisLog } from "../../src/log/redis/redis-log.ts";
import { needsRedis } from "../support/redis.ts";
import { startRedisCluster, type TestRedisCluster } from "../support/redis-cluster.ts";
import { describeLog } from "./log-contract.ts";

needsRedis("redis cluster", () => {
  let redis: TestRedisCluster;

  beforeAll(async () => {
    redis = await startRedisCluster();
  });

  afterAll(() => redis[Symbol.asyncDispose]());

  describeLog("redis cluster", (bounds) =>
    RedisLog.open({ url: redis.url, nodeId: randomUUID(), bounds, times: { checkMs: 20 } }),
  );
});
