/** Ways to say what Langwire should reach, beside a peer or by itself. */
import type { PeerName } from "../parts/peers.ts";

/** The median of one number of one peer; undefined where it was not measured. */
export type Find = (measure: string, peer: PeerName, what: string) => number | undefined;

export interface Outcome {
  readonly ours: string;
  readonly theirs: string;
  readonly verdict: string;
  readonly passed: boolean;
}

export interface Target {
  readonly title: string;
  /** Undefined when something that it needs was not measured. */
  readonly outcome: (find: Find) => Outcome | undefined;
}

interface Comparison {
  readonly title: string;
  readonly measure: string;
  readonly what: string;
  readonly unit: string;
  readonly than: PeerName;
  /** Default: one process of Langwire. */
  readonly of?: PeerName;
  readonly digits?: number;
}

export function atMost(factor: number, comparison: Comparison): Target {
  return compared(comparison, `≤ ${factor} ×`, (ours, theirs) => ({
    verdict: ratio(ours, theirs, 2),
    passed: ours <= factor * theirs,
  }));
}

export function atLeast(factor: number, comparison: Comparison): Target {
  return compared(comparison, `≥ ${factor} ×`, (ours, theirs) => ({
    verdict: ratio(ours, theirs, 2),
    // Something is more than nothing, by whatever factor.
    passed: theirs === 0 ? ours > 0 : ours >= factor * theirs,
  }));
}

export function atMostAbove(more: number, comparison: Comparison): Target {
  return compared(comparison, `≤ ${more} ${comparison.unit} above`, (ours, theirs) => ({
    verdict: `${(ours - theirs).toFixed(2)} ${comparison.unit}`,
    passed: ours <= theirs + more,
  }));
}

function compared(
  { title, measure, what, unit, than, of = "langwire", digits = 1 }: Comparison,
  bound: string,
  judge: (ours: number, theirs: number) => { verdict: string; passed: boolean },
): Target {
  return {
    title: `${title}: ${bound} ${shortName[than] ?? than}`,
    outcome: (find) => {
      const ours = find(measure, of, what);
      const theirs = find(measure, than, what);
      if (ours === undefined || theirs === undefined) return undefined;
      return {
        ours: `${ours.toFixed(digits)} ${unit}`,
        theirs: `${theirs.toFixed(digits)} ${unit}`,
        ...judge(ours, theirs),
      };
    },
  };
}

function ratio(ours: number, theirs: number, digits: number): string {
  return theirs === 0 ? "none" : `${(ours / theirs).toFixed(digits)} ×`;
}

/** A bound that needs no peer. */
export function below(
  limit: number,
  { title, measure, what, unit, of = "langwire", digits = 1 }: Omit<Comparison, "than">,
): Target {
  return {
    title: `${title}: ≤ ${limit} ${unit}`,
    outcome: (find) => {
      const ours = find(measure, of, what);
      if (ours === undefined) return undefined;
      return {
        ours: `${ours.toFixed(digits)} ${unit}`,
        theirs: "",
        verdict: "",
        passed: ours <= limit,
      };
    },
  };
}

/** Two numbers of Langwire's own. */
export function ownRatio(
  factor: number,
  { title, measure, of, to }: { title: string; measure: string; of: string; to: string },
): Target {
  return {
    title: `${title}: ≤ ${factor.toFixed(2)} ×`,
    outcome: (find) => {
      const ours = find(measure, "langwire", of);
      const theirs = find(measure, "langwire", to);
      if (ours === undefined || theirs === undefined) return undefined;
      return {
        ours: ours.toFixed(1),
        theirs: theirs.toFixed(1),
        verdict: ratio(ours, theirs, 3),
        passed: ours <= factor * theirs,
      };
    },
  };
}

const shortName: Partial<Record<PeerName, string>> = {
  langwire: "one process on SQLite",
  callbacks: "callbacks alone, stock fetch",
  rawWs: "raw ws",
  aiSdk: "AI SDK",
  langgraphApi: "LangGraph API",
};
