/** The server's CPU for each token when the provider is as fast as it is read. */
import type { Measure, Sample } from "../parts/measure.ts";
import type { PeerName } from "../parts/peers.ts";
import { Stage } from "../parts/stage.ts";

const tokens = 300;
const wanted = { kind: "fast", tokens } as const;
export const saturatedRuns = [16, 128];

const expensive: ReadonlySet<PeerName> = new Set(["plainTrpc", "langgraphApi", "streamEvents"]);

export const saturated: Measure = {
  name: "saturated",
  peers: {
    quick: ["langwire", "callbacks", "rawWs"],
    full: [
      "langwire",
      "callbacks",
      "rawWs",
      "langwireStock",
      "callbacksEvents",
      "rawWsEvents",
      "chainStream",
      "streamEvents",
      "socketIo",
      "aiSdk",
      "aiSdkEvents",
      "plainTrpc",
      "langgraphApi",
      "tanstackAi",
    ],
  },
  rounds: { quick: 3, full: 5 },
  sample: async (peer, mode) => {
    await using stage = await Stage.open({ peer });
    const answers = (mode === "quick" ? 256 : 512) / (expensive.has(peer) ? 2 : 1);
    const sample: Record<string, number> = {};
    for (const count of saturatedRuns) {
      await stage.connect(count);
      const load = { wanted, runsEach: answers / count, spreadMs: 0, count };
      if (count === saturatedRuns[0]) await stage.drive(load);
      const cpuUs = await stage.cpuUs(() => stage.drive(load));
      sample[`usPerToken${count}`] = cpuUs / (answers * tokens);
    }
    return sample satisfies Sample;
  },
};
