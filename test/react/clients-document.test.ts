/** Each sample of docs/clients.md is a program that the compiler accepts. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sample = /^```(tsx?)\n(.*?)^```$/gms;

const compilerOptions = {
  lib: ["es2024", "dom", "dom.iterable", "esnext.disposable"],
  types: ["node"],
  jsx: "react-jsx",
};

test("the samples of docs/clients.md compile", async () => {
  const document = await readFile(join(root, "docs/clients.md"), "utf8");
  const samples = [...document.matchAll(sample)];
  expect(samples.length).toBeGreaterThanOrEqual(5);
  // Inside the repository, so that the packages are found as its users find them.
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(root, "node_modules/.samples-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const files = samples.map(([, language], index) => `sample-${index}.${language}`);
  for (const [index, file] of files.entries()) {
    await writeFile(join(folder, file), samples[index]?.[2] ?? "");
  }
  const config = { extends: join(root, "tsconfig.json"), compilerOptions, files, include: [] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/.bin/tsc");
  const compiled = promisify(execFile)(tsc, ["-p", folder]).then(
    () => "",
    ({ stdout }: { stdout: string }) => stdout,
  );
  expect(await compiled).toBe("");
});
