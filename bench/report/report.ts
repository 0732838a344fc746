/** RESULTS.md, from what was measured. */
import { type Load, stepName } from "../measures/profile.ts";
import type { Machine } from "../parts/machine.ts";
import type { Sample } from "../parts/measure.ts";
import { type PeerName, peers } from "../parts/peers.ts";
import { median } from "../parts/statistics.ts";
import { type Step, steps } from "../parts/steps.ts";
import { columns } from "./columns.ts";
import type { Find, Target } from "./target.ts";
import { targets } from "./targets.ts";

export interface Results {
  readonly machine: Machine;
  readonly startedAt: string;
  /** Whether some measures are of earlier runs. */
  inParts?: boolean;
  tookMinutes?: number;
  measures: Record<
    string,
    { samples: Partial<Record<PeerName, Sample[]>>; failures: Partial<Record<PeerName, string>> }
  >;
}

export function report(results: Results): string {
  const { machine, startedAt, tookMinutes = 0, inParts = false } = results;
  const find: Find = (measure, peer, what) => {
    const values = valuesOf(results, measure, peer, what);
    return values.length === 0 ? undefined : median(values);
  };
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    "# Results",
    "",
    "Written by `npm run bench`; docs/performance.md says what the figures mean.",
    "",
    `${startedAt.slice(0, 16).replace("T", " ")} UTC, ${tookMinutes.toFixed(0)} minutes` +
      (inParts
        ? ": the last of several parts, each measure with its peers in one of them. "
        : ". ") +
      `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, ` +
      `Node ${machine.node}; load average before the start ${machine.loadAverage.toFixed(2)}.`,
    "",
    "The server is pinned to one core, the provider and the clients to the other; all traffic is on " +
      "loopback. Every answer was whole and right at the far end, or its peer was not timed. Medians " +
      "of interleaved rounds, the lowest and the highest in brackets.",
    "",
    `${versions.join(", ")}.`,
    "",
    "## Targets",
    "",
    "| target | Langwire | to compare with | ratio or difference | |",
    "| --- | --- | --- | --- | --- |",
    ...targets.map((target) => targetRow(target, find)),
    "",
    ...Object.keys(results.measures).flatMap((name) => measureTable(results, name)),
  ].join("\n");
}

function targetRow(target: Target, find: Find): string {
  const outcome = target.outcome(find);
  if (outcome === undefined) return `| ${target.title} | | | | not measured |`;
  const { ours, theirs, verdict, passed } = outcome;
  return `| ${target.title} | ${ours} | ${theirs} | ${verdict} | ${passed ? "pass" : "**missed**"} |`;
}

function measureTable(results: Results, name: string): string[] {
  if (name === "profile") return stepsTable(results);
  const found = results.measures[name];
  const shown = columns[name];
  if (found === undefined || shown === undefined) return [];
  const measured = Object.keys(found.samples) as PeerName[];
  const rounds = Math.max(0, ...measured.map((peer) => found.samples[peer]?.length ?? 0));
  const heads = shown.columns.filter(({ what }) =>
    measured.some((peer) => valuesOf(results, name, peer, what).length > 0),
  );
  return [
    `## ${shown.title}`,
    "",
    `${shown.note} ${rounds} rounds.`,
    "",
    `| | ${heads.map(({ head }) => head).join(" | ")} |`,
    `| --- |${" ---: |".repeat(heads.length)}`,
    ...measured.map((peer) => {
      const cells = heads.map(({ what, digits }) =>
        cell(valuesOf(results, name, peer, what), digits),
      );
      return `| ${peers[peer].title} | ${cells.join(" | ")} |`;
    }),
    "",
    ...Object.entries(found.failures).map(
      ([peer, why]) => `${peers[peer as PeerName].title} was not measured to the end: ${why}\n`,
    ),
  ];
}

function stepsTable(results: Results): string[] {
  const cellOf = (load: Load, step: Step): string =>
    cell(valuesOf(results, "profile", "langwire", stepName(load, step)), 2);
  const rounds = results.measures.profile?.samples.langwire?.length ?? 0;
  return [
    "## Where a token's microseconds go",
    "",
    "Langwire's CPU, µs a token: 64 runs as fast as the provider is read, and 300 at 20 tokens a " +
      `second. What Node and V8 do for a step is part of it. ${rounds} rounds.`,
    "",
    "| | saturated | 20 tokens/s |",
    "| --- | ---: | ---: |",
    ...steps.map((step) => `| ${step} | ${cellOf("saturated", step)} | ${cellOf("paced", step)} |`),
    "",
  ];
}

function valuesOf(results: Results, measure: string, peer: PeerName, what: string): number[] {
  const samples = results.measures[measure]?.samples[peer] ?? [];
  return samples.map((sample) => sample[what]).filter((value) => value !== undefined);
}

function cell(values: readonly number[], digits: number): string {
  if (values.length === 0) return "";
  const low = Math.min(...values).toFixed(digits);
  const high = Math.max(...values).toFixed(digits);
  return `${median(values).toFixed(digits)} (${low}–${high})`;
}
