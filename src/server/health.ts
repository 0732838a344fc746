/** `/healthz`: the process answers. `/readyz`: it takes runs and can keep them. */
import type { FastifyInstance } from "fastify";
import type { Langwire } from "../open/open-langwire.ts";
import { within } from "../time/within.ts";

/** Longer than probes wait for an answer. */
const pingTimeoutMs = 5_000;
/**
 * How long a verdict is cached: pinging the store takes its write lock, and anybody may probe.
 */
const verdictMs = 500;

/** Paths without a rate limit and without authentication. */
export const probePaths: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

interface Verdict {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, boolean>>;
}

export function healthRoutes(app: FastifyInstance, langwire: Langwire): void {
  app.get("/healthz", { logLevel: "silent" }, () => ({ status: "ok" }));

  const verdict = cachedFor(verdictMs, () => check(langwire));
  app.get("/readyz", { logLevel: "silent" }, async (_request, reply) => {
    const { ready, checks } = await verdict();
    // Not cached, so that a shutdown shows at once.
    const accepting = langwire.runs.accepting;
    const now = ready && accepting;
    return reply
      .status(now ? 200 : 503)
      .send({ status: now ? "ready" : "not ready", checks: { ...checks, accepting } });
  });
}

async function check({ runs, store, log, cluster }: Langwire): Promise<Verdict> {
  const [storeAnswers, clusterAnswers] = await Promise.all([
    answers(store),
    cluster && answers(cluster),
  ]);
  const checks = {
    accepting: runs.accepting,
    store: storeAnswers && !runs.storeAway,
    log: log.healthy,
    ...(cluster && { cluster: clusterAnswers === true }),
  };
  return { ready: Object.values(checks).every(Boolean), checks };
}

/** Caches a check: one at a time, shared by all who call meanwhile and for `heldMs` after it. */
function cachedFor<T>(heldMs: number, check: () => Promise<T>): () => Promise<T> {
  let cached: Promise<T> | undefined;
  let until = Number.POSITIVE_INFINITY;
  return () => {
    if (cached === undefined || performance.now() > until) {
      until = Number.POSITIVE_INFINITY;
      cached = check().finally(() => {
        until = performance.now() + heldMs;
      });
    }
    return cached;
  };
}

async function answers(asked: { ping(): Promise<void> }): Promise<boolean> {
  const answered = asked.ping().then(
    () => true,
    () => false,
  );
  return (await within(answered, pingTimeoutMs)) ?? false;
}
