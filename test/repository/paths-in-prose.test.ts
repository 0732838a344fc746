/** A path that a document or a comment names is one that there is: files move, and prose stays behind. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folders = ["src", "client/src", "client/page", "docs", "bench", "scripts"];
const lists = await Promise.all(
  folders.map(async (folder) => {
    const names = await readdir(join(root, folder), { recursive: true });
    return names.map((name) => join(folder, name));
  }),
);
const files = [
  ...["ARCHITECTURE.md", "PROTOCOL.md", "README.md", "CONTRIBUTING.md"],
  ...lists.flat().filter((name) => /\.(ts|tsx|md)$/.test(name) && !name.includes("node_modules")),
].filter((name) => existsSync(join(root, name)));

const path = /(?<![\w@/.-])(?:\.{1,2}\/)*(?:[\w-]+\/)+[\w.-]+\.tsx?\b/g;

/** From where people name files: their own folder, those above it, and the roots of the sources. */
function isThere(named: string, from: string): boolean {
  const starts = ["", "src", "client", "client/src"];
  for (let folder = dirname(from); folder !== "."; folder = dirname(folder)) starts.push(folder);
  return starts.some((start) => existsSync(join(root, start, named)));
}

test("every source that prose names is there", async () => {
  const gone: string[] = [];
  for (const file of files) {
    const text = await readFile(join(root, file), "utf8");
    const prose = file.endsWith(".md")
      ? // Only what stands as code in a line: blocks are examples of somebody else's project.
        text.replace(/^```[\s\S]*?^```/gm, "")
      : text.match(/\/\*[\s\S]*?\*\/|\/\/.*$/gm)?.join("\n");
    for (const [named] of prose?.matchAll(path) ?? []) {
      if (!isThere(named, file)) gone.push(`${file}: ${named}`);
    }
  }
  expect(gone).toEqual([]);
});
