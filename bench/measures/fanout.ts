/** One run to a thousand readers: the server's CPU for each token delivered. */
import { randomUUID } from "node:crypto";
import type { Measure } from "../parts/measure.ts";
import { tokenIntervalMs } from "../parts/paced-window.ts";
import { Stage } from "../parts/stage.ts";

const tokens = 300;
const pacedTokens = 80;

export const fanout: Measure = {
  name: "fanout",
  peers: { quick: ["langwire", "rawWs"], full: ["langwire", "rawWs", "socketIo"] },
  rounds: { quick: 1, full: 5 },
  sample: async (peer, mode) => fanOut(peer, mode === "quick" ? 300 : 1_000),
};

export async function fanOut(peer: Parameters<Measure["sample"]>[0], watchers: number) {
  await using stage = await Stage.open({ peer });
  await stage.connect(watchers + 1, { oneUser: true });
  const room = randomUUID();
  await stage.load.call("watch", { room });
  const runs = Math.max(2, Math.ceil(3_000 / watchers));
  const fast = { kind: "fast", tokens } as const;
  const run = (wanted: object, times: number) =>
    stage.load.call("fanOut", { room, wanted, runs: times });
  await run(fast, 2);
  const deliveries = (watchers + 1) * tokens * runs;
  const saturated = (await stage.cpuUs(() => run(fast, runs))) / deliveries;
  const slow = { kind: "paced", tokens: pacedTokens, intervalMs: tokenIntervalMs } as const;
  const paced = (await stage.cpuUs(() => run(slow, 1))) / ((watchers + 1) * pacedTokens);
  return { usPerDelivery: saturated, pacedUsPerDelivery: paced };
}
