/** Whether a token costs more in a long answer. */
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";

const count = 4;
const lengths = { 500: 100, 5000: 12, 20000: 4 };

export const longAnswer: Measure = {
  name: "longAnswer",
  peers: { quick: ["langwire"], full: ["langwire", "callbacks"] },
  rounds: { quick: 3, full: 5 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer });
    await stage.connect(count);
    const sample: Record<string, number> = {};
    for (const [length, runsEach] of Object.entries(lengths)) {
      const tokens = Number(length);
      const load = { wanted: { kind: "fast", tokens } as const, spreadMs: 0, count };
      await stage.drive({ ...load, runsEach: Math.max(2, runsEach / 4) });
      const cpuUs = await stage.cpuUs(() => stage.drive({ ...load, runsEach }));
      sample[`usPerToken${length}`] = cpuUs / (tokens * runsEach * count);
    }
    return sample;
  },
};
