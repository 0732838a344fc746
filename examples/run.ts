/**
 * Runs an example by its name, in a checkout: `npm run example -- node-script "Why?"`. Copied out of the
 * package, each is started by itself: `node node-script.ts "Why?"`.
 */
import { readdir } from "node:fs/promises";

const examples = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith(".ts") && !file.includes(".test.") && file !== "run.ts")
  .map((file) => file.replace(".ts", ""));
// An example finds its own arguments where it would without this file.
const [name = ""] = process.argv.splice(2, 1);

if (examples.includes(name)) await import(`./${name}.ts`);
else {
  console.error(`Which example? One of: ${examples.join(", ")}`);
  process.exitCode = 1;
}
