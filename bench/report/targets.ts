/** What Langwire sets itself, as ratios and differences against peers in the same run. */
import { pacedRuns } from "../measures/paced.ts";
import { saturatedRuns } from "../measures/saturated.ts";
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
  readonly digits?: number;
}

function atMost(factor: number, comparison: Comparison): Target {
  return compared(comparison, `≤ ${factor} ×`, (ours, theirs) => ({
    verdict: ratio(ours, theirs, 2),
    passed: ours <= factor * theirs,
  }));
}

function atLeast(factor: number, comparison: Comparison): Target {
  return compared(comparison, `≥ ${factor} ×`, (ours, theirs) => ({
    verdict: ratio(ours, theirs, 2),
    // Something is more than nothing, by whatever factor.
    passed: theirs === 0 ? ours > 0 : ours >= factor * theirs,
  }));
}

function atMostAbove(more: number, comparison: Comparison): Target {
  return compared(comparison, `≤ ${more} ${comparison.unit} above`, (ours, theirs) => ({
    verdict: `${(ours - theirs).toFixed(2)} ${comparison.unit}`,
    passed: ours <= theirs + more,
  }));
}

function compared(
  { title, measure, what, unit, than, digits = 1 }: Comparison,
  bound: string,
  judge: (ours: number, theirs: number) => { verdict: string; passed: boolean },
): Target {
  return {
    title: `${title}: ${bound} ${shortName[than] ?? than}`,
    outcome: (find) => {
      const ours = find(measure, "langwire", what);
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
function below(
  limit: number,
  { title, measure, what, unit, digits = 1 }: Omit<Comparison, "than">,
): Target {
  return {
    title: `${title}: ≤ ${limit} ${unit}`,
    outcome: (find) => {
      const ours = find(measure, "langwire", what);
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
function ownRatio(
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
  callbacks: "callbacks alone, stock fetch",
  rawWs: "raw ws",
  aiSdk: "AI SDK",
  langgraphApi: "LangGraph API",
};

export const targets: readonly Target[] = [
  ...saturatedRuns.map((runs) =>
    atMost(0.85, {
      title: `Saturated, ${runs} runs, CPU a token`,
      measure: "saturated",
      what: `usPerToken${runs}`,
      unit: "µs",
      than: "callbacks",
    }),
  ),
  ...pacedRuns.full.flatMap((runs) => [
    atMost(1, {
      title: `Paced, ${runs} runs, CPU`,
      measure: "paced",
      what: `cpuPercent${runs}`,
      unit: "%",
      than: "rawWs",
    }),
    atMostAbove(1, {
      title: `Paced, ${runs} runs, p50`,
      measure: "paced",
      what: `p50Ms${runs}`,
      unit: "ms",
      than: "rawWs",
      digits: 2,
    }),
    atMost(1.5, {
      title: `Paced, ${runs} runs, p99`,
      measure: "paced",
      what: `p99Ms${runs}`,
      unit: "ms",
      than: "rawWs",
    }),
  ]),
  ...(
    [
      [0.9, "rawWs"],
      [1.3, "aiSdk"],
      [2.2, "langgraphApi"],
    ] as const
  ).map(([factor, than]) =>
    atLeast(factor, {
      title: "Most runs with p99 under 100 ms",
      measure: "capacity",
      what: "runs",
      unit: "runs",
      than,
      digits: 0,
    }),
  ),
  below(2.5, {
    title: "Fan-out, saturated, CPU a delivery",
    measure: "fanout",
    what: "usPerDelivery",
    unit: "µs",
    digits: 2,
  }),
  atMost(2, {
    title: "Fan-out, 20 tokens/s, CPU a delivery",
    measure: "fanout",
    what: "pacedUsPerDelivery",
    unit: "µs",
    than: "rawWs",
    digits: 2,
  }),
  below(4, {
    title: "A reader that stops, over one that reads, memory in use",
    measure: "stoppedReader",
    what: "moreLiveMiB",
    unit: "MiB",
  }),
  ownRatio(1.5, {
    title: "Somebody else's answer while a reader has stopped",
    measure: "stoppedReader",
    of: "otherStoppedMs",
    to: "otherReadingMs",
  }),
  below(6_000, {
    title: "Idle socket, connected and authenticated",
    measure: "idle",
    what: "connectedBytes",
    unit: "B",
    digits: 0,
  }),
  below(16_000, {
    title: "Idle socket, watching",
    measure: "idle",
    what: "watchingBytes",
    unit: "B",
    digits: 0,
  }),
  ownRatio(0.05, {
    title: "Attaching to a finished run: frames an event",
    measure: "attach",
    of: "frames",
    to: "events",
  }),
  below(20, {
    title: "Attaching to a finished run: event loop held",
    measure: "attach",
    what: "heldMs",
    unit: "ms",
  }),
  below(15, {
    title: "Attaching to a run in the archive: first frame",
    measure: "attach",
    what: "archivedFirstMs",
    unit: "ms",
  }),
  below(10, {
    title: "A page of 50 messages with parts",
    measure: "history",
    what: "ms",
    unit: "ms",
  }),
  ownRatio(3, {
    title: "A saturated server's p99 while 10,000 clients reconnect",
    measure: "storm",
    of: "p99Ms",
    to: "calmP99Ms",
  }),
  atMostAbove(1, {
    title: "First token, warm",
    measure: "firstToken",
    what: "ms",
    unit: "ms",
    than: "rawWs",
    digits: 2,
  }),
  ownRatio(1.1, {
    title: "CPU a token, 20,000 tokens to 500",
    measure: "longAnswer",
    of: "usPerToken20000",
    to: "usPerToken500",
  }),
];
