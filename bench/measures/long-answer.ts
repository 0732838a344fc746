/** Whether a token costs more in a long answer. */
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";

const count = 4;
/** Tokens, and how many answers of that length each socket reads. */
const runsEachOf = new Map([
  [500, 100],
  [5_000, 12],
  [20_000, 4],
]);

export const answerLengths = [...runsEachOf.keys()];

export const longAnswer: Measure = {
  name: "longAnswer",
  peers: { quick: ["langwire"], full: ["langwire", "callbacks"] },
  rounds: { quick: 3, full: 5 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer });
    await stage.connect(count);
    const sample: Record<string, number> = {};
    for (const [tokens, runsEach] of runsEachOf) {
      const load = { wanted: { kind: "fast", tokens } as const, spreadMs: 0, count };
      await stage.drive({ ...load, runsEach: Math.max(2, runsEach / 4) });
      const cpuUs = await stage.cpuUs(() => stage.drive({ ...load, runsEach }));
      sample[`usPerToken${tokens}`] = cpuUs / (tokens * runsEach * count);
    }
    return sample;
  },
};
