/** A process that says how many MiB each half of its young generation has: while it starts, and under load. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { getHeapSpaceStatistics } from "node:v8";
import { holdYoungGeneration, letYoungGenerationGrow } from "../../src/serve/young-generation.ts";

const mebibyte = 1024 * 1024;

function halfMebibytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (space?.space_size ?? 0) / 2 / mebibyte;
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

holdYoungGeneration();
const starting = await load();
letYoungGenerationGrow();
process.stdout.write(`${JSON.stringify({ starting, grown: await load() })}\n`);
