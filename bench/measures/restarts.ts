/** A server that is started again and again on one folder: what it holds, beside the first on it. */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measure } from "../parts/measure.ts";
import { residentDuring } from "../parts/resident.ts";
import { Stage } from "../parts/stage.ts";

export const restartRuns = 300;
const starts = 5;
/** 20 seconds. */
const wanted = { kind: "paced", tokens: 400, intervalMs: 50 } as const;

export const restarts: Measure = {
  name: "restarts",
  peers: { quick: ["langwire"], full: ["langwire"] },
  rounds: { quick: 0, full: 1 },
  sample: async (peer, _mode, { runs: count = restartRuns }) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-bench-"));
    const mostMiB: number[] = [];
    for (let start = 0; start < starts; start++) {
      await using stage = await Stage.open({ peer, env: { BENCH_DATA_DIR: folder.path } });
      await stage.connect(count);
      const driven = stage.drive({ wanted, runsEach: 1, spreadMs: 1_500, count });
      mostMiB.push(Math.max(...(await residentDuring(stage, driven))));
    }
    const [firstMiB = Number.NaN] = mostMiB;
    return { firstMiB, lastMiB: mostMiB.at(-1) ?? Number.NaN };
  },
};
