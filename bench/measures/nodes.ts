/**
 * Several nodes on one Redis and one Postgres beside one process on SQLite, at 20 tokens a second a run,
 * each read at another node than it runs on: CPU of all servers, and of Redis, for each token.
 */
import type { Measure } from "../parts/measure.ts";
import { NodesStage, type NodesStageOptions } from "../parts/nodes-stage.ts";
import { pacedWindow, windowMs } from "../parts/paced-window.ts";
import type { PeerName } from "../parts/peers.ts";

export const nodesRuns = {
  quick: (process.env.RUNS ?? "100").split(",").map(Number),
  full: [100, 300],
};

const warmRounds = 2;

const langwire = { server: "langwire", client: "langwire-nodes" };
const stages: Partial<Record<PeerName, NodesStageOptions>> = {
  langwire: { ...langwire, nodes: 1, shares: "nothing" },
  oneNode: { ...langwire, nodes: 1, shares: "redis and postgres" },
  threeNodes: { ...langwire, nodes: 3, shares: "redis and postgres" },
  resumableStream: {
    ...{ server: "resumable-stream", client: "resumable-stream" },
    ...{ nodes: 3, shares: "redis" },
  },
};

export const nodes: Measure = {
  name: "nodes",
  peers: {
    quick: ["langwire", "oneNode", "threeNodes"],
    full: ["langwire", "oneNode", "threeNodes", "resumableStream"],
  },
  rounds: { quick: 2, full: 5 },
  sample: async (peer, mode) => {
    const options = stages[peer];
    if (options === undefined) throw new Error(`${peer} is not measured on several nodes`);
    await using stage = await NodesStage.open(options);
    const sample: Record<string, number> = {};
    for (const count of nodesRuns[mode]) {
      await stage.connect(count);
      const watched = {
        ...pick(stage),
        /** Redis is looked at when the servers are, at the beginning and the end of the window. */
        usage: async () => {
          redis.push(await stage.redisUsage());
          return await stage.usage();
        },
      };
      const redis: Awaited<ReturnType<NodesStage["redisUsage"]>>[] = [];
      // A third of the tokens make a node's code warm a third as soon: so once before it counts.
      for (let round = 0; round < warmRounds; round++) await pacedWindow(watched, count);
      redis.length = 0;
      const { cpuPercent, p50, p99, tokensPerSecond } = await pacedWindow(watched, count);
      const tokens = tokensPerSecond * (windowMs / 1_000);
      const [before, after] = redis;
      sample[`usPerToken${count}`] = (cpuPercent * 1e4) / tokensPerSecond;
      sample[`redisUsPerToken${count}`] = ((after?.cpuUs ?? 0) - (before?.cpuUs ?? 0)) / tokens;
      sample[`redisReadsPerToken${count}`] = ((after?.reads ?? 0) - (before?.reads ?? 0)) / tokens;
      sample[`p50Ms${count}`] = p50;
      sample[`p99Ms${count}`] = p99;
    }
    return sample;
  },
};

function pick(stage: NodesStage) {
  return {
    load: stage.load,
    drive: stage.drive.bind(stage),
    stopLatencies: stage.stopLatencies.bind(stage),
  };
}
