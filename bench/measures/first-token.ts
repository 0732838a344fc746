/** From sending a message to the first token, when nothing else is going on. */
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";
import { median } from "../parts/statistics.ts";

const wanted = { kind: "paced", tokens: 3, intervalMs: 5 } as const;

/** For its first hundreds of runs a server waits for V8, which compiles on the same core. */
export const warmAfterRuns = 500;

export const firstToken: Measure = {
  name: "firstToken",
  peers: {
    quick: ["langwire", "rawWs"],
    full: ["langwire", "rawWs", "socketIo", "aiSdk", "plainTrpc"],
  },
  rounds: { quick: 3, full: 5 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer });
    await stage.connect(1);
    const next = (count: number) => stage.load.call<number[]>("firstTokens", { count, wanted });
    await next(50);
    const fresh = median(await next(100));
    await next(warmAfterRuns - 150);
    return { freshMs: fresh, ms: median(await next(200)) };
  },
};
