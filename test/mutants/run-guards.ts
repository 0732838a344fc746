/**
 * Puts each slip of the list into a copy of the tree and runs the tests that have to notice it.
 *
 * `node test/mutants/run-guards.ts [words …]` tries those whose file, slip or tests contain all the
 * words. Says which test failed, and why. Exits with 1 when a slip goes unnoticed, or is of code that
 * is no longer there.
 */
import { guards } from "./guards/all.ts";
import { SlippedTree } from "./slipped-tree.ts";

async function main(words: readonly string[]): Promise<void> {
  await using tree = await SlippedTree.copy();
  const asked = guards.filter(({ slip, file, tests }) =>
    words.every((word) => `${file} ${slip} ${tests.join(" ")}`.includes(word)),
  );
  let noticed = 0;
  for (const guard of asked) {
    const { what, failure } = await tree.find(guard);
    console.log(`${what.padEnd(12)}  ${guard.file}: ${guard.slip}`);
    if (failure) for (const said of [failure.test, failure.why]) console.log(" ".repeat(13), said);
    if (what === "noticed") noticed += 1;
  }
  console.log(`${noticed} of ${asked.length} slips are noticed.`);
  if (noticed < asked.length) process.exitCode = 1;
}

await main(process.argv.slice(2));
