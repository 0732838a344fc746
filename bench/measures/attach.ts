/** Attaching to a finished run of 5,000 events: how many frames, and how long the loop is held. */
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";

const tokens = 5_000;
const readers = 10;

interface Attached {
  readonly events: number;
  readonly frames: number;
}

export const attach: Measure = {
  name: "attach",
  peers: { quick: [], full: ["langwire"] },
  rounds: { quick: 0, full: 5 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer });
    const runId = await stage.load.call<string>("makeRun", { url: stage.url, tokens });
    await stage.server.call("startLoopDelay");
    let found: Attached = { events: 0, frames: 0 };
    for (let reader = 0; reader < readers; reader++) {
      found = await stage.load.call<Attached>("attach", { url: stage.url, runId, tokens });
    }
    const heldMs = await stage.server.call<number>("stopLoopDelay");
    return { ...found, heldMs };
  },
};
