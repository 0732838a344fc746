/** What those who are served notice when ten thousand others come back at once, to a server that has no time left. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";

export const stormClients = 10_000;
/** Whose tokens are timed. */
const timed = { count: 100, wanted: { kind: "paced", tokens: 100, intervalMs: 50 } } as const;
/** Who take what is left of the core. */
const busy = { count: 16, wanted: { kind: "fast", tokens: 300 } } as const;
const settleMs = 2_000;
const calmMs = 5_000;

export const storm: Measure = {
  name: "storm",
  peers: { quick: [], full: ["langwire"] },
  rounds: { quick: 0, full: 3 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer, env: { MAX_SOCKETS: "20000" } });
    await stage.connect(timed.count + busy.count);
    await stage.load.call("openWatchers", { url: stage.url, count: stormClients });
    await stage.load.call("keepSending", { first: 0, ...timed });
    await stage.load.call("keepSending", { first: timed.count, ...busy });
    await sleep(settleMs);
    await stage.load.call("startLatencies");
    await sleep(calmMs);
    const calm = await stage.stopLatencies();
    await stage.load.call("startLatencies");
    const { tookMs, attempts } = await stage.load.call<{ tookMs: number; attempts: number }>(
      "reconnectAll",
      { url: stage.url },
    );
    const meanwhile = await stage.stopLatencies();
    await stage.load.call("stopSending");
    return { calmP99Ms: calm.p99, p99Ms: meanwhile.p99, tookMs, attempts };
  },
};
