/** `/healthz`: the process answers. `/readyz`: it takes runs and can keep them. */
import type { FastifyInstance } from "fastify";
import type { Langwire } from "../runs/open-langwire.ts";

export function healthRoutes(app: FastifyInstance, { runs, store, log }: Langwire): void {
  app.get("/healthz", { logLevel: "silent" }, () => ({ status: "ok" }));

  app.get("/readyz", { logLevel: "silent" }, async (_request, reply) => {
    const checks = {
      accepting: runs.accepting,
      store: await store.ping().then(
        () => true,
        () => false,
      ),
      log: log.healthy,
    };
    const ready = Object.values(checks).every(Boolean);
    return reply.status(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready", checks });
  });
}
