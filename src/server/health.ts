/** `/healthz`: the process answers. `/readyz`: it takes runs and can keep them. */
import type { FastifyInstance } from "fastify";
import type { Langwire } from "../open/open-langwire.ts";
import { within } from "../time/within.ts";

/** Whoever probes has given up by then. */
const pingTimeoutMs = 5_000;
/**
 * How long a verdict holds. Asking the store takes its write lock, and anybody may ask for the
 * verdict: those who do within this time are told the same one.
 */
const verdictMs = 500;

/** They answer anybody, however often. */
export const probePaths: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

interface Verdict {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, boolean>>;
}

export function healthRoutes(app: FastifyInstance, langwire: Langwire): void {
  app.get("/healthz", { logLevel: "silent" }, () => ({ status: "ok" }));

  const verdict = heldFor(verdictMs, () => check(langwire));
  app.get("/readyz", { logLevel: "silent" }, async (_request, reply) => {
    const { ready, checks } = await verdict();
    // Known without asking anybody: whoever shuts down says so at once.
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

/** One look at a time, for all who ask while it is under way and for a moment after. */
function heldFor<T>(heldMs: number, look: () => Promise<T>): () => Promise<T> {
  let looking: Promise<T> | undefined;
  let until = Number.POSITIVE_INFINITY;
  return () => {
    if (looking === undefined || performance.now() > until) {
      until = Number.POSITIVE_INFINITY;
      looking = look().finally(() => {
        until = performance.now() + heldMs;
      });
    }
    return looking;
  };
}

async function answers(asked: { ping(): Promise<void> }): Promise<boolean> {
  const answered = asked.ping().then(
    () => true,
    () => false,
  );
  return (await within(answered, pingTimeoutMs)) ?? false;
}
