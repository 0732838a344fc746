/**
 * Writes client/generated from the protocol and the router, and biome.json's import rules from
 * import-rules.ts. With --check it writes nothing, and fails when a file is stale or the AsyncAPI
 * document is not valid.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { generateFiles, staleFiles, strayFiles } from "./generate/files.ts";
import { lintConfig } from "./generate/lint-config.ts";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const folder = new URL("../client/generated/", import.meta.url);
const files = await generateFiles();
const root = new URL("../", import.meta.url);
const configFile = "biome.json";
const config = await lintConfig(await readFile(new URL(configFile, root), "utf8"));
const rootFiles = new Map([[configFile, config]]);

if (values.check) {
  const { asyncApiProblems } = await import("./generate/asyncapi-problems.ts");
  const problems = [
    ...[...(await staleFiles(files, folder)), ...(await staleFiles(rootFiles, root))].map(
      (name) => `${name} is stale: run npm run generate`,
    ),
    ...(await strayFiles(files, folder)).map((name) => `${name} is made by nobody: delete it`),
    ...(await asyncApiProblems(files.get("asyncapi.json") ?? "")),
  ];
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
} else {
  for (const name of await strayFiles(files, folder)) await rm(new URL(name, folder));
  for (const [name, text] of files) {
    const file = new URL(name, folder);
    await mkdir(new URL(".", file), { recursive: true });
    await writeFile(file, text);
  }
  for (const [name, text] of rootFiles) await writeFile(new URL(name, root), text);
}
