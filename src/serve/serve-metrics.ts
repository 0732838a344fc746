/** Metrics, on a port of their own or on the server's, as the settings say. */
import type { Logger } from "pino";
import { ConfigError } from "../config/read-settings.ts";
import type { Settings } from "../config/settings.ts";
import { MissingPackageError, withPackage } from "../open/optional-package.ts";
import type { RunObserver } from "../runs/observer.ts";
import type { ChatServer } from "../server/app.ts";
import type { Observed } from "../server/metrics/server-metrics.ts";
import { wrongSetting } from "./wrong-setting.ts";

/** Metrics that a setting asks for. */
export interface SettingsMetrics {
  /** Give it to `openLangwire`. */
  readonly observer: RunObserver;
  /** @throws ConfigError when the port cannot be had */
  serve(
    observed: Observed,
    where: { logger: Logger; server: ChatServer },
  ): Promise<AsyncDisposable>;
}

/**
 * @returns undefined where no setting asks for them: nothing is counted that nobody reads
 * @throws ConfigError when the package that they need is not installed
 */
export async function metricsOf(settings: Settings): Promise<SettingsMetrics | undefined> {
  const { METRICS_PORT: port, METRICS_HOST: host, METRICS_TOKEN: token } = settings;
  if (port === undefined && token === undefined) return undefined;
  const { Metrics, metricsRoute, metricsServer } = await withPackage(
    {
      packageName: "prom-client",
      neededBy: port === undefined ? "METRICS_TOKEN" : "METRICS_PORT",
    },
    import("../server/metrics/metrics.ts"),
  ).catch((cause: unknown) => {
    throw cause instanceof MissingPackageError ? new ConfigError([cause.message]) : cause;
  });
  const metrics = new Metrics();
  return {
    observer: metrics.observer,
    async serve(observed, { logger, server }) {
      metrics.observe(observed);
      if (port === undefined) {
        metricsRoute(server.app, metrics, token);
        return { [Symbol.asyncDispose]: async () => {} };
      }
      const own = metricsServer(metrics, token);
      const address = await own.listen({ host, port }).catch(wrongSetting("METRICS_PORT", port));
      logger.info({ address }, "metrics");
      return { [Symbol.asyncDispose]: () => own.close() };
    },
  };
}
