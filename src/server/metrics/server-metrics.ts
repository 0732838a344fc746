/** Gauges of the server's state, read when the metrics are requested. */
import { Gauge, type Registry } from "prom-client";
import type { Langwire } from "../../open/open-langwire.ts";
import { within } from "../../time/within.ts";
import type { Connections } from "../connections/connections.ts";
import type { LoopLag } from "./loop-lag.ts";

export interface Observed {
  readonly langwire: Langwire;
  readonly connections: Connections;
  readonly loopLag: LoopLag;
}

/** A store that takes longer to answer counts as down. */
const pingTimeoutMs = 1_000;

export function observeServer(registry: Registry, observed: Observed): void {
  const { langwire, connections, loopLag } = observed;
  const { runs, store, log } = langwire;
  const gauge = (name: string, help: string, value: () => number | Promise<number>): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await value());
      },
    });
  };
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0);

  gauge("langwire_sockets", "Open WebSockets.", () => connections.size);
  gauge(
    "langwire_subscriptions",
    "Open subscriptions, over WebSocket and HTTP.",
    () => connections.subscriptions,
  );
  gauge("langwire_socket_backlog_bytes", "Bytes that wait here for all sockets together.", () =>
    sum(connections.backlogsBytes()),
  );
  gauge("langwire_socket_backlog_max_bytes", "Bytes that wait here for the slowest socket.", () =>
    most(connections.backlogsBytes()),
  );
  gauge("langwire_live_runs", "Runs in progress in this process.", () => runs.live.size);
  gauge("langwire_accepting", "Whether new runs are taken (1), or the server stops (0).", () =>
    Number(runs.accepting),
  );
  gauge(
    "langwire_event_loop_lag_seconds",
    "How late the event loop was in the last second, in the middle.",
    () => loopLag.medianMs / 1_000,
  );
  gauge("langwire_store_up", "Whether the store answers.", async () => {
    const answered = store.ping().then(
      () => 1,
      () => 0,
    );
    return (await within(answered, pingTimeoutMs)) ?? 0;
  });
  gauge("langwire_log_up", "Whether events are being stored.", () => Number(log.healthy));
  if (log.bytes !== undefined) {
    gauge("langwire_log_memory_bytes", "Memory that events take.", () => log.bytes ?? 0);
  }
}
