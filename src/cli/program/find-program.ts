/** Which file a program is: the one that is named, or the one that a folder has. */
import { statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { ProgramError } from "../../serve/program.ts";
import { isFile } from "./resolve-import.ts";

export interface ProgramFile {
  readonly kind: "module" | "langgraph";
  readonly file: string;
}

/** In this order. */
const names = ["langgraph.json", "bots.ts", "bots.mts", "bots.js", "bots.mjs"];

/** Where a folder's program may be. */
export const placesIn = (folder: string): string[] => names.map((name) => join(folder, name));

/**
 * @param named a file or a folder; without one, the current folder
 * @returns undefined when the current folder has none
 * @throws ProgramError when what is named is not there, or has none
 */
export function findProgram(named: string | undefined): ProgramFile | undefined {
  const path = resolve(named ?? ".");
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? placesIn(path).find(isFile) : path;
  if (named !== undefined && file === undefined) {
    throw new ProgramError(`${named} has none of ${names.join(", ")}.`);
  }
  if (file === undefined) return undefined;
  if (!isFile(file)) throw new ProgramError(`${named} is not there.`);
  return { kind: basename(file) === "langgraph.json" ? "langgraph" : "module", file };
}
