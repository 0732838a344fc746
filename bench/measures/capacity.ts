/** How many runs at 20 tokens a second one server holds with 99 of 100 tokens within 100 ms. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Measure } from "../parts/measure.ts";
import { tokenIntervalMs } from "../parts/paced-window.ts";
import { Stage } from "../parts/stage.ts";

export const stepRuns = 50;
const mostRuns = 2_000;
const spreadMs = stepRuns * 4;
const settleMs = 700;
const windowMs = 1_800;
const latencyMs = 100;
const tokens = 3_000;

export const capacity: Measure = {
  name: "capacity",
  peers: { quick: [], full: ["langwire", "rawWs", "aiSdk", "langgraphApi"] },
  rounds: { quick: 0, full: 5 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer, env: { MAX_LIVE_RUNS: String(mostRuns) } });
    const wanted = { kind: "paced", tokens, intervalMs: tokenIntervalMs } as const;
    let held = 0;
    for (let runs = 0; runs < mostRuns; ) {
      await stage.connect(runs + stepRuns);
      const load = { first: runs, count: stepRuns, wanted, runsEach: 1, spreadMs };
      await stage.load.call("begin", load);
      runs += stepRuns;
      await sleep(spreadMs + settleMs);
      await stage.load.call("startLatencies");
      await sleep(windowMs);
      const { p99, count: received } = await stage.stopLatencies();
      const failure = await stage.load.call<string | undefined>("failure");
      if (failure !== undefined) throw new Error(failure);
      const expected = (runs * windowMs) / tokenIntervalMs;
      if (p99 >= latencyMs || received < 0.9 * expected) break;
      held = runs;
    }
    return { runs: held };
  },
};
