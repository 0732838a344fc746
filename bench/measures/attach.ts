/**
 * Attaching to a finished run of 5,000 events, in the log and later in its archive: how many frames, how
 * long until the first, and how long the loop is held.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";
import { median } from "../parts/statistics.ts";

const tokens = 5_000;
const readers = 10;
/** Until the run has left the log's memory (`defaultLogBounds.archivedMs`). */
const archivedMs = 7_000;

interface Attached {
  readonly events: number;
  readonly frames: number;
  readonly firstMs: number;
}

export const attach: Measure = {
  name: "attach",
  peers: { quick: [], full: ["langwire"] },
  rounds: { quick: 0, full: 5 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer });
    const runId = await stage.load.call<string>("makeRun", { url: stage.url, tokens });
    const attached = async () => {
      await stage.server.call("startLoopDelay");
      const found: Attached[] = [];
      for (let reader = 0; reader < readers; reader++) {
        found.push(await stage.load.call<Attached>("attach", { url: stage.url, runId, tokens }));
      }
      const heldMs = await stage.server.call<number>("stopLoopDelay");
      return { found, heldMs, firstMs: median(found.map(({ firstMs }) => firstMs)) };
    };
    const logged = await attached();
    await delay(archivedMs);
    const archived = await attached();
    const { events = 0, frames = 0 } = logged.found.at(-1) ?? {};
    return {
      ...{ events, frames, heldMs: logged.heldMs, firstMs: logged.firstMs },
      ...{ archivedHeldMs: archived.heldMs, archivedFirstMs: archived.firstMs },
    };
  },
};
