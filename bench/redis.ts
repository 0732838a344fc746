/**
 * What the log in Redis costs: `node bench/redis.ts [seconds]`, with redis-server installed.
 *
 * One process writes to many conversations, another follows all of them, as a node does whose
 * clients watch what runs elsewhere. Then: what Redis holds of live runs, and of ended ones before
 * and after the retention time.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism, cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { startRedis } from "../test/support/redis.ts";
import { cpuSecondsOf } from "./redis/cpu.ts";
import { rememberRuns } from "./redis/memory.ts";
import type { Load, ReaderReport, WriterReport } from "./redis/messages.ts";

const seconds = Number(process.argv[2] ?? 20);
const load: Omit<Load, "url"> = { conversations: 5_000, eventsPerSecond: 2_000, seconds };

function print(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(46)} ${value}\n`);
}

function start(script: string, settings: Load) {
  const path = fileURLToPath(new URL(`./redis/${script}`, import.meta.url));
  const child = fork(path, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.send(settings);
  return {
    said: async <T>() => ((await once(child, "message")) as [T])[0],
    go: () => void child.send("go"),
    end: async () => {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

await using redis = await startRedis();
const version = /redis_version:(\S+)/.exec(await redis.command<string>("INFO", "server"))?.[1];
print("machine", `${availableParallelism()} × ${cpus()[0]?.model.trim()}, load ${loadavg()[0]}`);
print("versions", `Node ${process.versions.node}, Redis ${version}`);

const writer = start("writer.ts", { ...load, url: redis.url });
await writer.said();
const reader = start("reader.ts", { ...load, url: redis.url });
await reader.said();
const before = cpuSecondsOf(redis.pid);
const reports = Promise.all([writer.said<WriterReport>(), reader.said<ReaderReport>()]);
writer.go();
reader.go();
const [written, read] = await reports;
const redisSeconds = cpuSecondsOf(redis.pid) - before;
await writer.end();
await reader.end();

const share = (cpuSeconds: number) => `${((100 * cpuSeconds) / seconds).toFixed(1)}% of a core`;
print("conversations followed", String(load.conversations));
print("events written a second", (written.events / seconds).toFixed(0));
print("events read", `${read.events} of ${written.events}`);
print("Redis", share(redisSeconds));
print("reading node", share(read.cpuSeconds));
print("writing node", share(written.cpuSeconds));
print("append to reader, median", `${read.medianMs.toFixed(1)} ms`);
print("append to reader, p99", `${read.p99Ms.toFixed(1)} ms`);

await redis.command("FLUSHALL");
for (const [name, value] of await rememberRuns(redis)) print(name, value);
