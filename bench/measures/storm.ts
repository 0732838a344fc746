/** What those who are served notice when ten thousand others come back at once, to a server that has no time left. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Reconnected } from "../load/storm.ts";
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";

export const stormClients = 10_000;
/** Whose tokens are timed. */
const timed = { count: 100, wanted: { kind: "paced", tokens: 100, intervalMs: 50 } } as const;
/** Who take what is left of the core. */
const busy = { count: 16, wanted: { kind: "fast", tokens: 300 } } as const;
const settleMs = 2_000;
const calmMs = 10_000;
/** Then it has failed. */
const withinMs = 90_000;

export const storm: Measure = {
  name: "storm",
  peers: { quick: ["langwire"], full: ["langwire"] },
  rounds: { quick: 1, full: 3 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer, env: { MAX_SOCKETS: "20000" } });
    await stage.connect(timed.count + busy.count);
    // What ten thousand clients have to do themselves is not to hold up those whose tokens are timed.
    await using crowd = await stage.moreClients();
    await crowd.call("openWatchers", { url: stage.url, count: stormClients });
    await stage.load.call("keepSending", { first: 0, ...timed });
    await stage.load.call("keepSending", { first: timed.count, ...busy });
    await sleep(settleMs);
    await stage.load.call("startLatencies");
    await sleep(calmMs);
    const calm = await stage.stopLatencies();
    await stage.load.call("startLatencies");
    const { tookMs, halfMs, attempts } = await crowd.call<Reconnected>("reconnectAll", {
      url: stage.url,
      withinMs,
    });
    const meanwhile = await stage.stopLatencies();
    await stage.load.call("stopSending");
    return {
      calmP99Ms: calm.p99,
      p99Ms: meanwhile.p99,
      maxMs: meanwhile.max,
      halfMs,
      tookMs,
      attempts,
    };
  },
};
