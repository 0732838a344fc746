/**
 * Puts each slip of the list into a copy of the tree and runs the tests that have to notice it.
 *
 * `node test/mutants/run-guards.ts [words of the slip …]`; exits with 1 when one goes unnoticed, or is
 * of code that is no longer there.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtempDisposable, readFile, symlink, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Guard } from "./guard.ts";
import { guards } from "./guards/all.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const copied = ["src", "client", "test", "examples", "scripts", "docs"];
const files = ["package.json", "vitest.config.ts", "tsconfig.json", "README.md", "PROTOCOL.md"];
/** A slip may make a test wait for what never comes. */
const timeoutMs = 20_000;

type Finding = "noticed" | "unnoticed" | "no such code" | "fails anyway";

async function main(words: readonly string[]): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-guards-"));
  const copy = folder.path;
  const filter = (path: string) => !/\/(node_modules|\.sandbox[^/]*|reports)(\/|$)/.test(path);
  for (const name of [...copied, ...files]) {
    await cp(join(root, name), join(copy, name), { recursive: true, filter });
  }
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  const asked = guards.filter(({ slip, file }) =>
    words.every((word) => `${file} ${slip}`.includes(word)),
  );
  const unnoticed: Guard[] = [];
  for (const guard of asked) {
    const finding = await find(copy, guard);
    console.log(`${finding.padEnd(12)}  ${guard.file}: ${guard.slip}`);
    if (finding !== "noticed") unnoticed.push(guard);
  }
  console.log(`${asked.length - unnoticed.length} of ${asked.length} slips are noticed.`);
  if (unnoticed.length > 0) process.exitCode = 1;
}

async function find(copy: string, { file, code, becomes, tests }: Guard): Promise<Finding> {
  const path = join(copy, file);
  const text = await readFile(path, "utf8");
  if (text.split(code).length !== 2) return "no such code";
  const slipped = text.replace(code, () => becomes);
  // What is no program at all would be noticed by every test.
  stripTypeScriptTypes(slipped);
  await writeFile(path, slipped);
  try {
    if (await pass(copy, tests)) return "unnoticed";
  } finally {
    await writeFile(path, text);
  }
  return (await passAsTheyAre(copy, tests)) ? "noticed" : "fails anyway";
}

const asTheyAre = new Map<string, Promise<boolean>>();

function passAsTheyAre(copy: string, tests: readonly string[]): Promise<boolean> {
  const key = tests.join(" ");
  const known = asTheyAre.get(key) ?? pass(copy, tests);
  asTheyAre.set(key, known);
  return known;
}

async function pass(cwd: string, tests: readonly string[]): Promise<boolean> {
  const vitest = join(cwd, "node_modules/vitest/vitest.mjs");
  const options = ["--bail=1", "--maxWorkers=1", "--typecheck.enabled=false"];
  const limits = [`--testTimeout=${timeoutMs}`, `--hookTimeout=${timeoutMs}`];
  const all = [vitest, "run", ...tests, ...options, ...limits, "--reporter=dot"];
  const running = spawn(process.execPath, all, { cwd, stdio: "ignore" });
  const [code] = await once(running, "exit");
  return code === 0;
}

await main(process.argv.slice(2));
