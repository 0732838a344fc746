/** Some runs at 20 tokens a second each, looked at while all of them are under way. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Load } from "../load/drive.ts";
import type { PinnedProcess } from "./pinned-process.ts";
import type { Quantiles, Usage } from "./stage.ts";

export const tokenIntervalMs = 50;
const spreadMs = 1_500;
const settleMs = 700;
export const windowMs = 4_000;
/** Long enough to be under way at the window's end. */
const tokens = Math.ceil((spreadMs + settleMs + windowMs + 600) / tokenIntervalMs);

export interface PacedWindow {
  readonly cpuPercent: number;
  readonly p50: number;
  readonly p99: number;
  readonly tokensPerSecond: number;
}

/** A peer under load: one server or several. */
export interface PacedStage {
  readonly load: Pick<PinnedProcess, "call">;
  drive(load: Load & { count: number }): Promise<void>;
  usage(): Promise<Usage>;
  stopLatencies(): Promise<Quantiles>;
}

export function pacedWindow(stage: PacedStage, count: number): Promise<PacedWindow> {
  return underWay(stage, count, async () => {
    await stage.load.call("startLatencies");
    const before = await stage.usage();
    await sleep(windowMs);
    const after = await stage.usage();
    const { count: received, p50, p99 } = await stage.stopLatencies();
    const wallUs = after.wallUs - before.wallUs;
    return {
      cpuPercent: (100 * (after.cpuUs - before.cpuUs)) / wallUs,
      p50,
      p99,
      tokensPerSecond: received / (wallUs / 1e6),
    };
  });
}

/** @param look takes no longer than the window: then all runs are between their start and their end */
export async function underWay<Seen>(
  stage: PacedStage,
  count: number,
  look: () => Promise<Seen>,
): Promise<Seen> {
  const wanted = { kind: "paced", tokens, intervalMs: tokenIntervalMs } as const;
  const driven = stage.drive({ wanted, runsEach: 1, spreadMs, count });
  driven.catch(() => {});
  await sleep(spreadMs + settleMs);
  const seen = await look();
  await driven;
  return seen;
}
