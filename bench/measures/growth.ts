/** How Langwire's cost grows with runs, readers, length and payloads: three sizes each. */
import { randomUUID } from "node:crypto";
import type { Measure } from "../parts/measure.ts";
import { pacedWindow } from "../parts/paced-window.ts";
import { Stage } from "../parts/stage.ts";

const tokens = 300;
const fast = { kind: "fast", tokens } as const;
/** After a thousand runs of 300 tokens or so, a run costs half of what the first ones do. */
const warmUpMs = 6_000;

/** The sizes, shared with whoever draws them. */
export const growthSizes = {
  runs: [150, 300, 600],
  readers: [10, 100, 1_000],
  length: [500, 5_000, 20_000],
  payload: [100, 5_000, 30_000],
} as const;

export const growth: Measure = {
  name: "growth",
  peers: { quick: [], full: ["langwire"] },
  rounds: { quick: 0, full: 3 },
  sample: async () => ({
    ...(await byRuns()),
    ...(await byReaders()),
    ...(await byLength()),
    ...(await byPayload()),
  }),
};

/** CPU a token, at 20 tokens a second a run. */
async function byRuns(): Promise<Record<string, number>> {
  await using stage = await Stage.open({ peer: "langwire" });
  const found: Record<string, number> = {};
  for (const runs of growthSizes.runs) {
    await stage.connect(runs);
    const { cpuPercent, tokensPerSecond } = await pacedWindow(stage, runs);
    found[`runs${runs}`] = (cpuPercent * 1e4) / tokensPerSecond;
  }
  return found;
}

/** CPU a token made, however many read it. */
async function byReaders(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const readers of growthSizes.readers) {
    await using stage = await Stage.open({ peer: "langwire" });
    await stage.connect(readers + 1, { oneUser: true });
    const room = randomUUID();
    await stage.load.call("watch", { room });
    const runs = Math.max(3, 100 / readers);
    await stage.load.call("fanOut", { room, wanted: fast, runs });
    const run = () => stage.load.call("fanOut", { room, wanted: fast, runs });
    found[`readers${readers}`] = (await stage.cpuUs(run)) / (runs * tokens);
  }
  return found;
}

/** CPU a token, saturated. */
async function byLength(): Promise<Record<string, number>> {
  await using stage = await Stage.open({ peer: "langwire" });
  const count = 4;
  await stage.connect(count);
  return await warmedUp(async () => {
    const found: Record<string, number> = {};
    for (const length of growthSizes.length) {
      const wanted = { kind: "fast", tokens: length } as const;
      const runsEach = Math.max(2, Math.ceil(40_000 / length / count));
      const cpuUs = await stage.cpuUs(() => stage.drive({ wanted, runsEach, spreadMs: 0, count }));
      found[`length${length}`] = cpuUs / (length * runsEach * count);
    }
    return found;
  });
}

/** CPU a run of 300 tokens whose message, shown as the root span's input, has so many characters. */
async function byPayload(): Promise<Record<string, number>> {
  await using stage = await Stage.open({ peer: "langwire" });
  const count = 16;
  await stage.connect(count);
  return await warmedUp(async () => {
    const found: Record<string, number> = {};
    for (const messageLength of growthSizes.payload) {
      const load = { wanted: fast, runsEach: 10, spreadMs: 0, count, messageLength };
      const cpuUs = await stage.cpuUs(() => stage.drive(load));
      found[`payload${messageLength}`] = cpuUs / (load.runsEach * count);
    }
    return found;
  });
}

/**
 * Goes through all sizes, unmeasured, until the server is warm, and takes every point in one more pass:
 * with a warm-up before each, the first size is colder than the last.
 */
async function warmedUp<Found>(measureAll: () => Promise<Found>): Promise<Found> {
  const startMs = performance.now();
  do await measureAll();
  while (performance.now() - startMs < warmUpMs);
  return measureAll();
}
