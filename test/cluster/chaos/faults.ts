/** What can happen to nodes, to Redis, to Postgres and to the ways between them, and a plan of it. */
import type { AnswerFault } from "../../support/postgres-proxy.ts";
import { answerFaults } from "../../support/postgres-proxy.ts";
import { Seeded } from "./seeded.ts";

export type Fault =
  /** Killed, and started again after the time. */
  | { readonly kind: "nodeKilled" | "nodeAsleep"; readonly node: number }
  /** Every node is shut down in order and started again, one after the other. */
  | { readonly kind: "rollingRestart" }
  | {
      readonly kind:
        | "redisAway"
        | "redisEmptied"
        | "redisRolledBack"
        | "redisFull"
        | "redisPaused"
        | "postgresPaused"
        | "postgresRestarted";
    }
  /** One node and one service: new connections break, nothing gets through, or all break once. */
  | {
      readonly kind: "refused" | "blackHole" | "answersHeldBack" | "cut";
      readonly node: number;
      readonly service: Service;
    }
  /** The next answers of Postgres to statements of this kind, of any node. */
  | {
      readonly kind: "answersLost";
      readonly statement: StatementKind;
      readonly fault: AnswerFault;
      readonly times: number;
    };

export type Service = "redis" | "postgres";
export const statements = {
  commit: /^commit/i,
  insert: /^insert into "runs"/i,
  update: /^update "runs"/i,
  remove: /^delete from "members"/i,
  touch: /^update "conversations"/i,
} as const;
export type StatementKind = keyof typeof statements;

export interface PlannedFault {
  readonly fault: Fault;
  readonly startMs: number;
  readonly lastsMs: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly nodes: number;
  /** How long a lease lasts: what is shorter goes by unnoticed, what is longer costs a node its runs. */
  readonly leaseMs: number;
  /** How long the round lasts in which faults begin. */
  readonly roundMs: number;
}

const kinds: readonly Fault["kind"][] = [
  ...(["nodeKilled", "nodeAsleep", "rollingRestart", "redisAway", "redisEmptied"] as const),
  ...(["redisRolledBack", "redisFull", "redisPaused", "postgresPaused"] as const),
  ...(["postgresRestarted", "refused", "blackHole", "answersHeldBack", "cut"] as const),
  ...(["answersLost", "answersLost"] as const),
];

/** Single faults and pairs that overlap, one after the other. */
export function planFaults({ seed, nodes, leaseMs, roundMs }: PlanOptions): PlannedFault[] {
  const random = new Seeded(seed);
  const planned: PlannedFault[] = [];
  for (let startMs = random.below(roundMs / 8); startMs < roundMs; ) {
    const lastsMs = durationOf(random, leaseMs);
    planned.push({ fault: faultOf(random, nodes), startMs, lastsMs });
    if (random.chance(0.4)) {
      const second = { fault: faultOf(random, nodes), startMs: startMs + random.below(lastsMs) };
      planned.push({ ...second, lastsMs: durationOf(random, leaseMs) });
    }
    startMs += lastsMs + random.below(leaseMs);
  }
  return planned;
}

function durationOf(random: Seeded, leaseMs: number): number {
  const most = random.pick([0.1, 0.5, 1, 2.5]);
  return Math.ceil(leaseMs * most * (0.2 + random.next()));
}

function faultOf(random: Seeded, nodes: number): Fault {
  const kind = random.pick(kinds);
  const node = random.below(nodes);
  switch (kind) {
    case "nodeKilled":
    case "nodeAsleep":
      return { kind, node };
    case "refused":
    case "blackHole":
    case "answersHeldBack":
    case "cut":
      return { kind, node, service: random.pick(["redis", "postgres"]) };
    case "answersLost":
      return {
        kind,
        statement: random.pick(Object.keys(statements) as StatementKind[]),
        fault: random.pick(answerFaults),
        times: random.below(4, 1),
      };
    default:
      return { kind };
  }
}

export function describeFault({ fault, startMs, lastsMs }: PlannedFault): string {
  const { kind, ...rest } = fault;
  return `${startMs} ms: ${kind} ${Object.values(rest).join(" ")} for ${lastsMs} ms`;
}
