/** The documents in the packages: whoever has installed one finds all that they point to in it. */
import { execFile } from "node:child_process";
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
