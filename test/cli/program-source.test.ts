/** What of a program is its own: looked at for changes, and loaded anew with them. In a process without a loader of tests. */
import { execFile } from "node:child_process";
import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const address = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url));
const loads = `
  import { ProgramSource } from ${address("cli/program/program-source.ts")};
  import { readSettings } from ${address("config/read-settings.ts")};
  const source = new ProgramSource("bots.mjs", {});
  const quiet = { info() {}, warn() {} };
  await source.load(readSettings({}), quiet);
  console.log(JSON.stringify([...source.files]));`;

test("packages are not, wherever they lie: they are loaded once, whatever changes", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-program-"));
  const write = async (file: string, text: string) => {
    const path = join(folder.path, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  };
  const package_ = JSON.stringify({ name: "word", type: "module", exports: "./index.js" });
  await write("node_modules/word/package.json", package_);
  await write("node_modules/word/index.js", 'export { word } from "./word.js";');
  await write("node_modules/word/word.js", 'export const word = "hi";');
  const own = [
    await write("lib/own.mjs", 'export { word } from "word";'),
    await write(
      "bots.mjs",
      'import { word } from "./lib/own.mjs"; export const chat = { invoke: () => word };',
    ),
  ];
  const how = ["--conditions=langwire-source", "--input-type=module", "--eval", loads];
  const options = { cwd: folder.path };
  const { stdout } = await promisify(execFile)(process.execPath, how, options);
  const files: string[] = JSON.parse(stdout);
  expect(files).toEqual(expect.arrayContaining(own));
  expect(files.filter((file) => file.includes("node_modules"))).toEqual([]);
});
