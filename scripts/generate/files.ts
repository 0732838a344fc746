/** The files of client/generated. */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { asyncApiDocument } from "./asyncapi.ts";
import { foldFiles } from "./fold.ts";
import { jsonSchemaDocument } from "./json-schemas.ts";
import { listProcedures } from "./procedures.ts";
import { routerTypes } from "./router-types.ts";

/** @returns the text of each file, by its name */
export async function generateFiles(): Promise<Map<string, string>> {
  const manifest = await readFile(new URL("../../client/package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  const procedures = listProcedures();
  return new Map([
    ["router.d.ts", await routerTypes()],
    ["schemas.json", jsonText(jsonSchemaDocument(procedures))],
    ["asyncapi.json", jsonText(asyncApiDocument(procedures, version))],
    ...(await foldFiles()),
  ]);
}

/** @returns the names of the files in the folder that are missing or not what they should be */
export async function staleFiles(
  files: ReadonlyMap<string, string>,
  folder: URL,
): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, text] of files) {
    const found = await readFile(new URL(name, folder), "utf8").catch(() => undefined);
    if (found !== text) stale.push(name);
  }
  return stale;
}

/** @returns the names of the files in the folder that nobody makes any more */
export async function strayFiles(
  files: ReadonlyMap<string, string>,
  folder: URL,
): Promise<string[]> {
  const present = await readdir(folder, { recursive: true, withFileTypes: true });
  return present
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(fileURLToPath(folder), join(parentPath, name)))
    .filter((name) => !files.has(name));
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
