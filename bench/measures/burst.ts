/** Many who send at the same moment: how long each waits for the first token. */
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";
import { median } from "../parts/statistics.ts";

export const burstRuns = 600;
const withinMs = 50;
/** Answers that are under way until the last of them has begun. */
const wanted = { kind: "paced", tokens: 40, intervalMs: 50 } as const;
/** The first is cold. */
const bursts = 3;

export const burst: Measure = {
  name: "burst",
  peers: {
    quick: ["langwire", "rawWs"],
    full: ["langwire", "rawWs", "socketIo", "plainTrpc"],
  },
  rounds: { quick: 2, full: 5 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer });
    await stage.connect(burstRuns);
    let times: number[] = [];
    for (let index = 0; index < bursts; index++) {
      times = await stage.load.call<number[]>("burst", { withinMs, wanted });
      await stage.quiet();
    }
    times.sort((one, other) => one - other);
    const p99Ms = times[Math.floor(times.length * 0.99)] ?? Number.NaN;
    return { p50Ms: median(times), p99Ms };
  },
};
