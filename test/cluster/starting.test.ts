/** A node that cannot start says in one line what it lacks, and starts when that is there. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { needsRedis } from "../support/redis.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { ClusterWorld, shortTimes } from "./world.ts";

needsRedis("a node does not start", () => {
  let world: ClusterWorld;
  let way: TcpProxy;

  beforeAll(async () => {
    world = await ClusterWorld.start();
    way = await startTcpProxy({ port: world.redis.port });
  });

  afterAll(async () => {
    await way[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const clusterTimes = { ...shortTimes, connectTimeoutMs: 500 };
  const saying = (message: RegExp) => ({
    code: "STORE_UNAVAILABLE",
    cause: { message: expect.stringMatching(message) },
  });

  test("while Redis is away", async () => {
    way.refuse();
    const redisUrl = `redis://127.0.0.1:${way.port}`;
    const starting = world.startNode({ redisUrl, clusterTimes });
    await expect(starting).rejects.toMatchObject(saying(/^Redis cannot be used \(.+\)$/));
    way.accept();
    await using node = await world.startNode({ redisUrl, clusterTimes });
    expect(node.langwire.cluster?.joined).toBe(true);
  });

  test("while Redis is full", async () => {
    await world.redis.command("CONFIG", "SET", "maxmemory", "1");
    await expect(world.startNode({ clusterTimes })).rejects.toMatchObject(
      saying(/^Redis is full \(OOM .+\): make room in it, or raise its maxmemory$/),
    );
    await world.redis.command("CONFIG", "SET", "maxmemory", "0");
    await using node = await world.startNode({ clusterTimes });
    expect(node.langwire.cluster?.joined).toBe(true);
  });

  test("with a password that Redis does not take", async () => {
    const redisUrl = world.redis.url.replace("redis://", "redis://nobody:wrong@");
    await expect(world.startNode({ redisUrl, clusterTimes })).rejects.toMatchObject(
      saying(/^Redis refuses its user or password \(WRONGPASS .+\)$/),
    );
  });

  test("while Postgres is away", async () => {
    await using toPostgres = await startTcpProxy({ port: world.postgres.port });
    toPostgres.refuse();
    const url = new URL(world.database.url);
    url.port = String(toPostgres.port);
    await expect(world.startNode({ databaseUrl: url.href })).rejects.toMatchObject(
      saying(/^Postgres cannot be used \(.+\)$/),
    );
  });
});
