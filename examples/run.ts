/** Runs an example by its name: `npm run example -- mount-into-trpc`. */
import { readdir } from "node:fs/promises";

const examples = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith(".ts") && !file.includes(".test.") && file !== "run.ts")
  .map((file) => file.replace(".ts", ""));
const [, , name = ""] = process.argv;

if (examples.includes(name)) await import(`./${name}.ts`);
else {
  console.error(`Which example? One of: ${examples.join(", ")}`);
  process.exitCode = 1;
}
