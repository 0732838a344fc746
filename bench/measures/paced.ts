/** The server's CPU, and what a token takes from provider to client, at 20 tokens a second a run. */
import type { Measure } from "../parts/measure.ts";
import { pacedWindow } from "../parts/paced-window.ts";
import { Stage } from "../parts/stage.ts";

export const pacedRuns = { quick: [300], full: [300, 600] };

export const paced: Measure = {
  name: "paced",
  peers: {
    quick: ["langwire", "rawWs"],
    full: [
      "langwire",
      "rawWs",
      "callbacks",
      "rawWsEvents",
      "socketIo",
      "aiSdk",
      "plainTrpc",
      "langgraphApi",
    ],
  },
  rounds: { quick: 3, full: 5 },
  sample: async (peer, mode) => {
    await using stage = await Stage.open({ peer });
    const sample: Record<string, number> = {};
    for (const count of pacedRuns[mode]) {
      await stage.connect(count);
      const { cpuPercent, p50, p99, tokensPerSecond } = await pacedWindow(stage, count);
      sample[`cpuPercent${count}`] = cpuPercent;
      sample[`p50Ms${count}`] = p50;
      sample[`p99Ms${count}`] = p99;
      sample[`tokensPerSecond${count}`] = tokensPerSecond;
    }
    return sample;
  },
};
