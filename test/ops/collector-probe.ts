/**
 * A process that says how many MiB each half of its young generation has, while it starts and under load, and which part
 * of its CPU V8's helper threads had.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { getHeapSpaceStatistics } from "node:v8";
import { prepareCollector } from "../../src/serve/memory/collector.ts";
import { letYoungGenerationGrow } from "../../src/serve/memory/young-generation.ts";

const mebibyte = 1024 * 1024;

function halfMebibytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (space?.space_size ?? 0) / 2 / mebibyte;
}

function helpersShare(): number {
  let all = 0;
  let helpers = 0;
  for (const thread of readdirSync("/proc/self/task")) {
    const file = (name: string) => readFileSync(`/proc/self/task/${thread}/${name}`, "utf8");
    const [nanoseconds] = file("schedstat").split(" ");
    all += Number(nanoseconds);
    if (file("comm").startsWith("V8Worker")) helpers += Number(nanoseconds);
  }
  return helpers / all;
}

/** Makes 100 MiB of objects that all survive, over many turns. */
async function load(): Promise<number> {
  const kept: object[] = [];
  for (let turn = 0; turn < 3_000; turn++) {
    for (let made = 0; made < 1_000; made++) kept.push({ made });
    await nextTurn();
  }
  return kept.length && halfMebibytes();
}

prepareCollector();
const starting = await load();
letYoungGenerationGrow();
const grown = await load();
process.stdout.write(`${JSON.stringify({ starting, grown, helpersShare: helpersShare() })}\n`);
