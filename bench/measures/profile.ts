/** Where a token's microseconds go: Langwire's CPU by the steps of a token's way. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Measure, Sample } from "../parts/measure.ts";
import { pacedWindow, underWay, windowMs } from "../parts/paced-window.ts";
import type { Shares } from "../parts/profiler.ts";
import { Stage } from "../parts/stage.ts";
import { type Step, steps } from "../parts/steps.ts";

const tokens = 300;
const saturatedCount = 64;
const pacedCount = 300;

export type Load = "saturated" | "paced";

export const profile: Measure = {
  name: "profile",
  peers: { quick: [], full: ["langwire"] },
  rounds: { quick: 0, full: 5 },
  sample: async () => ({
    ...named("saturated", await saturatedSteps()),
    ...named("paced", await pacedSteps()),
  }),
};

/** What a step of a load is called in the sample. */
export function stepName(load: Load, step: Step): string {
  return `${load}: ${step}`;
}

/** µs a token. The profiler slows what it looks at: it gives the shares, and a load without it the whole. */
type Steps = (step: Step) => number;

async function saturatedSteps(): Promise<Steps> {
  await using stage = await Stage.open({ peer: "langwire" });
  await stage.connect(saturatedCount);
  const load = {
    wanted: { kind: "fast", tokens } as const,
    runsEach: 8,
    spreadMs: 0,
    count: saturatedCount,
  };
  await stage.drive(load);
  const cpuUs = await stage.cpuUs(() => stage.drive(load));
  const shares = await profiled(stage, () => stage.drive(load));
  const whole = cpuUs / (tokens * load.runsEach * saturatedCount);
  return (step) => whole * (shares[step] ?? 0);
}

async function pacedSteps(): Promise<Steps> {
  await using stage = await Stage.open({ peer: "langwire" });
  await stage.connect(pacedCount);
  const { cpuPercent, tokensPerSecond } = await pacedWindow(stage, pacedCount);
  const shares = await underWay(stage, pacedCount, () => profiled(stage, () => sleep(windowMs)));
  const whole = (cpuPercent * 1e4) / tokensPerSecond;
  return (step) => whole * (shares[step] ?? 0);
}

async function profiled(stage: Stage, what: () => Promise<unknown>): Promise<Shares> {
  await stage.server.call("startProfile");
  await what();
  return stage.server.call<Shares>("stopProfile");
}

function named(load: Load, us: Steps): Sample {
  return Object.fromEntries(steps.map((step) => [stepName(load, step), us(step)]));
}
