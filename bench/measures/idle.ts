/** What an idle socket costs the server in memory. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";

const sockets = { quick: 1_000, full: 5_000 };

export const idle: Measure = {
  name: "idle",
  peers: { quick: ["langwire", "rawWs"], full: ["langwire", "rawWs", "plainTrpc", "socketIo"] },
  rounds: { quick: 1, full: 5 },
  sample: async (peer, mode) => {
    await using stage = await Stage.open({ peer });
    const count = sockets[mode];
    await stage.connect(200);
    await stage.drive({
      wanted: { kind: "fast", tokens: 300 },
      runsEach: 1,
      spreadMs: 0,
      count: 20,
    });
    const measured = count - 200;
    const before = await settledBytes(stage);
    await stage.connect(count);
    const connected = await settledBytes(stage);
    const sample = { connectedBytes: (connected - before) / measured };
    if (peer !== "langwire") return sample;
    await stage.load.call("watch", { room: randomUUID(), ownRooms: true });
    const watching = await settledBytes(stage);
    return {
      ...sample,
      watchingBytes: (watching - connected) / count + sample.connectedBytes,
    };
  },
};

async function settledBytes(stage: Stage): Promise<number> {
  await sleep(1_500);
  return (await stage.memory()).residentBytes;
}
