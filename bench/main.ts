/**
 * Measures Langwire and its peers, in turn, and writes RESULTS.md.
 *
 *   npm run bench                            everything, an hour and a quarter
 *   npm run bench -- --quick                 a few peers and rounds, about four
 *   npm run bench -- --only saturated,fanout
 *   npm run bench -- --rounds 3
 *   npm run bench -- --only endurance --minutes 2 --runs 100
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { attach } from "./measures/attach.ts";
import { burst } from "./measures/burst.ts";
import { capacity } from "./measures/capacity.ts";
import { endurance } from "./measures/endurance.ts";
import { fanout } from "./measures/fanout.ts";
import { firstToken } from "./measures/first-token.ts";
import { growth } from "./measures/growth.ts";
import { history } from "./measures/history.ts";
import { idle } from "./measures/idle.ts";
import { largeAnswersAtOnce } from "./measures/large-answers.ts";
import { longAnswer } from "./measures/long-answer.ts";
import { nodes } from "./measures/nodes.ts";
import { paced } from "./measures/paced.ts";
import { profile } from "./measures/profile.ts";
import { restarts } from "./measures/restarts.ts";
import { saturated } from "./measures/saturated.ts";
import { stoppedReader } from "./measures/stopped-reader.ts";
import { storm } from "./measures/storm.ts";
import { machine } from "./parts/machine.ts";
import type { Measure, Mode } from "./parts/measure.ts";
import type { PeerName } from "./parts/peers.ts";
import { plotGrowth } from "./report/plot-growth.ts";
import { type Results, report } from "./report/report.ts";

const measures: readonly Measure[] = [
  saturated,
  paced,
  capacity,
  fanout,
  nodes,
  stoppedReader,
  idle,
  attach,
  history,
  firstToken,
  burst,
  storm,
  longAnswer,
  largeAnswersAtOnce,
  endurance,
  restarts,
  profile,
  growth,
];

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    peers: { type: "string" },
    rounds: { type: "string" },
    minutes: { type: "string" },
    runs: { type: "string" },
  },
});
const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text));
const options = { minutes: numberOf(values.minutes), runs: numberOf(values.runs) };
const mode: Mode = values.quick ? "quick" : "full";
const only = values.only?.split(",");
const unknown = only?.filter((name) => !measures.some((measure) => measure.name === name));
if (unknown !== undefined && unknown.length > 0) {
  const known = measures.map(({ name }) => name).join(", ");
  throw new Error(`There is no measure ${unknown.join(", ")}; there are ${known}.`);
}

const folder = import.meta.dirname;
const rawFile = join(folder, "results", "raw.json");
mkdirSync(join(folder, "results"), { recursive: true });

const startedAt = new Date();
const results: Results = { machine: machine(), startedAt: startedAt.toISOString(), measures: {} };
if (only !== undefined) {
  results.inParts = true;
  results.measures = keptMeasures();
}

for (const measure of measures) {
  if (only?.includes(measure.name) ?? measure.rounds[mode] > 0) await run(measure);
}
results.tookMinutes = (Date.now() - startedAt.getTime()) / 60_000;
writeFileSync(rawFile, JSON.stringify(results, null, 1));
writeFileSync(join(folder, "RESULTS.md"), report(results));
plotGrowth(results, join(folder, "..", "docs"));
process.stdout.write(
  `\nWritten to bench/RESULTS.md in ${results.tookMinutes.toFixed(1)} minutes.\n`,
);

/** Rounds of A B C A B C …, so that what else the machine does meets all alike. */
async function run({ name, peers, rounds, sample }: Measure): Promise<void> {
  const chosen = values.peers?.split(",") as PeerName[] | undefined;
  const inMode = rounds[mode] > 0 && chosen === undefined ? peers[mode] : peers.full;
  const all = inMode.filter((peer) => chosen?.includes(peer) ?? true);
  const found = { samples: {}, failures: {} } as Results["measures"][string];
  results.measures[name] = found;
  const times = values.rounds === undefined ? rounds[mode] || 1 : Number(values.rounds);
  for (let round = 1; round <= times; round++) {
    for (const peer of all) {
      // What was wrong once is not timed: a second wrong answer says nothing new.
      if (found.failures[peer] !== undefined) continue;
      process.stdout.write(`${name} ${round}/${times} ${peer} `);
      try {
        const taken = await sample(peer, mode, options);
        found.samples[peer] = [...(found.samples[peer] ?? []), taken];
        const shown = Object.entries(taken).map(([what, value]) => `${what} ${value.toFixed(2)}`);
        process.stdout.write(`${shown.join(" ")}\n`);
      } catch (cause) {
        found.failures[peer] = String(cause).split("\n").slice(0, 3).join(" ").slice(0, 400);
        process.stdout.write(`failed: ${found.failures[peer]}\n`);
      }
      writeFileSync(rawFile, JSON.stringify(results, null, 1));
    }
  }
}

/** What an earlier run measured, so that one measure can be taken again by itself. */
function keptMeasures(): Results["measures"] {
  try {
    return (JSON.parse(readFileSync(rawFile, "utf8")) as Results).measures;
  } catch {
    return {};
  }
}
