/** Answer after answer, for minutes: what the server holds, how late tokens come, and for how long nothing does. */
import type { Measure } from "../parts/measure.ts";
import { residentDuring } from "../parts/resident.ts";
import { Stage } from "../parts/stage.ts";

export const enduranceRuns = { quick: 100, full: 300 };
export const enduranceMinutes = 6;
const intervalMs = 50;
const answerMs = 20_000;
const wanted = { kind: "paced", tokens: answerMs / intervalMs, intervalMs } as const;
const secondsAMinute = 60;

export const endurance: Measure = {
  name: "endurance",
  peers: { quick: ["langwire", "rawWs"], full: ["langwire", "rawWs"] },
  rounds: { quick: 0, full: 1 },
  sample: async (peer, mode, { minutes = enduranceMinutes, runs: count = enduranceRuns[mode] }) => {
    await using stage = await Stage.open({ peer });
    await stage.connect(count);
    const runsEach = Math.max(1, Math.round((minutes * secondsAMinute * 1_000) / answerMs));
    await stage.load.call("startLatencies");
    await stage.server.call("startLoopDelay");
    const before = await stage.usage();
    // Somebody begins, and somebody ends, all the time.
    const driven = stage.drive({ wanted, runsEach, spreadMs: answerMs, count });
    const residentMiB = await residentDuring(stage, driven);
    const after = await stage.usage();
    const { p50, p99 } = await stage.stopLatencies();
    return {
      minuteMiB: Math.max(...residentMiB.slice(0, secondsAMinute)),
      mostMiB: Math.max(...residentMiB),
      lastMiB: residentMiB.at(-1) ?? 0,
      p50Ms: p50,
      p99Ms: p99,
      pauseMs: await stage.server.call("stopLoopDelay"),
      cpuPercent: (100 * (after.cpuUs - before.cpuUs)) / (after.wallUs - before.wallUs),
    };
  },
};
