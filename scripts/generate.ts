/**
 * Writes client/generated from the protocol and the router. With --check it writes nothing, and
 * fails when a file is stale or the AsyncAPI document is not valid.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { generateFiles, staleFiles } from "./generate/files.ts";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const folder = new URL("../client/generated/", import.meta.url);
const files = await generateFiles();

if (values.check) {
  const { asyncApiProblems } = await import("./generate/asyncapi-problems.ts");
  const problems = [
    ...(await staleFiles(files, folder)).map((name) => `${name} is stale: run npm run generate`),
    ...(await asyncApiProblems(files.get("asyncapi.json") ?? "")),
  ];
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
} else {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of files) await writeFile(new URL(name, folder), text);
}
