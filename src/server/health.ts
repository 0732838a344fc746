/** `/healthz`: the process answers. `/readyz`: it takes runs and can keep them. */
import type { FastifyInstance } from "fastify";
import type { Langwire } from "../open/open-langwire.ts";

/** Whoever probes has given up by then. */
const pingTimeoutMs = 5_000;

export function healthRoutes(app: FastifyInstance, { runs, store, log, cluster }: Langwire): void {
  app.get("/healthz", { logLevel: "silent" }, () => ({ status: "ok" }));

  app.get("/readyz", { logLevel: "silent" }, async (_request, reply) => {
    const [storeAnswers, clusterAnswers] = await Promise.all([
      answers(store),
      cluster && answers(cluster),
    ]);
    const checks = {
      accepting: runs.accepting,
      store: storeAnswers && !runs.storeAway,
      log: log.healthy,
      ...(cluster && { cluster: clusterAnswers }),
    };
    const ready = Object.values(checks).every(Boolean);
    return reply.status(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready", checks });
  });
}

async function answers(asked: { ping(): Promise<void> }): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, pingTimeoutMs, false);
  const answered = asked.ping().then(
    () => true,
    () => false,
  );
  const answer = await Promise.race([answered, late]);
  clearTimeout(timer);
  return answer;
}
