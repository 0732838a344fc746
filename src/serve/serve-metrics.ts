/** Metrics, on a port of their own or on the server's, as the settings say. */
import type { Logger } from "pino";
import type { Settings } from "../config/settings.ts";
import type { ChatServer } from "../server/app.ts";
import { type Metrics, metricsRoute, metricsServer } from "../server/metrics/metrics.ts";
import { wrongSetting } from "./wrong-setting.ts";

/** @throws ConfigError when the port cannot be had */
export async function serveMetrics(
  metrics: Metrics,
  { settings, logger, server }: { settings: Settings; logger: Logger; server: ChatServer },
): Promise<AsyncDisposable | undefined> {
  const { METRICS_PORT: port, METRICS_HOST: host, METRICS_TOKEN } = settings;
  if (port === undefined) {
    if (METRICS_TOKEN !== undefined) metricsRoute(server.app, metrics, METRICS_TOKEN);
    return undefined;
  }
  const own = metricsServer(metrics, METRICS_TOKEN);
  const address = await own.listen({ host, port }).catch(wrongSetting("METRICS_PORT", port));
  logger.info({ address }, "metrics");
  return { [Symbol.asyncDispose]: () => own.close() };
}
