/** Writes events at an even pace, to one conversation after the other. */

import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { TestRedisLog } from "../../test/support/redis-log.ts";
import { conversationId, type Load, nowMs, type WriterReport } from "./messages.ts";

const [load] = (await once(process, "message")) as [Load];
const log = await TestRedisLog.open({ url: load.url, nodeId: "writer" });
const writers = [];
for (let index = 0; index < load.conversations; index++) {
  const runId = conversationId(index);
  writers.push({ runId, writer: await log.open({ conversationId: runId, runId, after: 0 }) });
}
process.send?.("ready");
await once(process, "message");

const cpuBefore = process.cpuUsage();
const startedAtMs = performance.now();
let events = 0;
while (performance.now() - startedAtMs < load.seconds * 1_000) {
  const due = ((performance.now() - startedAtMs) / 1_000) * load.eventsPerSecond;
  for (; events < due; events++) {
    const next = writers[events % writers.length];
    const text = `${nowMs()} and some words beside it`;
    next?.writer.append({ type: "token", runId: next.runId, spanId: "span", text });
  }
  await delay(1);
}
await Promise.all(writers.map(({ writer }) => writer.flushed()));
const { user, system } = process.cpuUsage(cpuBefore);
process.send?.({ events, cpuSeconds: (user + system) / 1e6 } satisfies WriterReport);
await once(process, "disconnect");
await log[Symbol.asyncDispose]();
