/**
 * The documents in the packages: whoever has installed one finds all that they point to in it, and is told
 * of what is in the repository alone that it is there.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { brokenLinks } from "../docs/links.ts";

const run = promisify(execFile);

interface PackList {
  readonly files: readonly { readonly path: string }[];
}

/** What npm would pack of the folder, whether or not it is built. */
async function packedFiles(folder: string): Promise<string[]> {
  const args = ["pack", "--ignore-scripts", "--dry-run", "--json"];
  const { stdout } = await run("npm", args, { cwd: folder, maxBuffer: 1e8 });
  const lists: Record<string, PackList> | PackList[] = JSON.parse(stdout);
  return Object.values(lists).flatMap(({ files }) => files.map(({ path }) => path));
}

test.each([
  [".", "docs/guarantees.md"],
  ["client", "README.md"],
  ["create", "README.md"],
])("links of the documents that %s packs lead to files and headings in it", async (name, one) => {
  const folder = fileURLToPath(new URL(`../../${name}`, import.meta.url));
  const files = await packedFiles(folder);
  const documents = files.filter((path) => path.endsWith(".md"));
  expect(documents).toContain(one);
  expect(await brokenLinks({ folder, documents, files })).toEqual([]);
});

const root = fileURLToPath(new URL("../../", import.meta.url));
const folders = [".", "client", "create"];
/** From where documents name files: the root, and those of the sources. */
const starts = ["", "src", "client", "client/src"];

/** What a document names in its lines, and not in its examples: paths, and files with an ending. */
function named(line: string): string[] {
  const words = [...line.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = ""]) => code.split(/\s+/));
  return words
    .map((word) => word.replace(/^\.\//, "").replace(/[/,;:)]+$/, ""))
    .filter((word) => /^[\w@-][\w.@-]*(?:\/[\w.@-]+)+$|^[\w-]+\.\w+$/.test(word));
}

/** The place in the repository of what is named, where that has it. */
function placesOf(path: string): string[] {
  const tried = path.includes("/") ? starts : [""];
  return tried.map((start) => join(start, path)).filter((place) => existsSync(join(root, place)));
}

test("a packed document that names what no package has says that it is in the repository", async () => {
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const files = await packedFiles(join(root, folder));
      return files.map((file) => join(folder, file));
    }),
  );
  const packed = new Set(lists.flat());
  for (const file of lists.flat()) {
    for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) packed.add(folder);
  }
  const unsaid: string[] = [];
  for (const document of lists.flat().filter((file) => file.endsWith(".md"))) {
    const text = await readFile(join(root, document), "utf8");
    const prose = text.replace(/^```[\s\S]*?^```/gm, "");
    const [intro = ""] = prose.split(/^## /m, 1);
    if (/repository/.test(intro)) continue;
    for (const line of prose.split(/\n{2,}|\n(?=\|)/)) {
      if (/repository|リポジトリ/.test(line)) continue;
      const missing = named(line).filter((path) => {
        const places = placesOf(path);
        return places.length > 0 && !places.some((place) => packed.has(place));
      });
      unsaid.push(...missing.map((path) => `${document}: ${path}`));
    }
  }
  expect(unsaid).toEqual([]);
});
