/**
 * Three nodes under a random schedule of faults, used from outside all the while. A violation is told
 * with its seed and what happened; `CHAOS_SEED=… vitest run test/cluster/chaos` plays it again. With
 * FAULTS=full, rounds of new seeds for CHAOS_MINUTES (60), with the times of production, or short ones by
 * CHAOS_TIMES=short. CHAOS_OLD_NODE names `test/cluster/node.ts` of an earlier version, which two of the
 * three nodes then are.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { faultRow } from "../../faults/fault-table.ts";
import { full } from "../../faults/form.ts";
import { needsRedis } from "../../support/redis.ts";
import { startNodeProcess } from "../node-process.ts";
import { shortTimes } from "../world.ts";
import { planFaults } from "./faults.ts";
import { playRound } from "./round.ts";
import { keptLongSeeds, keptSeeds } from "./seeds.ts";
import { type ChaosTimes, ChaosWorld, type StartNode } from "./world.ts";

const short: ChaosTimes = {
  clusterTimes: {
    ...shortTimes,
    ...{ pingMs: 250, pingTimeoutMs: 1_000, maxReconnectDelayMs: 300 },
    proofs: { renewMs: 500, validMs: 1_500 },
  },
  runLimits: { storeTimeoutMs: 2_000, reconcileMs: 1_000 },
};
const production = full && process.env.CHAOS_TIMES !== "short";
const times: ChaosTimes = production ? { clusterTimes: {} } : short;
const leaseMs = production ? 15_000 : shortTimes.leaseMs;
const minutes = Number(process.env.CHAOS_MINUTES ?? 60);
const oldNode = process.env.CHAOS_OLD_NODE;
const startOld: StartNode = (settings) =>
  startNodeProcess(settings, oldNode === undefined ? {} : { file: oldNode });
const nodes: readonly StartNode[] = [startOld, startOld, startNodeProcess];
const givenSeed = process.env.CHAOS_SEED;

needsRedis("chaos", () => {
  let world: ChaosWorld;

  beforeAll(async () => {
    world = await ChaosWorld.start(times, nodes);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  async function play(seed: number): Promise<number> {
    const faults = planFaults({
      ...{ seed, nodes: 3, leaseMs },
      roundMs: full ? 6 * leaseMs : 1.2 * leaseMs,
    });
    const report = await playRound({
      ...{ world, seed, faults },
      conversations: full ? 4 : 2,
      quietMs: 60_000,
    });
    const what = [`seed ${seed}`, ...report.faults, ...report.violations].join("\n");
    if (full)
      console.info(report.violations.length > 0 ? what : `seed ${seed}: ${report.runs} runs`);
    expect(report.violations, what).toEqual([]);
    return report.runs;
  }

  const kept = full ? keptLongSeeds : keptSeeds;
  const seeds = givenSeed === undefined ? kept : [Number(givenSeed)];
  test.each(seeds)("seed %i", { timeout: 180_000 }, async (seed) => {
    await play(seed);
  });

  const timeout = (minutes + 5) * 60_000;
  test.runIf(full && givenSeed === undefined)(
    "rounds of new seeds",
    { timeout },
    async (context) => {
      const row = faultRow(context, "three nodes, random faults: runs");
      const failures: string[] = [];
      const untilMs = performance.now() + minutes * 60_000;
      for (let seed = Date.now() % 1_000_000; performance.now() < untilMs; seed++) {
        row.cases += await play(seed).catch((error: Error) => {
          failures.push(error.message);
          return 0;
        });
      }
      expect(failures).toEqual([]);
    },
  );
});
