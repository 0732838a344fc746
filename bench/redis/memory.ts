/** What Redis holds of runs: while they are in progress, when they have ended, after the retention. */

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { RunWriter } from "../../src/log/log.ts";
import type { TestRedis } from "../../test/support/redis.ts";
import { TestRedisLog } from "../../test/support/redis-log.ts";

const retentionMs = 30_000;
const liveRuns = 1_000;
const endedRuns = 10_000;
/** An answer of 300 tokens, as it is stored at 20 tokens a second: hardly any two in one event. */
const tokens = 300;
const atOnce = 200;

export async function rememberRuns(redis: TestRedis): Promise<[name: string, value: string][]> {
  const used = async () => {
    const memory = await redis.command<string>("INFO", "memory");
    return Number(/used_memory:(\d+)/.exec(memory)?.[1]);
  };
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const log = await TestRedisLog.open({
    url: redis.url,
    nodeId: "memory",
    bounds: { retentionMs },
  });
  const empty = await used();
  const live = await write(log, liveRuns, tokens);
  const perLiveRun = ((await used()) - empty) / liveRuns;
  for (const writer of live) writer.close();
  for (let runs = liveRuns; runs < endedRuns; runs += atOnce) {
    for (const writer of await write(log, atOnce, 20)) writer.close();
  }
  const ended = await used();
  await delay(retentionMs + 5_000);
  const after = await used();
  const keys = await redis.command<number>("DBSIZE");
  await log[Symbol.asyncDispose]();
  return [
    [`Redis, a live run of ${tokens} token events`, `${(perLiveRun / 1024).toFixed(1)} KiB`],
    ["Redis, empty", mebibytes(empty)],
    [`Redis, ${endedRuns} ended runs`, mebibytes(ended)],
    ["Redis, after the retention time", `${mebibytes(after)}, ${keys} keys`],
  ];
}

async function write(log: TestRedisLog, runs: number, events: number): Promise<RunWriter[]> {
  const writers: RunWriter[] = [];
  for (let from = 0; from < runs; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, runs - from) }, async () => {
      const runId = randomUUID();
      const spanId = randomUUID();
      const writer = await log.open({ conversationId: randomUUID(), runId, after: 0 });
      for (let index = 0; index < events; index++) {
        writer.append({ type: "token", runId, spanId, text: ` word${index % 10}` });
        await writer.flushed();
      }
      writers.push(writer);
    });
    await Promise.all(some);
  }
  return writers;
}
