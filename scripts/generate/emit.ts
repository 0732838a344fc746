/** What tsc makes of one module and of all that it imports. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const { resolve } = createRequire(import.meta.url);

/** A single thread, so that unions come out in the same order every time. */
const compilerOptions = [
  ...["--target", "es2024", "--lib", "es2024,esnext.disposable", "--types", "node"],
  ...["--module", "nodenext", "--strict", "--skipLibCheck", "--singleThreaded"],
  ...[
    "--verbatimModuleSyntax",
    "--allowImportingTsExtensions",
    "--rewriteRelativeImportExtensions",
  ],
];

/** @returns what `read` makes of the emitted files, given a reader of them by their path in the repository */
export async function emit<T>(
  modules: readonly string[],
  options: readonly string[],
  read: (file: (path: string) => Promise<string>) => Promise<T>,
): Promise<T> {
  const outDir = await mkdtemp(join(tmpdir(), "emitted-"));
  const tsc = join(dirname(resolve("typescript/package.json")), "bin/tsc");
  const how = ["--ignoreConfig", ...compilerOptions, "--noEmit", "false", "--declaration"];
  const where = ["--rootDir", root, "--outDir", outDir];
  try {
    await run(process.execPath, [tsc, ...how, ...options, ...where, ...modules], { cwd: root });
    return await read((path) => readFile(join(outDir, path), "utf8"));
  } finally {
    await rm(outDir, { recursive: true });
  }
}

/** The source as biome formats it. */
export async function formatted(source: string, name: string): Promise<string> {
  const biome = join(dirname(resolve("@biomejs/biome/package.json")), "bin/biome");
  // A path outside of client/generated, which biome is told to leave alone.
  const formatting = run(process.execPath, [biome, "format", `--stdin-file-path=${name}`], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  formatting.child.stdin?.end(source);
  return (await formatting).stdout;
}
