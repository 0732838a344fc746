/** Follows all conversations, and notes how late each event was. */

import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { TestRedisLog } from "../../test/support/redis-log.ts";
import { conversationId, type Load, nowMs, type ReaderReport } from "./messages.ts";

/** For what was written last to arrive, a lost notification included. */
const settleMs = 6_000;

const [load] = (await once(process, "message")) as [Load];
const log = await TestRedisLog.open({ url: load.url, nodeId: "reader" });
const latenesses: number[] = [];

for (let index = 0; index < load.conversations; index++) {
  const id = conversationId(index);
  let seen = 0;
  await log.subscribe(id, () => {
    const slice = log.read(id, seen);
    if (slice instanceof Promise) throw new Error("a reader who keeps up reads from the mirror");
    for (const { seq, event } of slice.entries) {
      seen = seq;
      if (event.type === "token") latenesses.push(nowMs() - Number.parseFloat(event.text));
    }
  });
}
process.send?.("ready");
await once(process, "message");

const cpuBefore = process.cpuUsage();
await delay(load.seconds * 1_000);
const { user, system } = process.cpuUsage(cpuBefore);
await delay(settleMs);
latenesses.sort((a, b) => a - b);
const at = (part: number) => latenesses[Math.floor(latenesses.length * part)] ?? Number.NaN;
process.send?.({
  events: latenesses.length,
  cpuSeconds: (user + system) / 1e6,
  medianMs: at(0.5),
  p99Ms: at(0.99),
} satisfies ReaderReport);
await once(process, "disconnect");
await log[Symbol.asyncDispose]();
