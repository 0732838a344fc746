/** From sending a message to the first token, when nothing else is going on. */
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";
import { median } from "../parts/statistics.ts";

const wanted = { kind: "paced", tokens: 3, intervalMs: 5 } as const;

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
    await stage.load.call("firstTokens", { count: 50, wanted });
    const times = await stage.load.call<number[]>("firstTokens", { count: 100, wanted });
    return { ms: median(times) };
  },
};
