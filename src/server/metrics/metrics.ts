/**
 * `/metrics` for Prometheus: on a port of its own, or on the server's behind a token. Applications import
 * it as `langwire/metrics`, and install prom-client.
 */
import Fastify, { type FastifyInstance } from "fastify";
import { collectDefaultMetrics, Registry } from "prom-client";
import { LangwireError } from "../../protocol/errors.ts";
import type { RunObserver } from "../../runs/observer.ts";
import { requireBearer } from "../access/bearer.ts";
import { isLoopbackHost } from "../access/origins.ts";
import { observeRuns } from "./run-metrics.ts";
import { type Observed, observeServer } from "./server-metrics.ts";

export class Metrics {
  /** Give it to `openLangwire`. */
  readonly observer: RunObserver;
  readonly #registry = new Registry();

  constructor() {
    // The process itself (memory, CPU, garbage, event loop), under the names that dashboards know.
    collectDefaultMetrics({ register: this.#registry });
    this.observer = observeRuns(this.#registry);
  }

  /** Adds the metrics that need a running server. */
  observe(observed: Observed): void {
    observeServer(this.#registry, observed);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** Adds the route. @param token required of each request as `Authorization: Bearer`, if given */
export function metricsRoute(app: FastifyInstance, metrics: Metrics, token?: string): void {
  const admit = token === undefined ? undefined : requireBearer(token);
  app.get("/metrics", { logLevel: "silent" }, async (request, reply) => {
    try {
      await admit?.(request);
    } catch (cause) {
      if (!(cause instanceof LangwireError)) throw cause;
      if (cause.code === "RATE_LIMITED") return reply.status(429).send();
      return reply.status(401).header("www-authenticate", "Bearer").send();
    }
    return reply.type(metrics.contentType).send(await metrics.text());
  });
}

/** A server of its own for them, which nobody but the operator reaches. Close it in the end. */
export function metricsServer(metrics: Metrics, token?: string): FastifyInstance {
  const app = Fastify();
  app.addHook("onRequest", async ({ headers }, reply) => {
    // Without a token, a page that gives its own name the address 127.0.0.1 would be answered.
    if (token === undefined && !isLoopbackHost(headers.host)) return reply.status(403).send();
  });
  metricsRoute(app, metrics, token);
  return app;
}
